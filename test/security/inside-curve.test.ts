/**
 * A peer that CURVE has let in, and that is hostile all the same: the limits hold for what is inside the boxes, and for
 * the frames around them.
 */
import { describe, expect, it } from "vitest";
import { besideGoodPeer, reason } from "../support/good-peer.js";
import { rawDial, until } from "../support/helpers.js";
import { commandBody, frame, greeting } from "../support/raw-peer.js";
import { CurveClient, INNER_COMMAND } from "../support/scripted/curve.js";
import { MORE, shake } from "../support/scripted/script.js";
import { CLIENT, CURVE, SERVER } from "../support/scripted/secured.js";
import { settledRss } from "../support/settled-memory.js";

const MIB = 1024 ** 2;
const PUSH = { type: "PUSH" };

/** A rig with a peer that is let in. */
async function letIn(options: object = {}) {
  const rig = await besideGoodPeer({ ...CURVE.server, ...options }, CURVE.client);
  const join = async () => {
    const peer = await rawDial(rig.endpoint);
    const script = new CurveClient(SERVER.publicKey, PUSH, CLIENT);
    await shake(peer, script);
    return { peer, script };
  };
  return { rig, join, ...(await join()) };
}

function announced(flags: number, size: bigint): Buffer {
  const head = Buffer.alloc(9);
  head[0] = flags;
  head.writeBigUInt64BE(size, 1);
  return Buffer.concat([head, Buffer.alloc(64)]);
}

describe("CVE-2019-6250 under CURVE: the size of the frame around a box", () => {
  it("is refused at every power of two above the limit, whatever its flags", async () => {
    const { rig, join } = await letIn({ maxMessageSize: 1000 });
    let failures = 0;
    // 1 MiB is the limit of commands, and outside nobody knows which frame is one.
    for (const size of [2n ** 20n + 34n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      for (const flags of [2, 3, 6]) {
        const { peer } = await join();
        peer.write(announced(flags, size));
        await peer.closed();
        await reason(rig.events, ++failures);
      }
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });
});

describe("CVE-2026-48779 (ws) under CURVE: many tiny pieces inside", () => {
  it("a message has at most maxMessageParts parts", async () => {
    const { rig, peer, script } = await letIn({ maxMessageParts: 1000 });
    const part = (): Buffer => script.seal(MORE, "");
    peer.write(...Array.from({ length: 999 }, part), script.seal(0, ""));
    await until(() => rig.state.foreign === 1, "a message of 1000 parts comes");
    peer.write(...Array.from({ length: 1000 }, part), script.seal(0, ""));
    await peer.closed();
    expect((await reason(rig.events)).error!.code).toBe("too-many-parts");
    expect(rig.state.foreign).toBe(1);
    await rig.unharmed();
  });
});

describe("limits inside a box (E15)", () => {
  const limits = { maxMessageSize: 10_000, maxMultipartSize: 25_000 };
  const bad: Array<[what: string, code: string, octets: (script: CurveClient) => Buffer[]]> = [
    ["a part", "frame-too-large", (script) => [script.seal(0, "x".repeat(10_001))]],
    [
      "all parts together",
      "message-too-large",
      (script) => [1, 1, 0].map((flags) => script.seal(flags, "x".repeat(9_000))),
    ],
  ];

  it.each(bad)("%s that is too large closes with %s", async (_, code, octets) => {
    const { rig, peer, script } = await letIn(limits);
    peer.write(script.seal(0, "x".repeat(10_000))); // what is allowed
    await until(() => rig.state.foreign === 1, "a part as large as the limit comes");
    peer.write(...octets(script));
    await peer.closed();
    expect((await reason(rig.events)).error!.code).toBe(code);
    expect(rig.state.foreign).toBe(1);
    await rig.unharmed();
  });
});

it("a command of more than 1 MiB closes with command-too-large, where a part may be larger", async () => {
  const { rig, peer, script } = await letIn();
  peer.write(frame(script.message(INNER_COMMAND, commandBody("SUBSCRIBE", Buffer.alloc(MIB)))));
  await peer.closed();
  expect((await reason(rig.events)).error!.code).toBe("command-too-large");
  await rig.unharmed();
});

describe("CVE-2021-20234 under CURVE: unfinished multipart messages", () => {
  it("80 peers that leave in the middle of 1 MiB leave nothing behind", async () => {
    const { rig, join } = await letIn();
    const leave = async (from: number, to: number) => {
      for (let i = from; i <= to; i++) {
        const { peer, script } = await join();
        peer.write(...Array.from({ length: 16 }, () => script.seal(MORE, Buffer.alloc(64 * 1024, i))));
        peer.socket.end();
        await rig.events.next("disconnect", i);
      }
      return settledRss();
    };
    const warm = await leave(1, 20); // the script's own memory, and code that is compiled by now
    const first = await leave(21, 50);
    const second = await leave(51, 80);
    // The C library keeps up to 32 MiB that are free, and may take them in either half. What stays, stays in both.
    expect(Math.min(first - warm, second - first)).toBeLessThan(16 * MIB); // of 30
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed(96 * MIB);
  });
});

describe("what is odd and harmless inside a box", () => {
  it("goes on: an outer COMMAND bit, unknown flags, unknown and malformed commands (P9, P10, F18, E5)", async () => {
    const { rig, peer, script } = await letIn();
    peer.write(
      frame(script.message(0, "foreign"), { command: true }),
      frame(script.message(0x80, "foreign")),
      frame(script.message(0x04, "foreign")), // no command inside: data, as libzmq has it
      frame(script.message(INNER_COMMAND, commandBody("NOBODY", "knows"))),
      frame(script.message(INNER_COMMAND, "")),
      frame(script.message(INNER_COMMAND, "\xffshort")),
      frame(script.message(INNER_COMMAND, commandBody("PING", "\0"))),
      frame(script.message(INNER_COMMAND | MORE, commandBody("PONG", "nothing"))),
      script.seal(0, "foreign"),
    );
    await until(() => rig.state.foreign === 4, "the messages among them come");
    expect(peer.ended).toBe(false);
    await rig.unharmed();
  });

  it("messages glued behind INITIATE, before READY is there, come in order (C24)", async () => {
    const { rig } = await letIn();
    const peer = await rawDial(rig.endpoint);
    const script = new CurveClient(SERVER.publicKey, PUSH, CLIENT);
    peer.write(greeting(script.greeting));
    await peer.readGreeting();
    peer.write(script.begin());
    const { body } = await peer.readFrame();
    const initiate = script.next(body);
    peer.write(initiate, script.seal(MORE, "foreign"), script.seal(0, "x".repeat(MIB)));
    await until(() => rig.state.foreign === 1, "the message comes");
    await rig.unharmed();
  });
});
