/**
 * A stream over the addon. C++ splits the frames; this file only passes them on. Connections are made in engine.ts.
 */
import { memoryGone } from "../../base/errors.js";
import { FRAME_ENTRY_SIZE } from "../../wire/frame-format.js";
import type { EngineStream } from "../contract/stream-engine.js";
import {
  type EndOfWriting,
  FrameFault,
  type FrameLimits,
  type LoanMemory,
  type PeerCredentials,
  type SharedMemory,
  type StreamHandler,
} from "../contract/transport.js";
import { type Addon, FRAME_TABLE_ENTRIES, type NativeStreamHandle } from "./addon.js";
import { NativeLoanMemory } from "./loan-memory.js";

/** libuv's status after an orderly close. */
const UV_EOF = -4095;

/** Systems where memory can be shared. */
const LINUX = process.platform === "linux";

/** The frame table of this thread. Its contents are valid during one onFrames call. */
export const frameTable = new Uint32Array(FRAME_TABLE_ENTRIES * FRAME_ENTRY_SIZE);

/** An Error for a negative status of the addon, with `code` and `errno` as in Node's errors. */
export function systemError(native: Addon, status: number): NodeJS.ErrnoException {
  const [code, text] = native.errorName(status);
  return Object.assign(new Error(text), { code, errno: status });
}

/** The memory of a connection. Its positions stay readable when the connection is closed. */
class NativeMemory implements SharedMemory {
  #handle: NativeStreamHandle | null;
  #written = 0;
  #passed = 0;

  constructor(handle: NativeStreamHandle) {
    this.#handle = handle;
  }

  get written(): number {
    return this.#handle === null ? this.#written : this.#handle.written();
  }

  get passed(): number {
    return this.#handle === null ? this.#passed : this.#handle.passed();
  }

  unread(_: readonly Uint8Array[], behind: number): number {
    return Math.max(0, behind);
  }

  extent(_: readonly Uint8Array[], bytes: number): number {
    return bytes;
  }

  /** The connection is about to be closed. */
  settle(): void {
    this.#written = this.written;
    this.#passed = this.passed;
    this.#handle = null;
  }
}

/** A connection over the addon. The addon calls its `on…` methods. */
export class NativeStream implements EngineStream {
  readonly engine = "native";
  remoteAddress: string;
  readonly #native: Addon;
  readonly #handle: NativeStreamHandle;
  /** ipc: whether we accepted the connection. */
  readonly #accepted: boolean | undefined;
  memory: NativeMemory | null = null;
  #recycles = false;
  #handler: StreamHandler | null = null;
  /** Bytes that arrived behind a proxy's answer. The next handler gets them first. */
  #leftover: Buffer | null = null;

  constructor(native: Addon, handle: NativeStreamHandle, remoteAddress: string, accepted?: boolean) {
    this.#native = native;
    this.#handle = handle;
    this.#accepted = accepted;
    this.remoteAddress = remoteAddress;
    handle.setOwner(this);
  }

  /** Made on request, because a stored string for each connection would cost a server with many of them memory. */
  get localAddress(): string {
    const ipc = this.remoteAddress.startsWith("ipc://");
    return ipc ? this.remoteAddress : `tcp://${this.#handle.localAddress()}`;
  }

  get received(): number {
    return this.#handle.received();
  }

  get partial(): boolean {
    return this.#handle.partial();
  }

  get unsent(): number {
    return this.#handle.unsent();
  }

  get untaken(): number {
    return this.#handle.unsent();
  }

  get sharable(): boolean {
    return this.#accepted !== undefined && LINUX;
  }

  share(bytes: number, spinMicroseconds: number): void {
    this.#handle.share(this.#accepted === true, bytes, spinMicroseconds);
  }

  agreed(yes: boolean): void {
    this.#handle.agreed(yes);
  }

  offer(memory: LoanMemory): boolean {
    return memory instanceof NativeLoanMemory && this.#handle.offerPool(memory.pool);
  }

  recycle(): void {
    if (this.#recycles) return;
    this.#recycles = true;
    this.#handle.recycle();
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    const leftover = this.#leftover;
    if (leftover !== null) {
      this.#leftover = null;
      // nextTick runs before the event loop can deliver newer bytes.
      process.nextTick(() => this.#handler?.onBytes(leftover));
    }
    const status = this.#handle.start();
    if (status < 0) setImmediate(() => this.onClose(status, 0, 0, 0));
  }

  handOver(remoteAddress: string, leftover: Buffer): void {
    this.#handle.pause();
    this.#handler = null;
    this.remoteAddress = remoteAddress;
    if (leftover.length > 0) this.#leftover = leftover;
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    this.#handle.startFrames(
      limits.maxFrameBytes,
      limits.maxCommandBytes,
      limits.maxParts,
      limits.maxMessageBytes,
      leftover,
    );
  }

  write(segments: readonly Uint8Array[]): number {
    const left = segments.length === 1 ? this.#handle.write(segments[0]) : this.#handle.writev(segments);
    return left >= 0 ? left : this.#writeFailed(left, segments);
  }

  /** The connection broke before anything of this write was sent, so all its bytes count as not taken. */
  #writeFailed(status: number, segments: readonly Uint8Array[]): number {
    let bytes = 0;
    for (const segment of segments) bytes += segment.length;
    setImmediate(() => this.onClose(status, 0, bytes, 0));
    return bytes;
  }

  endWriting(peerKeeps: boolean): EndOfWriting {
    return this.#handle.endWriting(peerKeeps) ? "ended" : "impossible";
  }

  pause(): void {
    this.#handle.pause();
  }

  resume(): void {
    this.#handle.resume();
  }

  close(): void {
    this.#handler = null;
    this.#close();
  }

  #close(): void {
    this.memory?.settle();
    this.#handle.close();
  }

  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }

  /** Reads an integer socket option, for tests. */
  getSocketOption(level: number, name: number): number {
    return this.#handle.getSocketOption(level, name);
  }

  peerCredentials(): PeerCredentials | undefined {
    const credentials = this.#handle.getPeerCredentials();
    if (typeof credentials === "number") return undefined;
    const [processId, userId, groupId] = credentials;
    return { processId, userId, groupId };
  }

  // The addon calls the methods from here on.
  onBytes(chunk: Buffer): void {
    this.#handler?.onBytes(chunk);
  }

  onFrames(chunk: Buffer, count: number): void {
    this.#handler?.onFrames(chunk, frameTable, count);
  }

  onLargeFrame(body: Buffer, flags: number): void {
    this.#handler?.onLargeFrame(body, flags);
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onMemory(): void {
    this.memory = new NativeMemory(this.#handle);
    this.#handler?.onMemory?.();
  }

  onPool(memory: ArrayBuffer | undefined): void {
    const native = this.#native;
    this.#handler?.onPool?.(
      memory === undefined ? undefined : { memory, close: () => native.detach(memory) },
    );
  }

  onClose(status: number, fault: number, pendingBytes: number, size: number): void {
    const handler = this.#handler;
    if (handler === null) return;
    this.#handler = null;
    this.#close();
    const error = status === UV_EOF || status === 0 ? undefined : this.#error(status);
    // The addon uses EPROTO for this case only.
    if (error?.code === "EPROTO") handler.onClose(undefined, FrameFault.memory, pendingBytes, 0);
    else handler.onClose(error, fault as FrameFault, pendingBytes, size);
  }

  #error(status: number): NodeJS.ErrnoException {
    const error = systemError(this.#native, status);
    return error.code === "EFAULT" ? memoryGone() : error; // the addon uses EFAULT for this case only
  }
}
