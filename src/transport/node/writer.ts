/**
 * The writing half of a connection over `node:net`. It hands on a portion at a time. What is still here when the
 * connection breaks was certainly not sent; and what must be copied is copied late, into a few slabs that are used again.
 */
import type { Socket } from "node:net";
import { memoryGone } from "../../base/errors.js";
import { bytesNow } from "../../base/message.js";
import { acquireSlab, isOwn, LARGE_SLAB_BYTES, releaseSlab } from "../../engine/outgoing/slab-pool.js";

/** Bytes that node:net is given at once. */
const PORTION_BYTES = 4 * LARGE_SLAB_BYTES;

/** What a writer tells its stream. */
export interface WriterOwner {
  /** A write that was pending is done. */
  written(): void;
  /** A program has given away memory that was still to be sent. */
  failed(error: Error): void;
}

export class Writer {
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  /** The write at hand. */
  #segments: readonly Uint8Array[] = [];
  /** How long its segments are; null while write() itself hands on, because no program can shorten them meanwhile. */
  #lengths: number[] | null = null;
  /** The next segment to hand on, and how much of it is gone. */
  #next = 0;
  #nextAt = 0;
  /** Bytes that node:net has not been given. */
  #waiting = 0;
  /** Slabs with copies that node:net may still read. */
  #lent: Buffer[] = [];
  /** Somebody waits to hear that the write is done. */
  #pending = false;
  #broken = false;
  /** Portions given and portions done. Calls come in order, and late for what was taken at once. */
  #issued = 0;
  #completed = 0;
  readonly #done = (error?: Error | null): void => {
    this.#completed++;
    if (!this.#pending || this.#completed !== this.#issued) return;
    // When a reset arrives the callback of the broken write comes without an error, behind the "error" event.
    if (error || this.#broken || this.#socket.destroyed) return;
    this.#reuse();
    if (!this.#handOn()) return;
    this.#pending = false;
    this.#owner.written();
  };

  constructor(socket: Socket, owner: WriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.on("error", () => {
      this.#broken = true;
    });
  }

  /** Bytes that were never given to the kernel. */
  get untaken(): number {
    return this.#waiting;
  }

  /** node:net counts a write as one; its handle, which it keeps to itself, knows how far it has got. */
  get unsent(): number {
    const { _handle } = this.#socket as unknown as { _handle?: { writeQueueSize?: number } | null };
    return this.#waiting + (_handle?.writeQueueSize ?? this.#socket.writableLength);
  }

  /** Hands bytes on; answers how many the kernel has not taken. */
  write(segments: readonly Uint8Array[]): number {
    this.#segments = segments;
    this.#lengths = null;
    this.#next = 0;
    this.#nextAt = 0;
    for (const { length } of segments) this.#waiting += length;
    // The peer may have gone while what it sent before is still being decoded: onClose follows.
    if (this.#socket.destroyed) return this.#waiting;
    this.#pending = !this.#handOn();
    if (!this.#pending) return 0;
    this.#lengths = segments.map(({ length }) => length);
    return this.#waiting + this.#socket.writableLength;
  }

  /** Portions until one is not taken at once. Answers whether everything is gone. */
  #handOn(): boolean {
    while (this.#waiting > 0) {
      if (!this.#portion()) return false;
      if (this.#socket.writableLength > 0) return false;
      this.#reuse();
    }
    return true;
  }

  /** Gives node:net the next portion; false where memory of it is gone, or the connection broke. */
  #portion(): boolean {
    const socket = this.#socket;
    const several = this.#segments.length - this.#next > 1;
    if (several) socket.cork();
    let bytes = 0;
    let piece: Uint8Array | null = null;
    while (bytes < PORTION_BYTES && this.#next < this.#segments.length) {
      if (piece !== null) socket.write(piece);
      piece = this.#piece();
      if (piece === null) break;
      bytes += piece.length;
      this.#waiting -= piece.length;
    }
    if (piece === null) {
      this.#waiting += bytes; // corked, and so never on their way: the end follows
      this.#owner.failed(memoryGone());
      return false;
    }
    this.#issued++;
    socket.write(piece, this.#done);
    if (several) socket.uncork();
    if (socket.errored === null) return true;
    // A write that fails at once took nothing, and nothing more is taken. The end follows.
    this.#waiting += bytes;
    return false;
  }

  /**
   * The next bytes, in memory that no program can give away: node:net keeps a pointer into what the kernel has not taken
   * yet, and memory that was transferred to a thread is freed when that thread ends.
   */
  #piece(): Uint8Array | null {
    const segment = this.#segments[this.#next];
    if (this.#lengths !== null && bytesNow(segment) !== this.#lengths[this.#next]) return null;
    const at = this.#nextAt;
    if (isOwn(segment)) {
      this.#next++;
      return segment;
    }
    const length = Math.min(segment.length - at, LARGE_SLAB_BYTES);
    this.#nextAt += length;
    if (this.#nextAt === segment.length) {
      this.#next++;
      this.#nextAt = 0;
    }
    const slab = acquireSlab(length);
    slab.set(length === segment.length ? segment : segment.subarray(at, at + length));
    this.#lent.push(slab);
    return length === slab.length ? slab : slab.subarray(0, length);
  }

  #reuse(): void {
    for (const slab of this.#lent) releaseSlab(slab);
    this.#lent.length = 0;
  }
}
