/**
 * The addon by itself: streams, acceptors and the frame decoder behind them, as src/native.ts types them. What a
 * process or a worker does at its end is tried in children. Knows nothing of ZMTP beyond frames, nor of sessions.
 * Longer than most files: one contract, one harness.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type Addon,
  addon,
  addonError,
  FRAME_TABLE_ENTRIES,
  type NativeAcceptorHandle,
  type NativeSocketOptions,
  type NativeStreamHandle,
} from "../../src/transport/native/addon.js";
import { until } from "../support/helpers.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const linux = process.platform === "linux";
const hasIPv6 = networkInterfaces().lo?.some((one) => one.family === "IPv6") ?? !linux;
if (!hasIPv6) console.log("skipped: this machine has no IPv6 loopback");
if (!linux) console.log("skipped: abstract names exist on Linux only");

const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const EOF = -4095;
const SOL_SOCKET = linux ? 1 : 0xffff;
const SO_SNDBUF = linux ? 7 : 0x1001;
const SO_RCVBUF = linux ? 8 : 0x1002;
const SO_KEEPALIVE = linux ? 9 : 8;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPINTVL = linux ? 5 : 0x101;
const MEBIBYTE = 1024 * 1024;
const UNLIMITED = 2 ** 53 - 1;

const DEFAULTS: NativeSocketOptions = {
  sendBufferSize: -1,
  receiveBufferSize: -1,
  tcpKeepalive: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveInterval: -1,
};

const native = addon() as Addon;
if (native === undefined) throw new Error("the addon is not built", { cause: addonError() });
const table = new Uint32Array(FRAME_TABLE_ENTRIES * 3);
/** A callback that calls the method of the same name on its owner. */
function handedOn(name: string) {
  return function (this: unknown, ...args: unknown[]): void {
    (this as Record<string, (...args: unknown[]) => void>)[name](...args);
  };
}
const binding = native.init(table, {
  onConnect: handedOn("onConnect"),
  onBytes: handedOn("onBytes"),
  onMemory: handedOn("onMemory"),
  onFrames: handedOn("onFrames"),
  onLargeFrame: handedOn("onLargeFrame"),
  onDrain: handedOn("onDrain"),
  onClose: handedOn("onClose"),
  onAccept: handedOn("onAccept"),
  onShared: () => {},
});

interface Frame {
  flags: number;
  body: Buffer;
}

/** A stream's owner that keeps what it is told. `during` runs inside each callback. */
class Side {
  readonly handle: NativeStreamHandle;
  connects: number[] = [];
  bytes: Buffer[] = [];
  frames: Frame[] = [];
  batches: number[] = [];
  largeFrames = 0;
  drains = 0;
  closes: [status: number, fault: number, pending: number][] = [];
  calls: string[] = [];
  during: (name: string) => void = () => {};

  constructor(handle = new native.Stream(binding)) {
    this.handle = handle;
    handle.setOwner(this);
    onTestFinished(() => handle.close());
  }
  #called(name: string): void {
    this.calls.push(name);
    this.during(name);
  }
  onConnect(status: number): void {
    this.connects.push(status);
    this.#called("onConnect");
  }
  onBytes(chunk: Buffer): void {
    this.bytes.push(chunk);
    this.#called("onBytes");
  }
  onFrames(chunk: Buffer, count: number): void {
    for (let i = 0; i < count * 3; i += 3) {
      if (table[i] + table[i + 1] > chunk.length) throw new Error("a frame beyond its chunk");
      this.frames.push({ flags: table[i + 2], body: chunk.subarray(table[i], table[i] + table[i + 1]) });
    }
    this.batches.push(count);
    this.#called("onFrames");
  }
  onLargeFrame(body: Buffer, flags: number): void {
    expect(Buffer.isBuffer(body)).toBe(true);
    this.frames.push({ flags, body });
    this.largeFrames++;
    this.#called("onLargeFrame");
  }
  onDrain(): void {
    this.drains++;
    this.#called("onDrain");
  }
  onClose(status: number, fault: number, pending: number): void {
    this.closes.push([status, fault, pending]);
    this.#called("onClose");
  }

  /** Frame mode from the first byte on. */
  decode(
    leftover: Uint8Array = Buffer.alloc(0),
    limits: Partial<Record<keyof typeof OPEN, number>> = {},
  ): void {
    const { frame, command, parts, message } = { ...OPEN, ...limits };
    expect(this.handle.startFrames(frame, command, parts, message, leftover)).toBe(0);
    expect(this.handle.start()).toBe(0);
  }
  /** Writes all of it, waiting for each drain. */
  async send(...chunks: Uint8Array[]): Promise<void> {
    const drains = this.drains;
    if (this.handle.writev(chunks) > 0) await until(() => this.drains > drains, "drain");
  }
  received(): Buffer {
    return Buffer.concat(this.bytes);
  }
}
/** A handle whose methods take anything: for calls that TypeScript would not let pass. */
type Loose = Record<string, (...args: unknown[]) => unknown>;

