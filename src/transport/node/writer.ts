/**
 * The writing half of a connection over `node:net`. It gives node:net one portion at a time, for two reasons: bytes
 * that are still here when the connection breaks were certainly not sent, and copies are made late, into a few slabs
 * that are reused.
 */
import type { Socket } from "node:net";
import { memoryGone } from "../../base/errors.js";
import { bytesNow } from "../../base/message.js";
import { acquireSlab, isOwn, LARGE_SLAB_BYTES, releaseSlab } from "../../engine/outgoing/slab-pool.js";

/** Bytes of one portion. */
const PORTION_BYTES = 4 * LARGE_SLAB_BYTES;
/** Free memory for whole portions that is kept for all connections. */
const RETAINED_PORTIONS = 4;

const portions: Buffer[] = [];

/** What a writer tells its stream. */
export interface WriterOwner {
  /** The kernel has taken all of a write that was pending. */
  written(): void;
  /** The program has transferred memory that was not sent yet. */
  failed(error: Error): void;
}

export class Writer {
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  readonly #whole: boolean;
  /** The segments of the current write. */
  #segments: readonly Uint8Array[] = [];
  /** The lengths of the segments. null while write() runs, because the program cannot shorten a segment meanwhile. */
  #lengths: number[] | null = null;
  /** The next segment to give to node:net, and how many of its bytes have been given. */
  #next = 0;
  #nextAt = 0;
  /** Bytes that have not been given to node:net. */
  #waiting = 0;
  /** Slabs with copies that node:net may still be reading. */
  #lent: Buffer[] = [];
  /** The portion that node:tls may still be reading; null if there is none. */
  #memory: Buffer | null = null;
  /** Whether the owner must be told when the write is done. */
  #pending = false;
  #broken = false;
  /** Portions given, and portions done. The callbacks come in order, but late for a portion that was taken at once. */
  #issued = 0;
  #completed = 0;
  readonly #done = (error?: Error | null): void => {
    this.#completed++;
    if (!this.#pending || this.#completed !== this.#issued) return;
    // After a reset, the callback of the broken write comes without an error, after the "error" event. So check for
    // both.
    if (error || this.#broken || this.#socket.destroyed) return;
    this.#reuse();
    if (!this.#handOn()) return;
    this.#pending = false;
    this.#owner.written();
  };

  /**
   * @param whole whether each portion goes out as one piece: node:tls copies the pieces of a portion together, into memory that it
   * allocates anew each time
   */
  constructor(socket: Socket, owner: WriterOwner, whole: boolean) {
    this.#socket = socket;
    this.#owner = owner;
    this.#whole = whole;
    socket.on("error", () => {
      this.#broken = true;
    });
  }

  /** Bytes that were never given to the kernel. */
  get untaken(): number {
    return this.#waiting;
  }

  /**
   * Bytes that the kernel has not taken. Only node:net's internal handle knows how much of a write is done; it may be
   * absent.
   */
  get unsent(): number {
    const { _handle } = this.#socket as unknown as { _handle?: { writeQueueSize?: number } | null };
    return this.#waiting + (_handle?.writeQueueSize ?? this.#socket.writableLength);
  }

  /** Gives bytes to node:net. Returns how many the kernel has not taken. */
  write(segments: readonly Uint8Array[]): number {
    this.#segments = segments;
    this.#lengths = null;
    this.#next = 0;
    this.#nextAt = 0;
    for (const { length } of segments) this.#waiting += length;
    // The socket may be gone while bytes that the peer sent before are still being decoded. onClose follows.
    if (this.#socket.destroyed) return this.#waiting;
    this.#pending = !this.#handOn();
    if (!this.#pending) return 0;
    this.#lengths = segments.map(({ length }) => length);
    return this.#waiting + this.#socket.writableLength;
  }

  /** Gives portions until the kernel does not take one at once. Returns whether it has taken everything. */
  #handOn(): boolean {
    while (this.#waiting > 0) {
      if (!(this.#whole ? this.#wholePortion() : this.#portion())) return false;
      if (this.#socket.writableLength > 0) return false;
      this.#reuse();
    }
    return true;
  }

  /** Gives node:net the next portion. False if memory of it is gone, or the connection broke. */
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
      this.#waiting += bytes; // the socket is still corked, so they were never sent; the connection ends now
      this.#owner.failed(memoryGone());
      return false;
    }
    const given = this.#give(piece, bytes);
    if (several) socket.uncork();
    return given;
  }

  /** As #portion(), in one piece. */
  #wholePortion(): boolean {
    const memory = this.#memory ?? portions.pop() ?? Buffer.allocUnsafeSlow(PORTION_BYTES);
    this.#memory = memory;
    let bytes = 0;
    while (bytes < PORTION_BYTES && this.#next < this.#segments.length) {
      const segment = this.#segments[this.#next];
      if (this.#lengths !== null && bytesNow(segment) !== this.#lengths[this.#next]) {
        this.#owner.failed(memoryGone());
        return false;
      }
      const end = Math.min(segment.length, this.#nextAt + PORTION_BYTES - bytes);
      memory.set(
        this.#nextAt === 0 && end === segment.length ? segment : segment.subarray(this.#nextAt, end),
        bytes,
      );
      bytes += end - this.#nextAt;
      this.#nextAt = end;
      if (end < segment.length) break;
      this.#next++;
      this.#nextAt = 0;
    }
    this.#waiting -= bytes;
    return this.#give(bytes === memory.length ? memory : memory.subarray(0, bytes), bytes);
  }

  /** Gives node:net the last piece of a portion. False if the connection broke. */
  #give(piece: Uint8Array, bytes: number): boolean {
    this.#issued++;
    this.#socket.write(piece, this.#done);
    if (this.#socket.errored === null) return true;
    // A write that fails at once has sent nothing, and nothing more will be sent. onClose follows.
    this.#waiting += bytes;
    return false;
  }

  /**
   * The next bytes, in memory that the program cannot transfer. They are copied, because node:net keeps a pointer to
   * bytes that the kernel has not taken yet, and memory that was transferred to a thread is freed when that thread
   * ends. Returns null if the program has transferred or shortened the segment.
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
    if (this.#memory !== null && this.#waiting === 0) {
      if (portions.length < RETAINED_PORTIONS) portions.push(this.#memory);
      this.#memory = null;
    }
    for (const slab of this.#lent) releaseSlab(slab);
    this.#lent.length = 0;
  }
}
