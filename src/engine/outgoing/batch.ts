/**
 * Encodes messages (RFC 37 §Framing, items E1, E2, E8, E10). A `Batch` gathers whole messages for one write: it copies
 * small bodies into slabs and passes large ones by reference. Hot path: no promise, closure or options object. The pipe
 * decides when to flush.
 */

import { lentBody } from "../../base/lent.js";
import { bytesNow, COPY_LIMIT, type OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { readLength, writeFrameHeader } from "../frame-header.js";
import { MessageReader } from "./message-reader.js";
import { refronted } from "./refronted.js";
import type { Shared, SharedRun } from "./shared-run.js";
import { acquireSlab, LARGE_SLAB_BYTES, releaseSlab, SMALL_SLAB_BYTES } from "./slab-pool.js";

// Constants of this module: see frame-format.ts.
const { LONG, LONG_HEADER, MORE, SHORT_HEADER } = frameFormat;

/**
 * Shared messages up to SHARED_COPY_LIMIT bytes are copied. If BACKLOG_MESSAGES wait already, the limit is lower: the peer
 * does not keep up, and each copy would stay in memory.
 */
const SHARED_COPY_LIMIT = 2048;
const BACKLOG_MESSAGES = 64;
const BACKLOG_COPY_LIMIT = 128;
/** Batches of so many bytes may be copied into others. */
const ABSORBED_BYTES = 2048;
/** Segments of dropped messages are removed when there are so many. */
const COMPACT_SEGMENTS = 64;

/** A loan counts this part of its bytes: then the first of a turn does not wait long for those behind it to be filled. */
const LOAN_LOAD = 1 / 64;

function eased(loan: Uint8Array): number {
  return Math.floor(loan.length * (1 - LOAN_LOAD));
}

/** Whole messages, encoded for one write. */
export class Batch {
  /** Bytes in the batch, headers included. */
  bytes = 0;
  /** Messages in the batch. */
  messages = 0;
  /** After dropTaken(): bytes of the first remaining message that the kernel had taken, and its size without headers. */
  begunBytes = 0;
  firstBytes = 0;
  /** Its size with headers. */
  #firstSize = 0;
  #segments: Uint8Array[] = [];
  /** Original length of each segment. A segment passed by reference changes if its memory is transferred or resized. */
  #lengths: number[] = [];
  #slabs: Buffer[] = [];
  #slab: Buffer | null = null;
  #start = 0;
  #end = 0;
  #busy = false;
  /** Runs shared with other batches, and the part of `bytes` that they make up. */
  #runs: SharedRun[] = [];
  #sharedBytes = 0;
  /** The part of `bytes` that is taken off for loans in `load`. */
  #eased = 0;
  /** Bodies in memory that is used again when everybody has let go of it. */
  #held: Uint8Array[] | null = null;
  /** Whether the part in front of each message has been taken off. */
  #bare = false;
  /** Position of the first message that has not been dropped. */
  #first = 0;
  #firstAt = 0;

  /** Bytes in the batch that no other batch holds. */
  get ownBytes(): number {
    return this.bytes - this.#sharedBytes;
  }

  /** How much there is to write, for the decision when: a loan, which is not copied, counts a part of its bytes. */
  get load(): number {
    return this.bytes - this.#eased;
  }

  /** Encodes one whole message. */
  append(message: OutMessage): void {
    if (Array.isArray(message)) {
      const last = message.length - 1;
      for (let i = 0; i < last; i++) this.#frame(message[i], MORE);
      this.#frame(message[last], 0);
    } else {
      this.#frame(message, 0);
    }
    this.messages++;
  }

  /** Adds a message that is already encoded and shorter than a small slab. */
  appendEncoded(bytes: Uint8Array): void {
    const length = bytes.length;
    if (this.#slab === null || this.#end + length > this.#slab.length) this.#nextSlab(length);
    (this.#slab as Buffer).set(bytes, this.#end);
    this.#end += length;
    this.bytes += length;
    this.messages++;
  }

  /** Adds messages that were encoded for several batches. Copies a short run, because that costs less than sharing it. */
  appendShared(shared: Shared): void {
    const { bytes } = shared;
    const most = this.messages < BACKLOG_MESSAGES ? SHARED_COPY_LIMIT : BACKLOG_COPY_LIMIT;
    if (bytes !== null && bytes.length <= most) {
      this.appendEncoded(bytes);
      this.messages += shared.messages - 1;
      return;
    }
    this.#appendHeld(shared.run);
  }

  /** Adds a message that is kept encoded, in one piece. */
  appendRun(run: SharedRun): void {
    if (run.bytes <= SHARED_COPY_LIMIT) this.appendEncoded(run.segments[0]);
    else this.#appendHeld(run);
  }

  #appendHeld(run: SharedRun): void {
    run.hold();
    this.#closeSegment();
    const { segments } = run;
    for (let i = 0; i < segments.length; i++) {
      this.#push(segments[i]);
      this.#hold(segments[i]);
    }
    this.#runs.push(run);
    this.#sharedBytes += run.bytes;
    this.bytes += run.bytes;
    this.messages += run.messages;
  }

  /** Adds bytes without framing. They count as one message. */
  appendRaw(bytes: Uint8Array): void {
    if (bytes.length <= COPY_LIMIT) {
      this.appendEncoded(bytes);
      return;
    }
    this.#closeSegment();
    this.#push(bytes);
    this.#hold(bytes);
    this.bytes += bytes.length;
    this.messages++;
  }

  #hold(body: Uint8Array): void {
    const lent = lentBody(body);
    if (lent === undefined) return;
    lent.hold(body);
    this.#held ??= [];
    this.#held.push(body);
    if (lent.byReference) this.#eased += eased(body);
  }

  #frame(body: Uint8Array, flags: number): void {
    const length = body.length;
    const copied = length <= COPY_LIMIT;
    const need = copied ? LONG_HEADER + length : LONG_HEADER;
    if (this.#slab === null || this.#end + need > this.#slab.length) this.#nextSlab(need);
    const slab = this.#slab as Buffer;
    const bodyAt = writeFrameHeader(slab, this.#end, flags, length);
    this.bytes += bodyAt - this.#end + length;
    if (copied) {
      if (length !== 0) slab.set(body, bodyAt);
      this.#end = bodyAt + length;
    } else {
      this.#end = bodyAt;
      this.#closeSegment();
      this.#push(body);
      this.#hold(body);
    }
  }

  #nextSlab(need: number): void {
    this.#closeSegment();
    const small = need <= SMALL_SLAB_BYTES && !this.#busy && this.#slabs.length === 0;
    this.#slab = acquireSlab(small ? SMALL_SLAB_BYTES : LARGE_SLAB_BYTES);
    this.#slabs.push(this.#slab);
    this.#start = 0;
    this.#end = 0;
  }

  #closeSegment(): void {
    if (this.#slab === null || this.#end === this.#start) return;
    this.#push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #push(segment: Uint8Array): void {
    this.#segments.push(segment);
    this.#lengths.push(segment.length);
  }

  /** Whether all memory given to `append` is still there. Must be checked before each write. */
  get intact(): boolean {
    for (let i = 0; i < this.#lengths.length; i++) {
      if (bytesNow(this.#segments[i]) !== this.#lengths[i]) return false;
    }
    return true;
  }

  /** The bytes for a gathered write. They stay valid until `release()`; nothing may be appended before it. */
  seal(): Uint8Array[] {
    this.#closeSegment();
    if (this.#first > 0 || this.#firstAt > 0) this.#compact();
    return this.#segments;
  }

  /** Removes the segments of dropped messages. */
  #compact(): void {
    const segments = this.#segments;
    const lengths = this.#lengths;
    segments.splice(0, this.#first);
    lengths.splice(0, this.#first);
    if (this.#firstAt > 0) {
      segments[0] = segments[0].subarray(this.#firstAt);
      lengths[0] -= this.#firstAt;
    }
    this.#first = 0;
    this.#firstAt = 0;
  }

  /** Drops the first message of a batch that has not been written. */
  dropOldest(): void {
    let more = true;
    while (more) {
      const header = this.#head();
      const at = this.#firstAt;
      const flags = header[at];
      const long = (flags & LONG) !== 0;
      const size = long ? LONG_HEADER + readLength(header, at + 1) : SHORT_HEADER + header[at + 1];
      this.bytes -= size;
      this.#skip(size);
      more = (flags & MORE) !== 0;
    }
    this.messages--;
    if (this.#first >= COMPACT_SEGMENTS && this.#first >= this.#segments.length / 2) this.#compact();
  }

  /** The index of the segment in which the next frame begins. */
  #head(): Uint8Array {
    if (this.#first === this.#segments.length) this.#closeSegment();
    const segment = this.#segments[this.#first];
    // Slabs are filled in order, so the slabs before this one are not needed any more.
    while (this.#slabs.length > 1 && this.#slabs[0].buffer !== segment.buffer) {
      if (!this.#slabs.some((slab) => slab.buffer === segment.buffer)) break;
      releaseSlab(this.#slabs.shift() as Buffer);
    }
    return segment;
  }

  #skip(size: number): void {
    let left = size;
    while (left > 0) {
      const segment = this.#head();
      const rest = this.#lengths[this.#first] - this.#firstAt; // the original length, even if the program transferred the memory
      if (left < rest) {
        this.#firstAt += left;
        return;
      }
      left -= rest;
      this.#firstAt = 0;
      this.#first++;
      if (this.#held !== null && this.#held[0] === segment) {
        this.#held.shift();
        const lent = lentBody(segment);
        if (lent?.byReference) this.#eased -= eased(segment);
        lent?.letGo(segment);
      }
      const [run] = this.#runs;
      if (run === undefined || run.segments[run.segments.length - 1] !== segment) continue;
      this.#runs.shift();
      this.#sharedBytes -= run.bytes;
      run.drop();
    }
  }

  /**
   * Adds the messages of another batch by copying them, if they are small: many small batches that are kept would be
   * mostly slabs and objects. False: it has not done so.
   */
  absorb(other: Batch): boolean {
    const { bytes } = other;
    if (bytes > ABSORBED_BYTES || this.bytes + bytes > LARGE_SLAB_BYTES) return false;
    if (other.#runs.length > 0 || other.#held !== null) return false;
    const segments = other.seal();
    // A body by reference makes a segment of its own, behind that of its header.
    if (segments.length !== 1) return false;
    this.#bare = other.#bare;
    this.appendEncoded(segments[0]);
    this.messages += other.messages - 1;
    return true;
  }

  /** Empties the batch and reuses its memory. Call when the kernel has taken everything, or the messages are dropped. */
  release(): void {
    // A batch that outgrew a small slab will probably do so again: skip the small one next time.
    this.#busy = this.bytes > SMALL_SLAB_BYTES;
    for (let i = 0; i < this.#slabs.length; i++) releaseSlab(this.#slabs[i]);
    this.#slabs.length = 0;
    this.#segments.length = 0;
    this.#lengths.length = 0;
    this.#slab = null;
    this.#start = 0;
    this.#end = 0;
    this.#first = 0;
    this.#firstAt = 0;
    this.bytes = 0;
    this.messages = 0;
    this.#bare = false;
    this.letGo();
  }

  /** Drops the batch without reusing its memory, because the kernel may still read it. */
  letGo(): void {
    this.#eased = 0;
    const held = this.#held;
    if (held !== null) {
      this.#held = null;
      for (const body of held) lentBody(body)?.letGo(body);
    }
    if (this.#runs.length === 0) return;
    const runs = this.#runs;
    this.#runs = [];
    this.#sharedBytes = 0;
    for (let i = 0; i < runs.length; i++) runs[i].drop();
  }

  /**
   * Call when a write of this batch broke off with `pending` bytes not taken. Drops the messages that the kernel took
   * whole. The rest begins with the message that it took in part: the peer discards that part (E9), and gets the message
   * again whole. Messages whose memory is gone are dropped, too.
   * @returns the number of messages whose memory was gone
   */
  dropTaken(pending: number): number {
    const segments = this.seal();
    const taken = Math.max(0, this.bytes - pending);
    const lengths = this.#lengths;
    this.#segments = [];
    this.#lengths = [];
    this.bytes = 0;
    this.messages = 0;
    this.#slab = null; // the next message starts a new slab
    this.#start = 0;
    this.#end = 0;
    let spoiled = 0;
    let position = 0;
    this.begunBytes = 0;
    const reader = new MessageReader(segments, lengths);
    while (reader.next()) {
      position += reader.bytes;
      if (position <= taken) continue;
      if (!reader.intact) {
        spoiled++;
        continue;
      }
      if (this.messages === 0) {
        this.begunBytes = Math.max(0, reader.bytes - (position - taken));
        this.firstBytes = reader.bodyBytes;
        this.#firstSize = reader.bytes;
      }
      for (const part of reader.segments()) {
        this.#push(part);
        this.bytes += part.length;
      }
      this.messages++;
    }
    this.#sharedBytes = Math.min(this.#sharedBytes, this.bytes); // an upper bound: it is not recorded whether dropped bytes were shared
    return spoiled;
  }

  /**
   * Before a write, where a part is in front of each message that not all peers get: takes it off, or puts an empty one there
   * if it was taken off for an earlier connection.
   */
  refront(wanted: boolean): void {
    if (this.#bare === !wanted) return;
    const segments = this.seal();
    if (!this.intact) return; // it will not be written
    this.#bare = !wanted;
    const result = refronted(segments, this.#lengths, wanted);
    this.#segments = [];
    this.#lengths = [];
    this.bytes = 0;
    this.#slab = null;
    this.#start = 0;
    this.#end = 0;
    for (const segment of result) {
      this.#push(segment);
      this.bytes += segment.length;
    }
    this.#sharedBytes = Math.min(this.#sharedBytes, this.bytes);
  }

  /** Drops the first message that dropTaken() has left. */
  dropFirst(): void {
    this.dropTaken(this.bytes - this.#firstSize);
  }
}