const OPEN = { frame: UNLIMITED, command: UNLIMITED, parts: UNLIMITED, message: UNLIMITED };

/** An acceptor's owner; `accepted` grows with each connection. */
class Listener {
  readonly handle: NativeAcceptorHandle = new native.Acceptor(binding);
  accepted: Side[] = [];
  failures: number[] = [];
  during: (stream: NativeStreamHandle | undefined) => void = () => {};
  constructor() {
    this.handle.setOwner(this);
    onTestFinished(() => this.handle.close());
  }
  onAccept(status: number, stream: NativeStreamHandle | undefined): void {
    if (stream === undefined) this.failures.push(status);
    else this.accepted.push(new Side(stream));
    this.during(stream);
  }
  get port(): number {
    return Number(this.handle.localAddress().split(":").pop());
  }
}

function listen(options: Partial<NativeSocketOptions> = {}, host = "127.0.0.1", ipv6Only = true): Listener {
  const listener = new Listener();
  expect(listener.handle.listenTcp(host, 0, 100, ipv6Only, { ...DEFAULTS, ...options })).toBe(0);
  return listener;
}

async function dial(listener: Listener, options: Partial<NativeSocketOptions> = {}): Promise<[Side, Side]> {
  const near = new Side();
  expect(near.handle.connectTcp("127.0.0.1", listener.port, { ...DEFAULTS, ...options })).toBe(0);
  await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
  expect(near.connects).toEqual([0]);
  return [near, listener.accepted.at(-1) as Side];
}

/** Two ends of one tcp connection, neither reading yet. */
function pair(options: Partial<NativeSocketOptions> = {}): Promise<[Side, Side]> {
  return dial(listen(options), options);
}

function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "zwire-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "socket");
}

function frame(body: Uint8Array | string, flags = 0, long = body.length > 255): Buffer {
  const header = Buffer.alloc(long ? 9 : 2);
  header[0] = flags | (long ? LONG : 0);
  if (long) header.writeBigUInt64BE(BigInt(body.length), 1);
  else header[1] = body.length;
  return Buffer.concat([header, Buffer.from(body)]);
}

function header(size: bigint, flags = 0): Buffer {
  const octets = Buffer.alloc(9);
  octets[0] = flags | LONG;
  octets.writeBigUInt64BE(size, 1);
  return octets;
}

/** Bytes in which a shifted or repeated part shows. */
function pattern(length: number, seed = 1): Buffer {
  const octets = Buffer.allocUnsafe(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    octets[i] = x >>> 16;
  }
  return octets;
}

function expectFrames(actual: Frame[], expected: [body: Uint8Array | string, flags: number][]): void {
  expect(actual.map((one) => [one.body.length, one.flags])).toEqual(expected.map(([b, f]) => [b.length, f]));
  actual.forEach((one, i) => {
    expect(one.body.equals(Buffer.from(expected[i][0])), `body ${i}`).toBe(true);
  });
}

async function collected(what: string, gone: () => boolean): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  await until(() => {
    gc();
    return gone();
  }, what);
}

function call(text: string): string {
  return `const { createRequire } = require("node:module");
    const native = createRequire(${JSON.stringify(join(ROOT, "package.json"))})("node-gyp-build")(${JSON.stringify(ROOT)});
    const options = ${JSON.stringify(DEFAULTS)};
    const table = new Uint32Array(24576);
    const callbacks = {};
    for (const name of ["onConnect", "onBytes", "onFrames", "onLargeFrame", "onDrain", "onClose", "onAccept"])
      callbacks[name] = function (...args) { this[name]?.(...args); };
    callbacks.onShared = callbacks.onMemory = () => {};
    const binding = native.init(table, callbacks);
    function pair(then) {
      const acceptor = new native.Acceptor(binding);
      const near = { handle: new native.Stream(binding) };
      const far = {};
      acceptor.setOwner({ onAccept(status, stream) {
        far.handle = stream; stream.setOwner(far); then(near, far, acceptor);
      } });
      acceptor.listenTcp("127.0.0.1", 0, 10, true, options);
      near.handle.setOwner(near);
      near.handle.connectTcp("127.0.0.1", Number(acceptor.localAddress().split(":")[1]), options);
      near.onConnect = () => {};
    }
    ${text}`;
}

