/** Compressed messages that are meant to harm: bounded in memory and time, told by an event, and good peers are served. */
import { deflateRawSync, constants as zlib } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, record, texts } from "../support/helpers.js";
import { frame, RawWebSocket, ready } from "../support/raw-websocket.js";

const MIB = 1024 * 1024;
const OFFER = { headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" } };

/** As a message of permessage-deflate carries it. */
function packed(message: Buffer | string): Buffer {
  return deflateRawSync(message, { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Zeros that get a thousand times smaller. */
function bomb(bytes: number): Buffer {
  return packed(Buffer.alloc(bytes));
}

const compressed = (payload: Buffer | string, options = {}) =>
  frame(2, payload, { reserved: 0x40, ...options });

async function scene(options: object = {}) {
  const pull = managed(new Pull({ perMessageDeflate: true, ...options }));
  const events = record(pull);
  const endpoint = await pull.bind("ws://127.0.0.1:*");
  const good = managed(new Push({ perMessageDeflate: { threshold: 0 } }));
  good.connect(endpoint);
  await good.connected({ timeout: 20_000 });
  const served = async () => {
    await good.send("still here");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["still here"]);
  };
  return { pull, events, endpoint, good, served };
}

/** A WebSocket that may compress, whose handshake is complete. */
async function hostile(endpoint: string): Promise<RawWebSocket> {
  const { raw } = await RawWebSocket.ask(endpoint, OFFER);
  await raw.next();
  raw.say(ready("PUSH"));
  return raw;
}

async function closeCode(raw: RawWebSocket): Promise<number> {
  for (;;) {
    const { opcode, payload } = await raw.next();
    if (opcode === 8) return payload.readUInt16BE(0);
  }
}

/** The longest that the event loop stood still, in milliseconds, and the most memory more, until `done`. */
async function watched(done: Promise<unknown>): Promise<{ stoodMs: number; grewBytes: number }> {
  const used = () => process.memoryUsage().rss;
  const before = used();
  let [stoodMs, grewBytes, last] = [0, 0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    stoodMs = Math.max(stoodMs, now - last);
    grewBytes = Math.max(grewBytes, used() - before);
    last = now;
  }, 2);
  await done;
  clearInterval(timer);
  return { stoodMs, grewBytes };
}

describe("compression bombs", () => {
  it.each([
    ["1 GiB without maxMessageSize, which unpacks to 16 MiB at most", {}, bombOfBombs()],
    ["20 MiB where 1 MiB is allowed", { maxMessageSize: MIB }, bomb(20 * MIB)],
    ["5 KiB where 4 KiB are allowed", { maxMessageSize: 4096 }, bomb(5000)],
    ["1 byte too many", { maxMessageSize: 4096 }, bomb(4098)],
  ] as const)("%s: 1009, with an event, and little memory", async (_, options, payload) => {
    const { endpoint, events, served } = await scene(options);
    const raw = await hostile(endpoint);
    await events.next("handshake", 2);
    raw.send(compressed(payload));
    const { grewBytes } = await watched(closeCode(raw).then((code) => expect(code).toBe(1009)));
    expect(grewBytes).toBeLessThan(150 * MIB);
    const { error } = await events.next("handshake:error:protocol");
    expect(error).toMatchObject({ code: "websocket" });
    expect(error!.message).toMatch(/unpacks to more than \d+ bytes|a message of more than \d+ bytes/);
    await events.next("disconnect");
    await served();
  });

  it("what is just allowed is served, with and without maxMessageSize", async () => {
    for (const [options, bytes] of [
      [{ maxMessageSize: 4096 }, 4096],
      [{}, 16 * MIB],
      [{ maxMessageSize: 20 * MIB }, 20 * MIB],
    ] as const) {
      const { pull, endpoint } = await scene(options);
      const raw = await hostile(endpoint);
      raw.send(compressed(bomb(bytes + 1)));
      expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(bytes);
    }
  });

  it("12 connections with one of 16 MiB each: two are unpacked at a time, and the queues have their limit", async () => {
    const { pull, endpoint, events } = await scene({ maxQueuedBytes: 64 * MIB });
    const payload = compressed(bomb(16 * MIB));
    const attackers = await Promise.all(Array.from({ length: 12 }, () => hostile(endpoint)));
    await events.next("handshake", 13);
    const before = process.memoryUsage().rss;
    const all = (async () => {
      for (const raw of attackers) raw.send(payload);
      for (let i = 0; i < 12; i++)
        expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(16 * MIB - 1);
    })();
    const { stoodMs } = await watched(all);
    expect(stoodMs).toBeLessThan(1000);
    expect(process.memoryUsage().rss - before).toBeLessThan(500 * MIB);
  });

  it("many small ones in a few bytes: timers and good peers have their turn, and the mark holds", async () => {
    const { pull, endpoint, events, served } = await scene({ receiveHighWaterMark: 10 });
    const raw = await hostile(endpoint);
    await events.next("handshake", 2);
    const one = compressed(bomb(60_000));
    raw.send(Buffer.concat(Array.from({ length: 1000 }, () => one))); // 60 MB in 80 KB
    const { stoodMs, grewBytes } = await watched(new Promise((over) => setTimeout(over, 700)));
    expect(grewBytes).toBeLessThan(40 * MIB);
    expect(pull.stats.receiveQueue).toBeLessThan(30);
    expect(stoodMs).toBeLessThan(300);
    for (let i = 0; i < 1000; i++)
      expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(60_000 - 1);
    await served();
  });

  it("an identity, and a command of the handshake, have small limits", async () => {
    for (const [asking, bytes] of [
      [{ ...OFFER, protocol: "ZWS2.0" }, 4000],
      [OFFER, 200_000],
    ] as const) {
      const { endpoint, events, served } = await scene();
      const { raw } = await RawWebSocket.ask(endpoint, asking);
      await events.next("handshake");
      raw.send(compressed(bomb(bytes)));
      expect(await closeCode(raw)).toBe(1009);
      await events.next("handshake:error:protocol");
      await served();
    }
  });
});

/** What unpacks to 1 GiB: the message for 16 MiB, 64 times. */
function bombOfBombs(): Buffer {
  const part = deflateRawSync(Buffer.alloc(16 * MIB), { finishFlush: zlib.Z_FULL_FLUSH });
  return Buffer.concat(Array.from({ length: 64 }, () => part));
}

describe("what is not right is closed with a code", () => {
  const fine = packed("\x00fine");
  it.each([
    ["bytes that are not compressed", [compressed("\x07\xff\xff\xffnonsense")], 1007, "cannot be unpacked"],
    [
      "large ones that break off in the middle of nonsense",
      [compressed(Buffer.alloc(100_000, 0x07))],
      1007,
      "cannot be unpacked",
    ],
    ["a message of nothing", [compressed(packed(""))], 1002, "empty"],
    ["a compressed text", [frame(1, packed("x"), { reserved: 0x40 })], 1003, "text"],
    ["a compressed ping", [frame(9, packed("x"), { reserved: 0x40 })], 1002, "does not begin a message"],
    [
      "a continuation that says it is compressed",
      [compressed(fine.subarray(0, 2), { fin: false }), frame(0, fine.subarray(2), { reserved: 0x40 })],
      1002,
      "does not begin a message",
    ],
    ["another reserved bit", [frame(2, fine, { reserved: 0x60 })], 1002, "no extension uses"],
  ] as const)("%s", async (_, frames, code, text) => {
    const { endpoint, events, served } = await scene();
    const raw = await hostile(endpoint);
    await events.next("handshake", 2);
    raw.send(...frames);
    expect(await closeCode(raw)).toBe(code);
    expect((await events.next("handshake:error:protocol")).error!.message).toContain(text);
    await events.next("disconnect");
    await served();
  });

  it("fragments of a compressed message without end stop at the limit", async () => {
    const { endpoint, events, served } = await scene({ maxMessageSize: 100_000 });
    const raw = await hostile(endpoint);
    await events.next("handshake", 2);
    raw.send(compressed("\x00", { fin: false }));
    for (let i = 0; i < 20; i++) raw.send(frame(0, Buffer.alloc(10_000), { fin: false }));
    expect(await closeCode(raw)).toBe(1009);
    await served();
  });

  it("who leaves while its message is unpacked harms nobody, and what it sent before is heard", async () => {
    const { pull, endpoint, events, good } = await scene();
    const raw = await hostile(endpoint);
    await events.next("handshake", 2);
    raw.send(compressed(bomb(8 * MIB)), compressed(packed("\x00last")));
    raw.socket.end();
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(8 * MIB - 1);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["last"]);
    await events.next("disconnect");
    for (let i = 0; i < 5; i++) {
      const other = await hostile(endpoint);
      other.send(compressed(bomb(8 * MIB)), compressed(bomb(8 * MIB)));
      other.socket.resetAndDestroy();
    }
    await good.send("still here");
    // What was whole when its connection broke may come, too.
    for (;;) if ((await pull.receive({ timeout: 20_000 }))[0].length < 100) break;
  });
});
