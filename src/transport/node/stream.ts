/**
 * A stream over `node:net` and the portable decoder. Connections are made in engine.ts.
 */
import type { Socket } from "node:net";
import { FrameDecoder } from "../../engine/incoming/decoder.js";
import { recycledBuffer } from "../../engine/incoming/recycler.js";
import { keepTogether } from "../contract/keep-together.js";
import type { EngineStream } from "../contract/stream-engine.js";
import {
  type EndOfWriting,
  FrameFault,
  type FrameLimits,
  type StreamHandler,
} from "../contract/transport.js";
import { type Deferrable, SHARE_MS, serveLater, turnOver } from "./turn.js";
import { Writer, type WriterOwner } from "./writer.js";

/** Bytes that are decoded at a time at first: few, because it is not known yet how much work they cause. */
const FIRST_BYTES = 2 * 1024;
/** The fewest bytes at a time, however much work they cause. */
const LEAST_BYTES = 1024;
/** The most bytes at a time: as many as node:net reads at once. */
const MOST_BYTES = 64 * 1024;

/** A connection over node:net. */
export class NodeStream implements EngineStream, Deferrable {
  readonly engine = "portable";
  remoteAddress: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  #handler: StreamHandler | null = null;
  #decoder: FrameDecoder | null = null;
  /** Bytes that arrived behind a proxy's answer. The next handler gets them first. */
  #leftover: Buffer | null = null;
  #error: NodeJS.ErrnoException | undefined;
  /**
   * Bytes that are read but not decoded yet, because the turn is over or the session has paused. node:net is paused
   * meanwhile.
   */
  #rest: Buffer | null = null;
  #paused = false;
  #deferred = false;
  /** How many bytes to decode at a time, so that their work probably fits into a share of a turn. */
  #portionBytes = FIRST_BYTES;
  readonly #writer: Writer;

