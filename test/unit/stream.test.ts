/**
 * The Stream contract, the same for both engines: byte mode, frame mode, limits, pause, gathered and pending writes,
 * ends. The far side is a plain node:net socket, so that bytes arrive exactly as a test says.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { EngineAcceptor, StreamEngine } from "../../src/transport/contract/stream-engine.js";
import type { Stream, TransportOptions } from "../../src/transport/contract/transport.js";
import { addon } from "../../src/transport/native/addon.js";
import { nativeEngine } from "../../src/transport/native/engine.js";
import type { NativeStream } from "../../src/transport/native/stream.js";
import { portableEngine } from "../../src/transport/node/engine.js";
import { until } from "../support/helpers.js";
import { Recorder, WIDE } from "../support/recorder.js";

const OPTIONS: TransportOptions = {
  connectTimeout: 0,
  sendBufferSize: -1,
  receiveBufferSize: -1,
  tcpKeepalive: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveInterval: -1,
  backlog: 10,
  ipv6: false,
  typeOfService: 0,
  interface: null,
  priority: 0,
  busyPoll: 0,
  tcpMaxRetransmitTimeout: 0,
  socksProxy: null,
  socksUsername: null,
  socksPassword: null,
  handshakeInterval: 30_000,
  tcpAcceptFilter: [],
  ipcFilterUserIds: [],
  ipcFilterGroupIds: [],
  ipcFilterProcessIds: [],
  ipcFileMode: null,
  useFd: -1,
  tls: null,
  security: { mechanism: "NULL" },
  maxHandshakes: 0,
  allowedOrigins: null,
  perMessageDeflate: false,
  maxMessageSize: -1,
};
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Rig {
  stream: Stream;
  far: Socket;
  heard: Recorder;
}

/** Our stream, accepted or dialled, and a node:net socket at the other end. */
async function pair(engine: StreamEngine, dialled = false): Promise<Rig> {
  const heard = new Recorder();
  let stream: Stream;
  let far: Socket;
  if (dialled) {
    const server: Server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const accepted = once(server, "connection");
    stream = await engine.connectTcp(
      { host: "127.0.0.1", port },
      OPTIONS,
      new AbortController().signal,
      true,
    );
    [far] = (await accepted) as [Socket];
    cleanups.push(() => server.close());
  } else {
    const streams: Stream[] = [];
    const handler = {
      onStream: (one: Stream) => streams.push(one),
      onError: (error: Error) => expect.fail(String(error)),
    };
    const acceptor: EngineAcceptor = await engine.listenTcp("127.0.0.1", 0, OPTIONS, handler);
    far = connect(acceptor.port, "127.0.0.1");
    await until(() => streams.length === 1, "a connection");
    [stream] = streams;
    cleanups.push(() => void acceptor.close());
  }
  far.setNoDelay(true);
  far.on("error", () => {}); // resets are part of the tests; what our side says is looked at
  cleanups.push(() => {
    stream.close();
    far.destroy();
  });
  return { stream, far, heard };
}

function frame(body: Buffer, flags = 0): Buffer {
  const header = Buffer.alloc(body.length > 255 ? 9 : 2);
  header[0] = flags | (body.length > 255 ? 2 : 0);
  if (body.length > 255) header.writeBigUInt64BE(BigInt(body.length), 1);
  else header[1] = body.length;
  return Buffer.concat([header, body]);
}

const summary = (heard: Recorder): string[] =>
  heard.frames.map(({ flags, body }) => `${flags}:${body.length}:${body.toString("hex", 0, 4)}`);

