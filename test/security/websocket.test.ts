/**
 * Hostile and broken WebSocket peers: each is closed with the right code and told by an event, costs a bounded amount, and
 * good peers are served meanwhile. Titles cite the sections of the Autobahn test suite where it has them.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push, Reply, XPublisher } from "../../src/index.js";
import { managed, record, texts, until } from "../support/helpers.js";
import { frame, RawWebSocket, rawReady, rawServer, ready } from "../support/raw-websocket.js";

/** A bound Pull with a good peer, which must be served to the end. */
async function scene(options: object = {}) {
  const pull = managed(new Pull(options));
  const events = record(pull);
  const endpoint = await pull.bind("ws://127.0.0.1:*");
  const good = managed(new Push());
  good.connect(endpoint);
  await good.connected({ timeout: 20_000 });
  const served = async () => {
    await good.send("still here");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["still here"]);
  };
  return { pull, events, endpoint, served };
}

/** The code of the next Close frame. */
async function closeCode(raw: RawWebSocket): Promise<number> {
  for (;;) {
    const { opcode, payload } = await raw.next();
    if (opcode === 8) return payload.length === 0 ? 1005 : payload.readUInt16BE(0);
  }
}

const close = (code: number, reason: Buffer | string = "") =>
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);

describe("a client that breaks RFC 6455 is closed with a code", () => {
  it.each([
    ["1.1 a text message (X9)", [frame(1, "hello")], 1003, "text"],
    ["1.2 an empty binary message (X9)", [frame(2)], 1002, "empty"],
    ["an unmasked frame (X9)", [frame(2, "\x00x", { masked: false })], 1002, "without a mask"],
    ["2.5 a ping of 126 bytes", [frame(9, "x".repeat(126))], 1002, "126 bytes"],
    ["3.1 reserved bit 3", [frame(2, "\x00x", { reserved: 0x10 })], 1002, "reserved"],
    ["3.2 reserved bit 2", [frame(9), frame(2, "\x00x", { reserved: 0x20 })], 1002, "reserved"],
    [
      "3.4 reserved bit 1, which is compression (X12)",
      [frame(2, "\x00x", { reserved: 0x40 })],
      1002,
      "reserved",
    ],
    ["4.1.1 opcode 3", [frame(3)], 1002, "opcode 3"],
    ["4.1.5 opcode 7", [frame(7, "x")], 1002, "opcode 7"],
    ["4.2.1 opcode 11", [frame(11)], 1002, "opcode 11"],
    ["4.2.5 opcode 15", [frame(15, "x")], 1002, "opcode 15"],
    [
      "5.1 a ping in fragments",
      [frame(9, "a", { fin: false }), frame(0, "b")],
      1002,
      "control frame in fragments",
    ],
    ["5.9 a continuation of nothing", [frame(0, "x")], 1002, "continues nothing"],
    ["5.18 a message inside another", [frame(2, "\x00a", { fin: false }), frame(2, "\x00b")], 1002, "inside"],
    ["5.x fragments of text", [frame(1, "a", { fin: false })], 1003, "text"],
    ["an empty message in fragments", [frame(2, "", { fin: false }), frame(0)], 1002, "empty"],
    ["7.3.2 a Close with half a code", [frame(8, "x")], 1002, "half a code"],
    [
      "7.5.1 a Close whose reason is not UTF-8",
      [frame(8, close(1000, Buffer.from([0xce, 0xba, 0xff])))],
      1007,
      "UTF-8",
    ],
    ["7.9.1 a Close with code 0", [frame(8, close(0))], 1002, "code 0"],
    ["7.9.3 a Close with code 1005", [frame(8, close(1005))], 1002, "code 1005"],
    ["7.9.9 a Close with code 2999", [frame(8, close(2999))], 1002, "code 2999"],
    ["7.3.6 a Close of 126 bytes", [frame(8, close(1000, "x".repeat(124)))], 1002, "126 bytes"],
  ] as const)("%s", async (_, frames, code, text) => {
    const { endpoint, events, served } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    await events.next("handshake", 2);
    raw.send(...frames);
    expect(await closeCode(raw)).toBe(code);
    const { error } = await events.next("handshake:error:protocol");
    expect(error).toMatchObject({ code: "websocket" });
    expect(error!.message).toContain(text);
    await events.next("disconnect");
    await served();
  });

  it("9.x a part above maxMessageSize: 1009, and the event has its size (E15)", async () => {
    for (const frames of [
      [frame(2, "", { length: 5001 })],
      [frame(2, `\x00${"x".repeat(3000)}`, { fin: false }), frame(0, "x".repeat(3000))],
    ]) {
      const { endpoint, events, served } = await scene({ maxMessageSize: 4096 });
      const raw = await rawReady(endpoint, "PUSH");
      await events.next("handshake", 2);
      raw.send(...frames);
      if (frames.length === 1) raw.socket.write("\x00".repeat(5));
      expect(await closeCode(raw)).toBe(1009);
      expect((await events.next("handshake:error:protocol")).error!.message).toMatch(
        /4096|4097|5000|maxMessageSize/,
      );
      await served();
    }
  });

  it("a length of 2 ** 63 allocates nothing (E4)", async () => {
    const { endpoint, events, served } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    await events.next("handshake", 2);
    raw.socket.write(
      Buffer.concat([Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4]), Buffer.alloc(64)]),
    );
    expect(await closeCode(raw)).toBe(1009);
    await served();
  });
});

