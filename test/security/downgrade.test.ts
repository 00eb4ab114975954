/**
 * No way around a mechanism (CVE-2014-7202, CVE-2014-9721): a socket that is told to use one uses it, or talks to
 * nobody. Raw and scripted peers offer less, in every version of ZMTP.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { besideGoodPeer, reason } from "../support/good-peer.js";
import { managed, rawDial, rawListen, record, until } from "../support/helpers.js";
import { frame, greeting, message, ready } from "../support/raw-peer.js";
import { say, shake } from "../support/scripted/script.js";
import { CURVE, MECHANISMS, NULL, PLAIN } from "../support/scripted/secured.js";

/** What old peers say, up to a message. */
const OLD: ReadonlyArray<readonly [what: string, octets: Buffer]> = [
  [
    "ZMTP 2.0",
    Buffer.concat([Buffer.from("ff00000000000000017f0108", "hex"), frame(""), message("foreign")]),
  ],
  ["libzmq 2.x", Buffer.from("ff00000000000000017f000801000800666f726569676e", "hex")],
  ["ZMTP 1.0", Buffer.from("01000800666f726569676e", "hex")],
  ["ZMTP 1.0, long identity", Buffer.from("ff0000000000000001000800666f726569676e", "hex")],
];

const names = (name: string) =>
  ["NULL", "PLAIN", "CURVE", "GSSAPI", name.toLowerCase(), `${name} `, `${name}\0X`, ` ${name}`, ""].filter(
    (other) => other !== name,
  );

describe.each(MECHANISMS)("CVE-2014-7202 CVE-2014-9721: a $name server", ({ name, server, client }) => {
  it("refuses every other mechanism in the greeting, of 3.0 and 3.1 (B1, B8)", async () => {
    const rig = await besideGoodPeer({ ...server, handshakeInterval: 400 }, client);
    let failures = 0;
    for (const mechanism of names(name)) {
      for (const minor of [0, 1]) {
        const bad = await rawDial(rig.endpoint);
        bad.write(greeting({ mechanism, minor }), ready("PUSH"), message("foreign"));
        expect((await bad.readGreeting()).mechanism).toBe(name); // B2
        expect((await bad.readToEnd()).length).toBeLessThan(300); // an ERROR at most
        const { error } = await reason(rig.events, ++failures);
        expect(error!.code).toBe("mechanism-mismatch");
      }
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  // Where there is no security to fall below, ZMTP 2.0 is served.
  it.each(name === "NULL" ? OLD.slice(1) : OLD)("refuses a peer of %s (A17)", async (_, octets) => {
    const rig = await besideGoodPeer({ ...server, handshakeInterval: 400 }, client);
    for (const how of ["whole", "trickled"]) {
      const bad = await rawDial(rig.endpoint);
      if (how === "whole") bad.write(octets, message("foreign"));
      else await bad.trickle(octets);
      await bad.closed();
    }
    const codes = [await reason(rig.events, 1), await reason(rig.events, 2)].map(({ error }) => error!.code);
    for (const code of codes) expect(code).toMatch(/^(not-zmtp|version-too-old)$/);
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });
});

describe.each([PLAIN, CURVE])("CVE-2014-7202: a $name client", ({ name, client }) => {
  it("says no more than its greeting to a server that offers another mechanism (B8)", async () => {
    for (const mechanism of names(name)) {
      const listener = await rawListen();
      const push = managed(new Push({ ...client, sendTimeout: 0 }));
      const events = record(push);
      push.connect(listener.endpoint);
      const bad = await listener.accept();
      bad.write(greeting({ mechanism }), ready("PULL"));
      expect((await bad.readToEnd()).length).toBe(64);
      expect((await events.next("handshake:error:")).error!.code).toBe("mechanism-mismatch");
      expect(events.of("handshake")).toHaveLength(0);
    }
  });

  it.each(OLD)("says no more than its greeting to a server of %s (A22)", async (_, octets) => {
    const listener = await rawListen();
    const push = managed(new Push({ ...client, sendTimeout: 0 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const bad = await listener.accept();
    bad.write(octets);
    expect((await bad.readToEnd()).length).toBeLessThanOrEqual(64);
    expect((await events.next("handshake:error:")).error!.code).toMatch(/^(not-zmtp|version-too-old)$/);
    expect(events.of("handshake")).toHaveLength(0);
  });
});

describe.each([PLAIN, CURVE])("$name (B6)", ({ server, client }) => {
  it("two servers do not get along, and say so", async () => {
    const pull = managed(new Pull({ ...server, handshakeInterval: 300 }));
    const events = record(pull);
    const push = managed(new Push({ ...server, handshakeInterval: 300 }));
    const pushed = record(push);
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await Promise.race([events.next("handshake:error:"), pushed.next("handshake:error:")]);
    expect([...events.of("handshake"), ...pushed.of("handshake")]).toHaveLength(0);
  });

  it("two clients do not get along, and say so", async () => {
    const pull = managed(new Pull({ ...client, handshakeInterval: 300 }));
    const events = record(pull);
    const push = managed(new Push({ ...client, handshakeInterval: 300 }));
    const pushed = record(push);
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await Promise.race([events.next("handshake:error:"), pushed.next("handshake:error:")]);
    expect([...events.of("handshake"), ...pushed.of("handshake")]).toHaveLength(0);
  });
});

describe("as-server in the greeting (B4)", () => {
  it.each(MECHANISMS)("decides nothing under $name", async ({ server, client, clientScript }) => {
    const rig = await besideGoodPeer({ ...server, handshakeInterval: 400 }, client);
    for (const asServer of [0, 1, 255]) {
      const peer = await rawDial(rig.endpoint);
      const script = clientScript({ type: "PUSH", greeting: { asServer } });
      await shake(peer, script);
      say(peer, script, "foreign");
    }
    await until(() => rig.state.foreign === 3, "three messages");
    await rig.unharmed();
  });

  it("is what the role is, and 0 under NULL (B3)", async () => {
    for (const [{ server, client }, expected] of [
      [NULL, 0],
      [PLAIN, 1],
      [CURVE, 1],
    ] as const) {
      const endpoint = await managed(new Pull(server)).bind("tcp://127.0.0.1:*");
      const dialling = await rawDial(endpoint);
      dialling.write(greeting());
      expect((await dialling.readGreeting()).asServer).toBe(expected);
      const listener = await rawListen();
      managed(new Push(client)).connect(listener.endpoint);
      const dialled = await listener.accept();
      dialled.write(greeting());
      expect((await dialled.readGreeting()).asServer).toBe(0);
    }
  });
});