/** Runs a script in a process of its own; gives its end and what it said. */
async function child(
  text: string,
  shell = "",
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> {
  const node = [process.execPath, "-e", call(text)];
  const process_ =
    shell === ""
      ? spawn(node[0], node.slice(1))
      : spawn("/bin/sh", ["-c", `${shell}; exec "$@"`, "sh", ...node]);
  onTestFinished(() => void process_.kill("SIGKILL"));
  let out = "";
  let err = "";
  process_.stdout.on("data", (data) => (out += data));
  process_.stderr.on("data", (data) => (err += data));
  return new Promise((resolve) =>
    process_.on("close", (code, signal) => resolve({ code, signal, out, err })),
  );
}

describe("bytes", () => {
  it("carries octets both ways over tcp and knows both addresses", async () => {
    const listener = listen();
    const [near, far] = await dial(listener);
    near.handle.start();
    far.handle.start();
    near.handle.write(Buffer.from("there"));
    await until(() => far.received().equals(Buffer.from("there")), "there");
    far.handle.writev([Buffer.from("and "), Buffer.alloc(0), Buffer.from("back")]);
    await until(() => near.received().equals(Buffer.from("and back")), "back");
    expect(near.handle.remoteAddress()).toBe(`127.0.0.1:${listener.port}`);
    expect(far.handle.localAddress()).toBe(`127.0.0.1:${listener.port}`);
    expect(far.handle.remoteAddress()).toBe(near.handle.localAddress());
    near.handle.close();
    await until(() => far.closes.length > 0, "end");
    expect(far.closes).toEqual([[EOF, 0, 0]]);
  });

  it("carries octets over a pipe, whose far side has no name", async () => {
    const path = temporaryPath();
    const listener = new Listener();
    expect(listener.handle.listenPipe(path, 10, DEFAULTS)).toBe(0);
    expect(listener.handle.localAddress()).toBe(path);
    const near = new Side();
    expect(near.handle.connectPipe(path, DEFAULTS)).toBe(0);
    await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
    const far = listener.accepted[0];
    far.handle.start();
    near.handle.write(Buffer.from("hello"));
    await until(() => far.received().equals(Buffer.from("hello")), "hello");
    expect([near.handle.remoteAddress(), far.handle.remoteAddress()]).toEqual([path, ""]);
  });

  it.skipIf(!linux)("carries octets over an abstract name", async () => {
    const listener = new Listener();
    const name = `zwire-${process.pid}-${Date.now()}`;
    expect(listener.handle.listenPipe(`\0${name}`, 10, DEFAULTS)).toBe(0);
    expect(listener.handle.localAddress()).toBe(`@${name}`);
    const near = new Side();
    expect(near.handle.connectPipe(`\0${name}`, DEFAULTS)).toBe(0);
    await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
    expect(near.handle.remoteAddress()).toBe(`@${name}`);
  });

  it.skipIf(!hasIPv6)("takes IPv4 on a dual-stack acceptor and prints it plainly", async () => {
    const [near, far] = await dial(listen({}, "::", false));
    expect(far.handle.remoteAddress()).toBe(near.handle.localAddress());
    const six = listen({}, "::1");
    expect(six.handle.localAddress()).toBe(`[::1]:${six.port}`);
  });

  it("pause() holds back what comes later, resume() brings it", async () => {
    const [near, far] = await pair();
    far.during = () => far.handle.pause();
    far.handle.start();
    near.handle.write(Buffer.from("1"));
    await until(() => far.bytes.length === 1, "the first");
    near.handle.write(Buffer.from("2"));
    near.handle.start();
    // A second connection's echo has been through the event loop: the paused one had its chance.
    const [other, echo] = await pair();
    echo.handle.start();
    for (let i = 1; i <= 5; i++) {
      other.handle.write(Buffer.from("x"));
      await until(() => echo.received().length === i, "echo");
    }
    expect(far.bytes.length).toBe(1);
    far.handle.resume();
    await until(() => far.received().equals(Buffer.from("12")), "the second");
  });
});

describe("frames", () => {
  const BODIES: [Uint8Array | string, number][] = [
    ["a", MORE],
    ["", 0],
    ["\x05READY", COMMAND],
    [pattern(255), MORE],
    [pattern(256), 0],
    ["end", 0],
  ];
  const WIRE = Buffer.concat(BODIES.map(([body, flags]) => frame(body, flags)));

  it("gives the same frames wherever the input is cut (E11)", async () => {
    const listener = listen();
    for (let cut = 0; cut <= WIRE.length; cut++) {
      const [near, far] = await dial(listener);
      far.decode(WIRE.subarray(0, cut));
      if (cut < WIRE.length) near.handle.write(WIRE.subarray(cut));
      await until(() => far.frames.length === BODIES.length, `frames cut at ${cut}`);
      expectFrames(far.frames, BODIES);
      near.handle.close();
      far.handle.close();
    }
  });

  it("gives the same frames octet by octet (E11)", async () => {
    const [near, far] = await pair();
    far.decode();
    for (const octet of WIRE) {
      near.handle.write(Buffer.of(octet));
      await new Promise(setImmediate);
    }
    await until(() => far.frames.length === BODIES.length, "all frames");
    expectFrames(far.frames, BODIES);
  });

  it("takes a long form of a small size, reserved bits, and MORE on a command (E3, E5, E6)", async () => {
    const [near, far] = await pair();
    far.decode();
    await near.send(
      frame("long", 0, true),
      frame("reserved", 0xf8 | MORE),
      frame("command", COMMAND | MORE | 0x80),
    );
    await until(() => far.frames.length === 3, "frames");
    expectFrames(far.frames, [
      ["long", 0],
      ["reserved", MORE],
      ["command", COMMAND],
    ]);
  });

  it("gives more empty frames than the table holds in several calls, none lost (E8)", async () => {
    const [near, far] = await pair();
    far.decode();
    const count = FRAME_TABLE_ENTRIES * 3 + 5;
    await near.send(Buffer.alloc(count * 2));
    await until(() => far.frames.length === count, "all frames");
    expect(Math.max(...far.batches)).toBeLessThanOrEqual(FRAME_TABLE_ENTRIES);
    expect(far.batches.length).toBeLessThan(50);
  });

  it("gives large and small frames in order, each whole and of its exact length", async () => {
    const [near, far] = await pair();
    far.decode();
    const sizes = [
      3,
      16383,
      16384,
      16385,
      0,
      65536,
      7,
      100_000,
      MEBIBYTE,
      1,
      65527,
      300,
      5 * MEBIBYTE + 1,
      2,
    ];
    const bodies = sizes.map((size, i): [Buffer, number] => [pattern(size, i + 1), i % 3 === 0 ? MORE : 0]);
    await near.send(...bodies.map(([body, flags]) => frame(body, flags)));
    await until(() => far.frames.length === sizes.length, "all frames");
    expectFrames(far.frames, bodies);
    expect(far.largeFrames).toBeGreaterThan(1);
  });

  it.each([16 * MEBIBYTE, 16 * MEBIBYTE + 1, 40 * MEBIBYTE])(
    "fills a body of %d octets as it comes",
    async (size) => {
      const [near, far] = await pair();
      far.decode();
      const body = pattern(size);
      await near.send(frame(body, MORE), frame("behind"));
      await until(() => far.frames.length === 2, "both frames");
      expectFrames(far.frames, [
        [body, MORE],
        ["behind", 0],
      ]);
      expect(far.frames[0].body.buffer.byteLength).toBe(size);
    },
  );

  it("takes a leftover that holds more of a body than is read ahead", async () => {
    const [near, far] = await pair();
    const body = pattern(40 * MEBIBYTE);
    const wire = frame(body, MORE);
    far.decode(wire.subarray(0, 35 * MEBIBYTE));
    await near.send(wire.subarray(35 * MEBIBYTE), frame("behind"));
    await until(() => far.frames.length === 2, "both frames");
    expectFrames(far.frames, [
      [body, MORE],
      ["behind", 0],
    ]);
  });

  it("takes little memory for a body that is announced and does not come (E4)", async () => {
    const [near, far] = await pair();
    far.decode();
    const before = process.memoryUsage().arrayBuffers;
    await near.send(frame("first"), header(2n ** 40n), Buffer.alloc(1000));
    await until(() => far.frames.length === 1, "the first");
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(17 * MEBIBYTE);
    expect(far.closes).toEqual([]);
  });

  it("hands over nothing twice when startFrames is called again", async () => {
    const [near, far] = await pair();
    far.decode();
    expect(() => far.handle.startFrames(1, 1, 1, 1, Buffer.alloc(0))).toThrow(Error);
    near.handle.write(frame("x"));
    await until(() => far.frames.length === 1, "frame");
  });
});

describe("limits", () => {
  const FRAME = 1;
  const FAULTS: [string, Partial<typeof OPEN>, Buffer[], number][] = [
    ["E15 a frame above maxFrameBytes", { frame: 10 }, [frame("10 octets."), frame("eleven octs")], FRAME],
    ["E4 a size of 2^63-1", {}, [frame("fits"), header(2n ** 63n - 1n)], FRAME],
    ["E4 a size with bit 63", {}, [frame("fits"), header(2n ** 63n)], FRAME],
    ["E4 a size of 2^64-1", { frame: Infinity }, [frame("fits"), header(2n ** 64n - 1n)], FRAME],
    ["a command above maxCommandBytes", { command: 3 }, [frame("abc", COMMAND), frame("abcd", COMMAND)], 2],
    ["E4 a command with bit 63", { command: Infinity }, [frame("fits"), header(2n ** 63n, COMMAND)], 2],
    [
      "more parts than maxParts",
      { parts: 2 },
      [frame("1", MORE), frame("c", COMMAND), frame("2", MORE), frame("3")],
      3,
    ],
    ["parts beyond maxMessageBytes", { message: 5 }, [frame("abc", MORE), frame("de", MORE), frame("f")], 4],
    ["parts whose sum would overflow", {}, [frame("abc", MORE), header(2n ** 53n - 3n)], 4],
  ];

  it.each(FAULTS)(
    "%s ends the connection behind the frames before it",
    async (_name, limits, wire, fault) => {
      const [near, far] = await pair();
      far.decode(undefined, limits);
      await near.send(...wire, frame("not read"));
      await until(() => far.closes.length > 0, "fault");
      expect(far.frames.length).toBe(wire.length - 1);
      expect(far.closes).toEqual([[0, fault, 0]]);
      expect(far.calls.at(-1)).toBe("onClose");
      // Whatever the owner does now, no more comes.
      far.handle.resume();
      near.handle.start();
      near.handle.write(frame("still not"));
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      expect(far.calls.filter((name) => name === "onClose").length).toBe(1);
      expect(far.frames.length).toBe(wire.length - 1);
    },
  );

  it("lets pass what lies exactly on the limits, message after message", async () => {
    const [near, far] = await pair();
    far.decode(undefined, { frame: 3, command: 3, parts: 2, message: 5 });
    for (let i = 0; i < 3; i++) await near.send(frame("abc", MORE), frame("cmd", COMMAND), frame("de"));
    await until(() => far.frames.length === 9, "frames");
    expect(far.closes).toEqual([]);
  });

  it("a fault in the leftover is told as any other", async () => {
    const [, far] = await pair();
    far.handle.startFrames(3, 3, 3, 3, Buffer.concat([frame("ok"), frame("large")]));
    await until(() => far.closes.length > 0, "fault");
    expect(far.frames.length).toBe(1);
    expect(far.closes).toEqual([[0, 1, 0]]);
  });
});

describe("writing", () => {
  it("gathers, tells what is pending, and drains", async () => {
    const [near, far] = await pair();
    const chunks = Array.from({ length: 3000 }, (_, i) => pattern(10_000 + i, i));
    const total = chunks.reduce((sum, one) => sum + one.length, 0);
    const left = near.handle.writev(chunks);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(total);
    expect(() => near.handle.write(Buffer.from("too early"))).toThrow(/pending/);
    far.handle.start();
    await until(() => near.drains === 1, "drain");
    await until(() => far.bytes.reduce((sum, one) => sum + one.length, 0) === total, "all octets");
    expect(far.received().equals(Buffer.concat(chunks))).toBe(true);
    expect(near.handle.write(Buffer.from("again"))).toBe(0);
    expect(near.drains).toBe(1);
  });

  it("keeps the octets alive, whatever becomes of the array they came in", async () => {
    const [near, far] = await pair();
    const size = 24 * MEBIBYTE;
    const seen = new WeakRef(pattern(size).fill(7));
    const chunks: Uint8Array[] = [seen.deref() as Buffer];
    expect(near.handle.writev(chunks)).toBeGreaterThan(0);
    chunks.length = 0;
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // a WeakRef is held to the end of its turn
      gc();
    }
    expect(seen.deref()).toBeDefined();
    far.handle.start();
    await until(() => near.drains === 1, "drain");
    await until(() => far.bytes.reduce((sum, one) => sum + one.length, 0) === size, "all octets");
    expect(far.bytes.every((one) => one.every((octet) => octet === 7))).toBe(true);
  });

  it("tells exactly how much of a broken write the kernel has not taken (E14)", async () => {
    const [near, far] = await pair();
    near.handle.start();
    const left = near.handle.write(Buffer.alloc(32 * MEBIBYTE));
    expect(left).toBeGreaterThan(0);
    far.handle.close(); // with bytes unread: a reset
    await until(() => near.closes.length > 0, "end");
    const [status, fault, pending] = near.closes[0];
    expect([status < 0, fault]).toEqual([true, 0]);
    expect(pending).toBeGreaterThan(0);
    expect(pending).toBeLessThanOrEqual(left);
    expect(near.drains).toBe(0);
  });

  it("a write to a peer that has gone loses nothing of what it sent before", async () => {
    const path = temporaryPath();
    const listener = new Listener();
    expect(listener.handle.listenPipe(path, 10, DEFAULTS)).toBe(0);
    const near = new Side();
    expect(near.handle.connectPipe(path, DEFAULTS)).toBe(0);
    await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
    const far = listener.accepted[0];
    const bodies = Array.from({ length: 20 }, (_, i): [Buffer, number] => [pattern(i * 200, i + 1), 0]);
    expect(far.handle.writev(bodies.map(([body]) => frame(body)))).toBe(0);
    far.handle.close();
    expect(near.handle.writev([Buffer.alloc(30), Buffer.alloc(12)])).toBe(42);
    near.decode();
    await until(() => near.closes.length > 0, "end");
    expectFrames(near.frames, bodies);
    expect(near.closes).toEqual([[expect.any(Number), 0, 42]]);
    expect(native.errorName(near.closes[0][0])[0]).toBe("EPIPE");
    expect(near.handle.write(Buffer.from("x"))).toBeLessThan(0);
  });
});

