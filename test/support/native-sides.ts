/**
 * The addon by itself, for tests: streams and acceptors whose owners keep what they are told. Knows nothing of ZMTP
 * beyond frames, nor of sessions.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished } from "vitest";
import {
  type Addon,
  addon,
  addonError,
  FRAME_TABLE_ENTRIES,
  type NativeAcceptorHandle,
  type NativeSocketOptions,
  type NativeStreamHandle,
} from "../../src/transport/native/addon.js";
import { until } from "./helpers.js";

export const linux = process.platform === "linux";

export const MORE = 1;
const LONG = 2;
export const COMMAND = 4;
export const EOF = -4095;
export const MEBIBYTE = 1024 * 1024;
const UNLIMITED = 2 ** 53 - 1;

export const DEFAULTS: NativeSocketOptions = {
  sendBufferSize: -1,
  receiveBufferSize: -1,
  tcpKeepalive: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveInterval: -1,
};

export const native = addon() as Addon;
if (native === undefined) throw new Error("the addon is not built", { cause: addonError() });
const table = new Uint32Array(FRAME_TABLE_ENTRIES * 3);
/** A callback that calls the method of the same name on its owner. */
function handedOn(name: string) {
  return function (this: unknown, ...args: unknown[]): void {
    (this as Record<string, (...args: unknown[]) => void>)[name](...args);
  };
}
export const binding = native.init(table, {
  onConnect: handedOn("onConnect"),
  onBytes: handedOn("onBytes"),
  onMemory: handedOn("onMemory"),
  onFrames: handedOn("onFrames"),
  onLargeFrame: handedOn("onLargeFrame"),
  onDrain: handedOn("onDrain"),
  onClose: handedOn("onClose"),
  onAccept: handedOn("onAccept"),
  onShared: () => {},
  onBody: (bytes) => Buffer.allocUnsafeSlow(bytes),
  onPool: handedOn("onPool"),
});

export interface Frame {
  flags: number;
  body: Buffer;
}

/** A stream's owner that keeps what it is told. `during` runs inside each callback. */
export class Side {
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

export const OPEN = { frame: UNLIMITED, command: UNLIMITED, parts: UNLIMITED, message: UNLIMITED };

/** An acceptor's owner; `accepted` grows with each connection. */
export class Listener {
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

export function listen(
  options: Partial<NativeSocketOptions> = {},
  host = "127.0.0.1",
  ipv6Only = true,
): Listener {
  const listener = new Listener();
  expect(listener.handle.listenTcp(host, 0, 100, ipv6Only, { ...DEFAULTS, ...options })).toBe(0);
  return listener;
}

export async function dial(
  listener: Listener,
  options: Partial<NativeSocketOptions> = {},
): Promise<[Side, Side]> {
  const near = new Side();
  expect(near.handle.connectTcp("127.0.0.1", listener.port, { ...DEFAULTS, ...options })).toBe(0);
  await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
  expect(near.connects).toEqual([0]);
  return [near, listener.accepted.at(-1) as Side];
}

/** Two ends of one tcp connection, neither reading yet. */
export function pair(options: Partial<NativeSocketOptions> = {}): Promise<[Side, Side]> {
  return dial(listen(options), options);
}

export function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "zwire-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "socket");
}

export function frame(body: Uint8Array | string, flags = 0, long = body.length > 255): Buffer {
  const header = Buffer.alloc(long ? 9 : 2);
  header[0] = flags | (long ? LONG : 0);
  if (long) header.writeBigUInt64BE(BigInt(body.length), 1);
  else header[1] = body.length;
  return Buffer.concat([header, Buffer.from(body)]);
}

export function header(size: bigint, flags = 0): Buffer {
  const octets = Buffer.alloc(9);
  octets[0] = flags | LONG;
  octets.writeBigUInt64BE(size, 1);
  return octets;
}

/** Bytes in which a shifted or repeated part shows. */
export function pattern(length: number, seed = 1): Buffer {
  const octets = Buffer.allocUnsafe(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    octets[i] = x >>> 16;
  }
  return octets;
}

export function expectFrames(actual: Frame[], expected: [body: Uint8Array | string, flags: number][]): void {
  expect(actual.map((one) => [one.body.length, one.flags])).toEqual(expected.map(([b, f]) => [b.length, f]));
  actual.forEach((one, i) => {
    expect(one.body.equals(Buffer.from(expected[i][0])), `body ${i}`).toBe(true);
  });
}

/** Collects garbage now. */
export function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Collects garbage until something is gone. */
export async function collected(what: string, gone: () => boolean): Promise<void> {
  await until(() => {
    collect();
    return gone();
  }, what);
}