describe("what RFC 6455 allows is served", () => {
  it("2.x pings are answered with their payload, empty ones too (X11)", async () => {
    const { endpoint } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    for (const payload of ["", "hello", "x".repeat(125)]) {
      raw.send(frame(9, payload));
      expect(await raw.next()).toMatchObject({ opcode: 10, masked: false, payload: Buffer.from(payload) });
    }
    raw.send(frame(9, "first"), frame(9, "second"));
    expect((await raw.next()).payload.toString()).toBe("second");
    raw.send(frame(10, "unasked")); // 2.7
    raw.send(frame(9, "alive"));
    expect((await raw.next()).payload.toString()).toBe("alive");
  });

  it("5.x messages in fragments, with pings between, byte by byte (X10)", async () => {
    const { pull, endpoint } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    raw.send(
      frame(2, "\x01fr", { fin: false }),
      frame(9, "p"),
      frame(0, "", { fin: false }),
      frame(0, "agments"),
    );
    for (const byte of Buffer.concat([frame(2, "", { fin: false }), frame(0, "\x00end")]))
      raw.socket.write(Buffer.of(byte));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["fragments", "end"]);
    const big = Buffer.alloc(300_000, 7);
    raw.send(frame(2, "\x00", { fin: false }));
    for (let i = 0; i < 100; i++)
      raw.send(frame(0, big.subarray(i * 3000, (i + 1) * 3000), { fin: i === 99 }));
    expect((await pull.receive({ timeout: 20_000 }))[0].equals(big)).toBe(true);
  });

  it("whole messages in any pieces are the same (E11)", async () => {
    const { pull, endpoint } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    const sizes = [0, 1, 124, 125, 126, 300, 20_000, 70_000];
    const bytes = Buffer.concat(sizes.map((size) => frame(2, `\x00${"abc".repeat(size).slice(0, size)}`)));
    for (const step of [1013, 7, 4096, 65_537]) {
      for (let at = 0; at < bytes.length; at += step) {
        raw.socket.write(bytes.subarray(at, at + step));
        if (step > 1000) await new Promise(setImmediate);
      }
      for (const size of sizes) {
        const [part] = await pull.receive({ timeout: 20_000 });
        expect(part.length).toBe(size);
        expect(part.toString()).toBe("abc".repeat(size).slice(0, size));
      }
    }
  });

  it.each([1000, 1001, 3000, 4999])("7.7 a Close with code %s is answered with it", async (code) => {
    const { endpoint, events } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    await events.next("handshake", 2);
    raw.send(frame(8, close(code, "bye")));
    expect(await closeCode(raw)).toBe(code);
    await events.next("disconnect");
    expect(events.of("handshake:error:")).toEqual([]);
  });
});

describe("a server that breaks RFC 6455", () => {
  it.each([
    ["masks its frames", "ZWS2.0/NULL", frame(2, ready("PULL")), /with a mask/],
    ["sends text", "ZWS2.0/NULL", frame(1, "hello", { masked: false }), /text/],
    [
      "begins with a message instead of READY",
      "ZWS2.0/NULL",
      frame(2, "\x00hello", { masked: false }),
      /READY|unexpected/,
    ],
    ["has no identity to begin with", "ZWS2.0", frame(2, "\x05hello", { masked: false }), /identity/],
  ] as const)("%s: an event, and dialled again slowly (D8)", async (_, protocol, bytes, text) => {
    const { endpoint, accepted } = await rawServer(protocol);
    const push = managed(new Push({ reconnectInterval: 20 }));
    const events = record(push);
    push.connect(endpoint);
    const raw = await accepted;
    raw.send(bytes);
    const { error } = await events.next("handshake:error:protocol");
    expect(error!.message).toMatch(text);
    expect((await events.next("connect:retry")).interval).toBeGreaterThanOrEqual(20);
  });
});