describe("opening", () => {
  it("sets TCP_NODELAY and the options on both sides (G17, R11)", async () => {
    const [near, far] = await pair({
      sendBufferSize: 65536,
      receiveBufferSize: 65536,
      tcpKeepalive: 1,
      tcpKeepaliveInterval: 7,
    });
    for (const { handle } of [near, far]) {
      expect(handle.getSocketOption(IPPROTO_TCP, TCP_NODELAY)).toBeGreaterThan(0);
      expect(handle.getSocketOption(SOL_SOCKET, SO_KEEPALIVE)).toBeGreaterThan(0);
      expect(handle.getSocketOption(IPPROTO_TCP, TCP_KEEPINTVL)).toBe(7);
      // Linux doubles what it is asked for.
      expect([65536, 131072]).toContain(handle.getSocketOption(SOL_SOCKET, SO_SNDBUF));
      expect([65536, 131072]).toContain(handle.getSocketOption(SOL_SOCKET, SO_RCVBUF));
      expect(handle.getSocketOption(SOL_SOCKET, 9999)).toBeLessThan(0);
    }
  });

  it("binds the source first (R6)", async () => {
    const [near, far] = await dial(listen(), { sourceHost: "127.0.0.1", sourcePort: 0 });
    expect(far.handle.remoteAddress()).toBe(near.handle.localAddress());
    const refused = new Side();
    const options = { ...DEFAULTS, sourceHost: "192.0.2.1", sourcePort: 0 };
    expect(native.errorName(refused.handle.connectTcp("127.0.0.1", 9, options))[0]).toBe("EADDRNOTAVAIL");
  });

  it("tells of a refused connection", async () => {
    const listener = listen();
    const { port } = listener;
    listener.handle.close();
    const near = new Side();
    const status = near.handle.connectTcp("127.0.0.1", port, DEFAULTS);
    await until(() => status < 0 || near.connects.length > 0, "refusal");
    expect(native.errorName(near.connects[0] ?? status)[0]).toBe("ECONNREFUSED");
    expect(native.errorName(new Side().handle.connectPipe(temporaryPath(), DEFAULTS))[0]).toBe("ENOENT");
    expect(native.errorName(new Side().handle.connectPipe("", DEFAULTS))[0]).toBe("EINVAL");
    const long = `/tmp/${"x".repeat(120)}`;
    expect(native.errorName(new Side().handle.connectPipe(long, DEFAULTS))[0]).toBe("ENAMETOOLONG");
    expect(native.errorName(new Side().handle.connectTcp("localhost", 1, DEFAULTS))[0]).toBe("EINVAL");
    expect(native.errorName(new Side().handle.connectTcp("127.0.0.1", 65537, DEFAULTS))[0]).toBe("EINVAL");
  });

  it("refuses an address in use at once, and takes one that was just given up (R7, R10)", async () => {
    const listener = listen();
    const { port } = listener;
    const second = new Listener();
    expect(native.errorName(second.handle.listenTcp("127.0.0.1", port, 10, true, DEFAULTS))[0]).toBe(
      "EADDRINUSE",
    );
    const [, far] = await dial(listener);
    far.handle.close(); // our side closes first: the port is in TIME_WAIT
    listener.handle.close();
    const third = new Listener();
    expect(third.handle.listenTcp("127.0.0.1", port, 10, true, DEFAULTS)).toBe(0);
  });

  it.each([
    ["write", (s: Loose) => s.write("text")],
    ["writev", (s: Loose) => s.writev([Buffer.alloc(1), 5])],
    ["setOwner", (s: Loose) => s.setOwner(1)],
    ["startFrames", (s: Loose) => s.startFrames("1", 1, 1, 1, Buffer.alloc(0))],
    ["startFrames", (s: Loose) => s.startFrames(Number.NaN, 1, 1, 1, Buffer.alloc(0))],
    ["startFrames", (s: Loose) => s.startFrames(1, 1, 1, 1, "text")],
    ["connectTcp", (s: Loose) => s.connectTcp(1, 1, {})],
    ["connectTcp", (s: Loose) => s.connectTcp("127.0.0.1", 1)],
    ["connectPipe", (s: Loose) => s.connectPipe("/tmp/x")],
    ["getSocketOption", (s: Loose) => s.getSocketOption("a", 1)],
  ])("%s throws TypeError for a bad argument", async (_name, misuse) => {
    const [near] = await pair();
    expect(() => misuse(near.handle as unknown as Loose)).toThrow(TypeError);
    expect(() => misuse(new native.Stream(binding) as unknown as Loose)).toThrow(TypeError);
    expect(near.handle.write(Buffer.from("still works"))).toBe(0);
  });
});