describe.each([
  ["native", nativeEngine()],
  ["portable", portableEngine],
] as const)("Stream on the %s engine", (name, candidate) => {
  it("is there", () => {
    expect(candidate?.name).toBe(name);
  });
  const engine = candidate as StreamEngine;

  it.each([false, true])("byte mode hands out octets as they came (dialled: %s)", async (dialled) => {
    const { stream, far, heard } = await pair(engine, dialled);
    stream.start(heard);
    far.write("hello ");
    far.write("world");
    await until(() => Buffer.concat(heard.bytes).length === 11, "eleven octets");
    expect(Buffer.concat(heard.bytes).toString()).toBe("hello world");
    expect(stream.remoteAddress).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    expect(stream.localAddress).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  });

  it("who sends little beside busy neighbours does not fall further behind with every turn", async () => {
    // Two frames of them are more than all connections together may have of a turn: it is served every other turn.
    class Spinner extends Recorder {
      override onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
        super.onFrames(chunk, table, count);
        for (const end = performance.now() + 5 * count; performance.now() < end; );
      }
    }
    const spinner = new Spinner();
    const busy = await Promise.all(Array.from({ length: 3 }, () => pair(engine)));
    const quiet = await pair(engine);
    for (const { stream } of busy) {
      stream.start(spinner);
      stream.startFrames(WIDE, Buffer.alloc(0));
    }
    quiet.stream.start(quiet.heard);
    quiet.stream.startFrames(WIDE, Buffer.alloc(0));
    const much = Array.from({ length: 300 }, () => frame(Buffer.alloc(3000)));
    for (const { far } of busy) far.write(Buffer.concat(much));
    await until(() => spinner.frames.length > 0, "the neighbours are busy");
    let behind = 0;
    for (let sent = 1; sent <= 60; sent++) {
      quiet.far.write(frame(Buffer.from("quiet")));
      await new Promise(setImmediate);
      behind = Math.max(behind, sent - quiet.heard.frames.length);
    }
    expect(spinner.frames.length, "busy to the end").toBeLessThan(3 * much.length);
    expect(behind).toBeLessThan(10);
  });

  const wire = Buffer.concat([
    frame(Buffer.from("a"), 1),
    frame(Buffer.alloc(0), 1),
    frame(Buffer.alloc(300, 1)),
    frame(Buffer.from("\x04PING"), 4),
    frame(Buffer.alloc(255, 2), 0xf8),
    frame(Buffer.from("MORE on a command"), 5),
  ]);
  const expected = ["1:1:61", "1:0:", "0:300:01010101", "4:5:0450494e", "0:255:02020202", "4:17:4d4f5245"];

  it("the same frames for every split between the leftover and what arrives (E11)", async () => {
    // Many connections at once: each split is a stream of its own.
    for (let from = 0; from <= wire.length; from += 50) {
      const splits = Array.from({ length: Math.min(50, wire.length + 1 - from) }, (_, i) => from + i);
      await Promise.all(
        splits.map(async (split) => {
          const { stream, far, heard } = await pair(engine);
          stream.start(heard);
          stream.startFrames(WIDE, wire.subarray(0, split));
          far.write(wire.subarray(split));
          await until(() => heard.frames.length === expected.length, `six frames at split ${split}`);
          expect(summary(heard)).toEqual(expected);
          stream.close();
          far.destroy();
        }),
      );
    }
  });

  it("the same frames octet by octet (E11)", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    stream.startFrames(WIDE, Buffer.alloc(0));
    for (const octet of wire) {
      far.write(Buffer.from([octet]));
      await new Promise(setImmediate);
    }
    await until(() => heard.frames.length === expected.length, "six frames");
    expect(summary(heard)).toEqual(expected);
  });

  it("large bodies among small ones arrive whole and in order", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    stream.startFrames(WIDE, Buffer.alloc(0));
    const sizes = [10, 16383, 16384, 16385, 0, 65536, 65536, 3, 1_000_000, 1, 70_000, 40_000_000, 5];
    const bodies = sizes.map((size, i) => Buffer.alloc(size, i + 1));
    for (const body of bodies) far.write(frame(body));
    await until(() => heard.frames.length === sizes.length, "all frames");
    for (const [i, { body }] of heard.frames.entries())
      expect(body.equals(bodies[i]), `frame ${i}`).toBe(true);
    expect(heard.frames.every(({ body }) => Buffer.isBuffer(body))).toBe(true);
  });

  it.each([
    ["E4 a size of 2^63-1", { octets: Buffer.from("027fffffffffffffff", "hex"), limits: WIDE, fault: 1 }],
    [
      "E4 a size with bit 63 set",
      { octets: Buffer.from("02ffffffffffffffff", "hex"), limits: WIDE, fault: 1 },
    ],
    [
      "E15 a part above maxFrameBytes",
      { octets: frame(Buffer.alloc(11)), limits: { ...WIDE, maxFrameBytes: 10 }, fault: 1 },
    ],
    [
      "a command above maxCommandBytes",
      { octets: frame(Buffer.alloc(11), 4), limits: { ...WIDE, maxCommandBytes: 10 }, fault: 2 },
    ],
    [
      "too many parts",
      { octets: Buffer.alloc(8, "0100", "hex"), limits: { ...WIDE, maxParts: 3 }, fault: 3 },
    ],
    [
      "too many octets",
      { octets: Buffer.alloc(16, "01026161", "hex"), limits: { ...WIDE, maxMessageBytes: 3 }, fault: 4 },
    ],
  ])("%s ends the stream behind the frames before it", async (_name, { octets, limits, fault }) => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    stream.startFrames(limits, Buffer.alloc(0));
    far.write(Buffer.concat([frame(Buffer.from("ok")), octets]));
    await until(() => heard.ends.length === 1, "the end");
    expect(heard.ends[0]).toMatchObject({ error: undefined, fault });
    expect(heard.ends[0].octets).toBeGreaterThan(0);
    expect(heard.frames[0].body.toString()).toBe("ok");
  });

  it("a huge announced frame takes no memory ahead of what arrives", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    stream.startFrames(WIDE, Buffer.alloc(0));
    const before = process.memoryUsage().arrayBuffers;
    const header = Buffer.from("020000000000000000", "hex");
    header.writeBigUInt64BE(BigInt(2 ** 31 - 1), 1);
    far.write(Buffer.concat([header, Buffer.alloc(100_000)]));
    await until(() => far.bytesWritten > 100_000 && far.writableLength === 0, "written");
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    expect(heard.ends).toEqual([]);
  });

  it("pause holds reading back, resume goes on", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    stream.startFrames(WIDE, Buffer.alloc(0));
    stream.pause();
    for (let i = 0; i < 200; i++) far.write(frame(Buffer.alloc(100_000, i)));
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    expect(heard.frames.length).toBeLessThan(10);
    stream.resume();
    await until(() => heard.frames.length === 200, "all frames");
    expect(heard.frames.map(({ body }) => body[0])).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it("a gathered write that the kernel takes in part drains once, and nothing is missing", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    far.pause();
    const segments = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(5000, i));
    expect(stream.write(segments)).toBeGreaterThan(0);
    const chunks: Buffer[] = [];
    far.on("data", (chunk) => chunks.push(chunk));
    far.resume();
    await until(() => heard.drains === 1, "a drain");
    await until(() => chunks.reduce((sum, chunk) => sum + chunk.length, 0) === 15_000_000, "all octets");
    expect(Buffer.concat(chunks).equals(Buffer.concat(segments))).toBe(true);
    expect(stream.write([Buffer.from("x")])).toBe(0);
    expect(heard.drains).toBe(1);
  });

  it("tells how much of a broken write the kernel had not taken, and ends once", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    far.pause();
    const left = stream.write([Buffer.alloc(20_000_000, 1)]);
    expect(left).toBeGreaterThan(0);
    far.resetAndDestroy();
    await until(() => heard.ends.length > 0, "the end");
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(heard.ends.length).toBe(1);
    expect(heard.ends[0].error).toMatch(/ECONNRESET|EPIPE/);
    // What node:net was given counts as taken: it does not tell how much of it was.
    const given = name === "native" ? 0 : 4 * 65536;
    expect(heard.ends[0].pending).toBeLessThanOrEqual(left);
    expect(heard.ends[0].pending).toBeGreaterThanOrEqual(left - given);
  });

  it("an orderly close by the peer is no error", async () => {
    const { stream, far, heard } = await pair(engine);
    stream.start(heard);
    far.end("bye");
    await until(() => heard.ends.length === 1, "the end");
    expect(heard.ends[0]).toMatchObject({ error: undefined, fault: 0 });
    expect(Buffer.concat(heard.bytes).toString()).toBe("bye");
  });

  it("says nothing after close, also when closed inside a callback", async () => {
    const { stream, far, heard } = await pair(engine);
    heard.onFrames = () => {
      heard.drains++;
      stream.close();
      stream.close();
    };
    stream.start(heard);
    stream.startFrames(WIDE, Buffer.alloc(0));
    const closed = new Promise((resolve) => far.once("close", resolve));
    far.resume();
    for (let i = 0; i < 100; i++) far.write(frame(Buffer.alloc(1000)));
    await closed;
    expect(heard.drains).toBe(1);
    expect(heard.ends).toEqual([]);
  });

  it("a refused connection rejects with ECONNREFUSED, an aborted one with the reason", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, "close");
    const target = { host: "127.0.0.1", port };
    await expect(
      engine.connectTcp(target, OPTIONS, new AbortController().signal, true),
    ).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
    const abort = new AbortController();
    const attempt = engine.connectTcp(target, OPTIONS, abort.signal, true);
    abort.abort(new Error("enough"));
    await expect(attempt).rejects.toThrow(/enough|refused/i);
  });
});