  /** @param whole see Writer */
  constructor(socket: Socket, remoteAddress: string, localAddress: string, whole = false) {
    this.#socket = socket;
    const owner: WriterOwner = {
      written: () => this.#handler?.onDrain(),
      // Deferred, because the caller of write() does not expect the connection to end during the call.
      failed: (error) => setImmediate(() => this.#end(error, FrameFault.none, 0)),
    };
    this.#writer = new Writer(socket, owner, whole);
    this.remoteAddress = remoteAddress;
    this.localAddress = localAddress;
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.#closed());
  }

  get received(): number {
    return this.#socket.bytesRead;
  }

  get partial(): boolean {
    return this.#decoder?.partial === true;
  }

  get unsent(): number {
    return this.#writer.unsent;
  }

  get untaken(): number {
    return this.#writer.untaken;
  }

  recycle(): void {
    if (this.#decoder !== null) this.#decoder.newBody = recycledBuffer;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    const leftover = this.#leftover;
    if (leftover !== null) {
      this.#leftover = null;
      // nextTick runs before resume() delivers newer bytes.
      process.nextTick(() => this.#handler?.onBytes(leftover));
    }
    if (this.#socket.destroyed) {
      setImmediate(() => this.#closed());
      return;
    }
    if (this.#socket.listenerCount("data") === 0) {
      this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
      this.#socket.on("end", () => this.#socket.destroy());
    }
    this.#socket.resume();
  }

  handOver(remoteAddress: string, leftover: Buffer): void {
    this.#socket.pause();
    this.#handler = null;
    this.remoteAddress = remoteAddress;
    if (leftover.length > 0) this.#leftover = leftover;
  }

  /**
   * Gives the socket away, for a protocol on top of node:net. It is paused, and has what the last handler left. This stream
   * is not used any more.
   */
  detach(): Socket {
    this.#socket.pause();
    this.#handler = null;
    if (this.#leftover !== null) this.#socket.unshift(this.#leftover);
    this.#leftover = null;
    return this.#socket;
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    const sink = this.#handler as StreamHandler;
    this.#decoder = new FrameDecoder(limits, {
      onFrames: (chunk, table, count) => {
        if (count > 1) keepTogether(chunk);
        this.#handler?.onFrames(chunk, table, count);
      },
      onLargeFrame: (body, flags) => this.#handler?.onLargeFrame(body, flags),
    });
    if (leftover.length > 0 && sink !== null) this.#data(Buffer.from(leftover));
  }

  #read(chunk: Buffer): void {
    if (this.#rest !== null) this.#rest = Buffer.concat([this.#rest, chunk]);
    else if (!turnOver()) this.#work(chunk);
    else {
      this.#rest = chunk;
      this.#later();
    }
  }

  /** Decodes as much of the chunk as fits into a share of this turn. The rest waits for a later turn. */
  #work(chunk: Buffer): void {
    const start = performance.now();
    let last = start;
    for (let at = 0; at < chunk.length && this.#handler !== null; ) {
      if (at > 0 && (this.#paused || last - start >= SHARE_MS)) {
        this.#rest = chunk.subarray(at);
        this.#later();
        return;
      }
      // Byte mode gets the whole chunk: a handshake limits its own work, and its leftover is decoded before the rest.
      const end = this.#decoder === null ? chunk.length : Math.min(chunk.length, at + this.#portionBytes);
      this.#data(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
      at = end;
      const now = performance.now();
      this.#pace(now - last);
      last = now;
    }
  }

  /** Adapts the next portion to how long the last one took, including all the work that its bytes caused. */
  #pace(tookMs: number): void {
    if (tookMs >= SHARE_MS)
      this.#portionBytes = Math.max(LEAST_BYTES, Math.trunc((this.#portionBytes * SHARE_MS) / tookMs));
    else if (tookMs < SHARE_MS / 4) this.#portionBytes = Math.min(MOST_BYTES, this.#portionBytes * 2);
  }

  #later(): void {
    this.#socket.pause();
    if (this.#deferred || this.#paused) return; // if paused, resume() calls this again
    this.#deferred = true;
    serveLater(this);
  }

  /** Called in a later turn: continues with the rest. */
  serve(): void {
    this.#deferred = false;
    const rest = this.#rest;
    if (this.#paused || rest === null) return;
    this.#rest = null;
    this.#work(rest);
    // While paused, node:net still reads one chunk per turn into its own queue. Take all of them now. Otherwise a peer
    // that sends little is served one chunk per turn, falls behind, and never catches up.
    if (this.#rest === null && this.#handler !== null && !this.#paused) this.#socket.read();
    if (this.#rest !== null || this.#handler === null) return;
    if (this.#socket.destroyed) this.#closed();
    else if (!this.#paused) this.#socket.resume();
  }

  #data(chunk: Buffer): void {
    if (this.#decoder === null) {
      this.#handler?.onBytes(chunk);
      return;
    }
    const fault = this.#decoder.push(chunk);
    if (fault !== FrameFault.none) this.#end(undefined, fault, this.#decoder.faultSize);
  }

  /**
   * When the connection breaks, node:net does not tell how much of a portion was sent. So each portion that it was
   * given counts as taken: then no message is sent again and arrives twice (E14).
   */
  write(segments: readonly Uint8Array[]): number {
    return this.#writer.write(segments);
  }

  endWriting(): EndOfWriting {
    this.#socket.end();
    return "ended";
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#rest === null) this.#socket.resume();
    else this.#later();
  }

  close(): void {
    this.#handler = null;
    this.#rest = null;
    this.#decoder?.close();
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  #closed(): void {
    if (this.#rest !== null) return; // decode first what was read before the end
    this.#end(this.#error, FrameFault.none, 0);
  }

  #end(error: NodeJS.ErrnoException | undefined, fault: FrameFault, size: number): void {
    const handler = this.#handler;
    this.close();
    handler?.onClose(error, fault, this.#writer.untaken, size);
  }
}