describe("closing", () => {
  it.each(["onConnect", "onBytes", "onFrames", "onLargeFrame", "onDrain", "onClose"])(
    "may happen inside %s, and nothing follows",
    async (name) => {
      const listener = listen();
      const near = new Side();
      let after = -1;
      const closing = (side: Side) => (called: string) => {
        if (called !== name) return;
        side.handle.close();
        side.handle.close();
        after = side.calls.length;
      };
      near.during = closing(near);
      near.handle.connectTcp("127.0.0.1", listener.port, DEFAULTS);
      await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
      const far = listener.accepted[0];
      far.during = closing(far);
      if (name !== "onConnect") {
        near.handle.start();
        if (name === "onBytes") far.handle.start();
        else far.decode();
        const large = name === "onFrames" ? [] : [frame(pattern(3 * MEBIBYTE))];
        near.handle.writev([frame("small"), ...large, frame(pattern(MEBIBYTE)), frame("last")]);
        if (name === "onDrain" && near.drains === 0) far.handle.resume();
        if (name === "onClose") await until(() => far.frames.length === 4, "frames");
        if (name === "onClose") near.handle.close();
      }
      await until(() => after >= 0, name);
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      const closed = [near, far].find((side) => side.calls.includes(name)) as Side;
      expect(closed.calls.length).toBe(after);
      expect(closed.handle.write(Buffer.from("x"))).toBeLessThan(0);
      expect(closed.handle.remoteAddress()).toBe("");
    },
  );

  it("may happen inside onAccept, of the stream and of the acceptor", async () => {
    const listener = listen();
    listener.during = (stream) => {
      stream?.close();
      listener.handle.close();
    };
    const near = new Side();
    near.handle.connectTcp("127.0.0.1", listener.port, DEFAULTS);
    await until(() => near.connects.length > 0, "connection");
    near.handle.start();
    await until(() => near.closes.length > 0, "end");
    expect(listener.accepted.length).toBe(1);
  });

  it.each([
    [
      "a connect that fails at once",
      (s: NativeStreamHandle) => s.connectPipe("/nonexistent/zwire", DEFAULTS),
    ],
    ["a connect under way", (s: NativeStreamHandle) => s.connectTcp("127.0.0.1", 9, DEFAULTS)],
    ["no connect at all", () => 0],
  ])("lets go of the owner after %s", async (_name, begin) => {
    const owners = Array.from({ length: 20 }, () => {
      const handle = new native.Stream(binding);
      const owner = { handle, onConnect() {}, ballast: Buffer.alloc(1000) };
      handle.setOwner(owner);
      begin(handle);
      handle.close();
      return new WeakRef(owner);
    });
    await collected("owners gone", () => owners.every((owner) => owner.deref() === undefined));
  });

  it("lets go of an acceptor's owner after a listen that fails", async () => {
    const owners = Array.from({ length: 20 }, () => {
      const handle = new native.Acceptor(binding);
      const owner = { handle, onAccept() {} };
      handle.setOwner(owner);
      expect(handle.listenTcp("192.0.2.1", 0, 10, true, DEFAULTS)).toBeLessThan(0);
      handle.close();
      return new WeakRef(owner);
    });
    await collected("owners gone", () => owners.every((owner) => owner.deref() === undefined));
  });
});