describe("floods", () => {
  it("connections that stay silent end after handshakeInterval, each with an event (X14)", async () => {
    const { endpoint, events, served } = await scene({ handshakeInterval: 300 });
    const raws = await Promise.all(Array.from({ length: 20 }, () => RawWebSocket.connect(endpoint)));
    raws[0].socket.write("GET / HTTP/1.1\r\nHost");
    const open = await RawWebSocket.ask(endpoint); // a WebSocket, and then silence
    await Promise.all([...raws, open.raw].map((raw) => raw.closed()));
    expect((await events.next("accept:error", 20)).error!.message).toContain("handshakeInterval");
    expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "handshake-timeout" });
    await served();
  });

  it("500 silent connections keep nobody out: maxHandshakes drops the slow", async () => {
    const { endpoint, events, served } = await scene({ maxHandshakes: 20, handshakeInterval: 1000 });
    const raws: RawWebSocket[] = [];
    for (let i = 0; i < 500; i++) raws.push(await RawWebSocket.connect(endpoint));
    await until(() => raws.filter((raw) => !raw.ended).length <= 20, "the drop of what is too much");
    expect((await events.next("accept:error")).error!.message).toMatch(/maxHandshakes|handshakeInterval/);
    await served();
    await until(() => raws.every((raw) => raw.ended), "the end of all");
    const late = managed(new Push());
    late.connect(endpoint);
    await late.connected({ timeout: 20_000 });
  });

  it("headers of 1 MB end at 16 KiB (431)", async () => {
    const { endpoint, events, served } = await scene();
    const raw = await RawWebSocket.connect(endpoint);
    raw.socket.write("GET / HTTP/1.1\r\n");
    for (let i = 0; i < 1000 && !raw.ended; i++) raw.socket.write(`X-${i}: ${"x".repeat(1000)}\r\n`);
    expect(await raw.head()).toMatch(/^HTTP\/1\.1 431 /);
    expect((await events.next("accept:error")).error!.message).toContain("431");
    await served();
  });

  it.each([
    "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "POST / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nbad header\r\n\r\n",
    "\xff\x00\x00\r\n\r\n",
  ])("what is not a request (%j) is closed", async (bytes) => {
    const { endpoint, events, served } = await scene();
    const raw = await RawWebSocket.connect(endpoint);
    raw.socket.write(Buffer.from(bytes, "latin1"));
    await raw.closed();
    await events.next("accept:error");
    await served();
  });

  it("a million pings that nobody reads the answers of cost nothing that stays", async () => {
    const { endpoint, served } = await scene();
    const raw = await rawReady(endpoint, "PUSH");
    raw.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frame(9, "x".repeat(20))));
    global.gc!();
    const before = process.memoryUsage();
    for (let i = 0; i < 100; i++) {
      if (!raw.socket.write(pings)) await new Promise((resolve) => raw.socket.once("drain", resolve));
    }
    await served();
    global.gc!();
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(16e6);
  });

  it("fragments without end: messageTimeout ends what makes no progress, maxMessageSize what does", async () => {
    const { endpoint, events, served } = await scene({ messageTimeout: 300, maxMessageSize: 100_000 });
    const [stuck, eager] = [await rawReady(endpoint, "PUSH"), await rawReady(endpoint, "PUSH")];
    await events.next("handshake", 3);
    stuck.send(frame(2, "\x00", { fin: false }));
    const trickle = setInterval(() => stuck.send(frame(0, "", { fin: false })), 50);
    try {
      eager.send(frame(2, "\x00", { fin: false }));
      for (let i = 0; i < 200 && !eager.ended; i++) eager.send(frame(0, "x".repeat(1000), { fin: false }));
      expect(await closeCode(eager)).toBe(1009);
      expect((await events.next("limit")).limit).toBe("messageTimeout");
      await stuck.closed();
    } finally {
      clearInterval(trickle);
    }
    await served();
  });

  it("a peer that does not answer heartbeats is closed: pages get the WebSocket's own pings", async () => {
    const pull = managed(new Pull({ heartbeatInterval: 50, heartbeatTimeout: 300 }));
    const events = record(pull);
    const { raw } = await RawWebSocket.ask(await pull.bind("ws://127.0.0.1:*"), { protocol: "ZWS2.0" });
    raw.say("\x00");
    await raw.next(); // its identity
    const ping = await raw.next();
    expect(ping.opcode).toBe(9);
    raw.send(frame(10, ping.payload));
    expect((await raw.next()).opcode).toBe(9); // proven: from now on silence counts
    await raw.closed();
    expect((await events.next("disconnect")).error).toMatchObject({ code: "heartbeat-timeout" });
  });

  it("subscriptions have their limits over ws, too", async () => {
    const publisher = managed(new XPublisher({ maxTopicsPerPeer: 10 }));
    const events = record(publisher);
    const raw = await rawReady(await publisher.bind("ws://127.0.0.1:*"), "SUB");
    for (let i = 0; i < 20; i++) raw.say(`\x00\x01topic ${i}`);
    expect((await events.next("limit")).limit).toBe("maxTopicsPerPeer");
  });

  it("maxConnections refuses with 503 before the WebSocket is open", async () => {
    const reply = managed(new Reply({ maxConnections: 1 }));
    const events = record(reply);
    const endpoint = await reply.bind("ws://127.0.0.1:*");
    await rawReady(endpoint, "REQ");
    await events.next("handshake");
    const { head } = await RawWebSocket.ask(endpoint);
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    expect((await events.next("limit")).limit).toBe("maxConnections");
  });
});
