/**
 * A stream over `node:net` and the portable decoder. Knows neither how connections come about nor what the frames are.
 */
import type { Socket } from "node:net";
import { FrameDecoder } from "../../engine/incoming/decoder.js";
import { keepTogether } from "../contract/keep-together.js";
import type { EngineStream } from "../contract/stream-engine.js";
import { FrameFault, type FrameLimits, type StreamHandler } from "../contract/transport.js";
import { type Deferrable, SHARE_MS, serveLater, turnOver } from "./turn.js";
import { Writer } from "./writer.js";

/** Bytes decoded at a time: of a connection of which nothing is known, at least, and as many as node:net reads. */
const FIRST_BYTES = 2 * 1024;
const LEAST_BYTES = 1024;
const MOST_BYTES = 64 * 1024;

/** A connection of node:net, as sessions know streams. */
export class NodeStream implements EngineStream, Deferrable {
  readonly engine = "portable";
  remoteAddress: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  #handler: StreamHandler | null = null;
  #decoder: FrameDecoder | null = null;
  /** What a proxy's answer was glued to: the first bytes of whoever starts next. */
  #leftover: Buffer | null = null;
  #error: NodeJS.ErrnoException | undefined;
  /** Bytes read and not yet decoded: this turn is over, or the session has paused. node:net reads no more meanwhile. */
  #rest: Buffer | null = null;
  #paused = false;
  #deferred = false;
  /** Bytes of which the work fits into a share of a turn, as far as is known. */
  #room = FIRST_BYTES;
  readonly #writer: Writer;

  constructor(socket: Socket, remoteAddress: string, localAddress: string) {
    this.#socket = socket;
    this.#writer = new Writer(socket, {
      written: () => this.#handler?.onDrain(),
      // Not within the call of write(): its caller does not expect the end of the connection there.
      failed: (error) => setImmediate(() => this.#end(error, FrameFault.none, 0)),
    });
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

  start(handler: StreamHandler): void {
    this.#handler = handler;
    const leftover = this.#leftover;
    if (leftover !== null) {
      this.#leftover = null;
      // Before the data that resume() lets in.
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

  /** As much of what was read as fits into a share of this turn. */
  #work(chunk: Buffer): void {
    const start = performance.now();
    let last = start;
    for (let at = 0; at < chunk.length && this.#handler !== null; ) {
      if (at > 0 && (this.#paused || last - start >= SHARE_MS)) {
        this.#rest = chunk.subarray(at);
        this.#later();
        return;
      }
      // The handshake bounds its own work, and what it leaves over is decoded before the rest.
      const end = this.#decoder === null ? chunk.length : Math.min(chunk.length, at + this.#room);
      this.#data(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
      at = end;
      const now = performance.now();
      this.#pace(now - last);
      last = now;
    }
  }

  /** How much is decoded next, by how long it took with all that came of it. */
  #pace(tookMs: number): void {
    if (tookMs >= SHARE_MS) this.#room = Math.max(LEAST_BYTES, Math.trunc((this.#room * SHARE_MS) / tookMs));
    else if (tookMs < SHARE_MS / 4) this.#room = Math.min(MOST_BYTES, this.#room * 2);
  }

  #later(): void {
    this.#socket.pause();
    if (this.#deferred || this.#paused) return; // resume() sees to it then
    this.#deferred = true;
    serveLater(this);
  }

  /** From the turn: goes on with the rest. */
  serve(): void {
    this.#deferred = false;
    const rest = this.#rest;
    if (this.#paused || rest === null) return;
    this.#rest = null;
    this.#work(rest);
    // A paused node:net goes on reading into its own queue, a chunk each turn: all of it now, or a peer that sends little
    // is served one chunk a turn, falls behind, and stays there.
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
   * node:net does not tell how much of a portion was taken when the connection breaks: a portion that it was given counts
   * as taken, so that nothing arrives twice (E14).
   */
  write(segments: readonly Uint8Array[]): number {
    return this.#writer.write(segments);
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
    if (this.#rest !== null) return; // first what was read before
    this.#end(this.#error, FrameFault.none, 0);
  }

  #end(error: NodeJS.ErrnoException | undefined, fault: FrameFault, size: number): void {
    const handler = this.#handler;
    this.close();
    handler?.onClose(error, fault, this.#writer.untaken, size);
  }
}