describe("an environment's end", () => {
  it("a process ends by itself when its streams are unref'ed, with data under way", async () => {
    const end = await child(`pair((near, far, acceptor) => {
      near.handle.start(); near.handle.write(Buffer.alloc(32 << 20));
      near.handle.unref(); far.handle.unref(); acceptor.unref(); console.log("open");
    });`);
    expect(end).toEqual({ code: 0, signal: null, out: "open\n", err: "" });
  });

  it("process.exit() inside a callback is clean", async () => {
    const end = await child(`pair((near, far) => {
      far.onFrames = () => process.exit(7);
      far.handle.startFrames(100, 100, 100, 100, Buffer.alloc(0)); far.handle.start();
      near.handle.write(Buffer.from([0, 1, 65, 0, 1, 66]));
    });`);
    expect([end.code, end.signal, end.err]).toEqual([7, null, ""]);
  });

  it("an error thrown in a callback is the process's uncaught exception, and the stream goes on", async () => {
    const end = await child(`pair((near, far, acceptor) => {
      let seen = 0;
      process.on("uncaughtException", (error) => console.log("uncaught", error.message));
      far.onFrames = (chunk, count) => {
        seen += count;
        if (seen === 3) { console.log("all"); far.handle.close(); near.handle.close(); acceptor.close(); }
        throw new Error("thrown");
      };
      far.handle.startFrames(100, 100, 100, 100, Buffer.alloc(0)); far.handle.start();
      const more = () => { if (seen < 3) { near.handle.write(Buffer.from([0, 1, 65])); setTimeout(more, 5); } };
      more();
    });`);
    expect(end).toEqual({
      code: 0,
      signal: null,
      out: "uncaught thrown\nuncaught thrown\nall\nuncaught thrown\n",
      err: "",
    });
  });

  it("a worker may be terminated at any moment", async () => {
    for (let round = 0; round < 12; round++) {
      const worker = new Worker(
        call(`pair((near, far) => {
          const { parentPort } = require("node:worker_threads");
          far.handle.startFrames(2 ** 40, 100, 100, 2 ** 41, Buffer.alloc(0));
          far.onFrames = far.onLargeFrame = () => { ${round % 2 === 0 ? "for (;;) {}" : ""} };
          far.handle.start();
          const wire = Buffer.alloc(300_000); wire[0] = 2; wire.writeUIntBE(100_000, 3, 6);
          near.onDrain = () => { if (near.handle.write(wire) === 0) setImmediate(near.onDrain); };
          near.onDrain();
          setTimeout(() => parentPort.postMessage("running"), ${round});
          parentPort.postMessage("running");
        });`),
        { eval: true },
      );
      await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      expect(await worker.terminate()).toBe(1);
    }
  });

  it.skipIf(!linux)(
    "an acceptor out of descriptors goes on without spinning, and keeps the process alive",
    async () => {
      // Descriptors used up by files; nothing but the acceptor keeps the event loop alive meanwhile.
      const end = await child(
        `const fs = require("node:fs"), net = require("node:net");
      const acceptor = new native.Acceptor(binding);
      let failures = 0;
      acceptor.setOwner({ onAccept(status, stream) {
        if (stream === undefined) {
          failures++;
          if (failures === 1) console.log(native.errorName(status)[0]);
          if (failures === 3) { for (const fd of files) fs.closeSync(fd); }
          return;
        }
        console.log("accepted", failures, process.cpuUsage(before).user < 150_000);
        process.exit(0);
      } });
      acceptor.listenTcp("127.0.0.1", 0, 10, true, options);
      const port = Number(acceptor.localAddress().split(":")[1]);
      const near = { handle: new native.Stream(binding), onConnect() {} };
      near.handle.setOwner(near);
      near.handle.connectTcp("127.0.0.1", port, options);
      near.handle.unref();
      const files = [];
      try { for (;;) files.push(fs.openSync("/dev/null")); } catch (error) { if (error.code !== "EMFILE") throw error; }
      const before = process.cpuUsage();`,
        "ulimit -n 64",
      );
      expect(end).toEqual({ code: 0, signal: null, out: "EMFILE\naccepted 3 true\n", err: "" });
    },
  );
});
