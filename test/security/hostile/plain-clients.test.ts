/**
 * Hostile clients of a PLAIN server over real connections: every step of the handshake changed, repeated, left out, cut
 * short or made longer. Each time that one connection closes, an event says why, nothing reaches the application, and a
 * good peer beside it notices nothing.
 */
import { describe, expect, it } from "vitest";
import { besideGoodPeer, reason } from "../../support/good-peer.js";
import { rawDial } from "../../support/helpers.js";
import { command, greeting, message } from "../../support/raw-peer.js";
import { PlainClient } from "../../support/scripted/plain.js";
import { PLAIN, USER } from "../../support/scripted/secured.js";
import {
  attack,
  type Change,
  LONG,
  longer,
  nothing,
  spoils,
  tampering,
} from "../../support/scripted/tampering.js";

describe("a PLAIN server", () => {
  const changes: Change[] = [
    ...spoils("HELLO"),
    ["O4 an octet behind the password", "HELLO", longer],
    ["a user name longer than the command", "HELLO", () => command("HELLO", "\xffuser")],
    ["a password longer than the command", "HELLO", () => command("HELLO", "\x04user\xffsecret")],
    ["no password", "HELLO", () => command("HELLO", "\x04user")],
    ["another password", "HELLO", () => command("HELLO", "\x04user\x06Secret")],
    ["another user", "HELLO", () => command("HELLO", "\x04root\x06secret")],
    ["the password and a NUL", "HELLO", () => command("HELLO", "\x04user\x07secret\0")],
    ["half of the password", "HELLO", () => command("HELLO", "\x04user\x03sec")],
    ["empty ones", "HELLO", () => command("HELLO", "\0\0")],
    // No metadata is no fault (C6), and an unknown command after the handshake is ignored (F18).
    ...spoils("INITIATE").filter(([what]) => what !== "cut to its name" && what !== "repeated"),
    ["left out", "INITIATE", nothing],
  ];

  it("refuses every changed HELLO and INITIATE (O5, O6)", async () => {
    const rig = await besideGoodPeer({ ...PLAIN.server, handshakeInterval: 700 }, PLAIN.client);
    for (const [i, change] of changes.entries()) {
      const peer = await rawDial(rig.endpoint);
      const script = new PlainClient({ type: "PUSH", ...USER, tamper: tampering(change) });
      await attack(rig, peer, script, i + 1, `${change[1]}: ${change[0]}`);
    }
    await rig.unharmed();
  });

  it("credentials that are no UTF-8 are nobody's: they do not all become the same text (O1)", async () => {
    const asked: string[] = [];
    const authenticate = (request: { password?: string }) => {
      asked.push(request.password!);
      return request.password === "\ufffd\ufffd" || request.password === USER.password;
    };
    const rig = await besideGoodPeer({ ...PLAIN.server, authenticate, ...LONG }, PLAIN.client);
    for (const [i, password] of ["\xff\xfe", "\xc0\x80", "\x80\x80"].entries()) {
      const peer = await rawDial(rig.endpoint);
      const hello = Buffer.concat([Buffer.from("\x04user\x02"), Buffer.from(password, "latin1")]);
      const tamper = tampering(["", "HELLO", () => command("HELLO", hello)]);
      await attack(rig, peer, new PlainClient({ type: "PUSH", ...USER, tamper }), i + 1, password);
    }
    expect(asked).toEqual([USER.password]);
    await rig.unharmed();
  });

  it("refuses steps left out (O5)", async () => {
    const rig = await besideGoodPeer({ ...PLAIN.server, ...LONG }, PLAIN.client);
    const script = new PlainClient({ type: "PUSH", ...USER });
    const steps = [
      command("INITIATE", "\x0bSocket-Type\0\0\0\x04PUSH"),
      command("WELCOME"),
      command("READY", "\x0bSocket-Type\0\0\0\x04PUSH"),
      message("foreign"),
    ];
    for (const [i, octets] of steps.entries()) {
      const peer = await rawDial(rig.endpoint);
      peer.write(greeting(script.greeting), octets, message("foreign"));
      await peer.closed();
      await reason(rig.events, i + 1);
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });
});