describe("native engine", () => {
  it("socket options reach the kernel (R11)", async () => {
    const engine = nativeEngine() as StreamEngine;
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const options = {
      ...OPTIONS,
      tcpKeepalive: 1,
      tcpKeepaliveCount: 4,
      tcpKeepaliveIdle: 33,
      tcpKeepaliveInterval: 7,
      sendBufferSize: 30_000,
      receiveBufferSize: 40_000,
    };
    const stream = (await engine.connectTcp(
      { host: "127.0.0.1", port },
      options,
      new AbortController().signal,
      true,
    )) as NativeStream;
    // Linux numbers: SOL_SOCKET 1 (SO_KEEPALIVE 9, SO_SNDBUF 7, SO_RCVBUF 8), IPPROTO_TCP 6 (NODELAY 1, IDLE 4, INTVL 5, CNT 6).
    if (process.platform === "linux") {
      expect(stream.getSocketOption(1, 9)).toBe(1);
      expect(stream.getSocketOption(6, 1)).toBe(1); // G17
      expect(stream.getSocketOption(6, 4)).toBe(33);
      expect(stream.getSocketOption(6, 5)).toBe(7);
      expect(stream.getSocketOption(6, 6)).toBe(4);
      expect(stream.getSocketOption(1, 7)).toBe(60_000); // the kernel doubles it
      expect(stream.getSocketOption(1, 8)).toBe(80_000);
    }
    stream.close();
    server.close();
  });

  it("refuses wrong arguments with a TypeError instead of crashing", () => {
    const { Stream: NativeStream } = requireAddon();
    expect(() => new NativeStream(99)).toThrow(TypeError);
    nativeEngine(); // which registers with the addon first
    const stream = new NativeStream(0);
    for (const call of [
      "setOwner",
      "connectTcp",
      "connectPipe",
      "startFrames",
      "write",
      "writev",
      "getSocketOption",
    ]) {
      expect(() => (stream as never as Record<string, () => void>)[call](), call).toThrow(TypeError);
    }
    expect(() => stream.write("text" as never)).toThrow(TypeError);
    expect(() => stream.writev([1] as never)).toThrow(TypeError);
  });
});

function requireAddon() {
  const native = addon();
  if (native === undefined) throw new Error("the addon is not built");
  return native;
}
