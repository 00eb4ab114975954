/**
 * The portable frame decoder: the same contract as native/codec. Bytes in, tables of frames out; every limit is
 * enforced as soon as a header is complete and before memory is taken (E3, E4, E5, E6, E11, E15).
 * Knows no streams and no messages beyond counting the parts of one.
 */
import { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { FrameFault, type FrameLimits } from "../../wire/frame-limits.js";
import { readLength } from "../frame-header.js";

// Constants of this module: see frame-format.ts.
const { COMMAND, FRAME_ENTRY_SIZE, LONG, LONG_HEADER, MORE, SHORT_HEADER } = frameFormat;
const { none, frameTooLarge, commandTooLarge, tooManyParts, messageTooLarge } = FrameFault;

const TABLE_ENTRIES = 8192;
/** Bodies from here on get memory of their own when they do not lie whole in the chunk. */
const OWN_MEMORY_BYTES = 16384;
/** Never take more memory than this ahead of what has arrived. */
const AHEAD_BYTES = 16 * 1024 * 1024;
/** Beyond this, all decoders of the thread together, a body begins small and its memory follows what arrives by doubling. */
const AHEAD_TOTAL = AHEAD_BYTES;
/** Memory taken for bytes that have not arrived: nine bytes announce any size, and cost their sender nothing. */
let aheadOfAll = 0;

/**
 * Tables that no decoder is using. A table is valid only while its frames are handed over, so that decoders share a
 * few: with one each, an idle connection took 96 KiB more. More than one is needed only where handing over makes
 * another decoder work.
 */
const tables: Uint32Array[] = [];

/** Where decoded frames go; the same shape as the frame half of a stream handler. */
export interface DecoderSink {
  onFrames(chunk: Buffer, table: Uint32Array, count: number): void;
  onLargeFrame(body: Buffer, flags: number): void;
}

export class FrameDecoder {
  readonly #limits: FrameLimits;
  readonly #sink: DecoderSink;
  /** Bytes of a frame whose rest is still to come; small frames and headers only. */
  #carry: Buffer | null = null;
  /** A large body being filled. */
  #body: Buffer | null = null;
  #bodyLength = 0;
  #bodyFilled = 0;
  #bodyFlags = 0;
  /** What has been taken for the body, and not arrived. */
  #ahead = 0;
  #closed = false;
  #parts = 0;
  #messageBytes = 0;
  #fault: FrameFault = none;
  /** With a fault: the size, or the number of parts, that was too large. */
  faultSize = 0;

  constructor(limits: FrameLimits, sink: DecoderSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /**
   * Bytes that the large body being filled still lacks; 0 when none is. That many, and no more, may be pushed in
   * memory that is reused afterwards: they are only copied.
   */
  get bodyRemaining(): number {
    return this.#body === null ? 0 : this.#bodyLength - this.#bodyFilled;
  }

  /** Whether a frame has begun, and its end has not come. */
  get partial(): boolean {
    return this.#body !== null || this.#carry !== null;
  }

  /** Decode one chunk, which then belongs to the frames. After a fault nothing more is read. */
  push(chunk: Buffer): FrameFault {
    if (this.#fault !== none) return this.#fault;
    let input = chunk;
    if (this.#body !== null) {
      input = this.#fillBody(input);
      if (input.length === 0) return none;
    } else if (this.#carry !== null) {
      input = this.#completeCarry(input);
      if (input.length === 0) return this.#fault;
    }
    this.#parse(input);
    return this.#fault;
  }

  #parse(chunk: Buffer): void {
    const table = tables.pop() ?? new Uint32Array(TABLE_ENTRIES * FRAME_ENTRY_SIZE);
    try {
      this.#parseInto(table, chunk);
    } finally {
      tables.push(table);
    }
  }

  /** Parse frames from a chunk; what is cut off at its end is carried over. */
  #parseInto(table: Uint32Array, chunk: Buffer): void {
    const size = chunk.length;
    let at = 0;
    let count = 0;
    while (size - at >= 2) {
      const first = chunk[at];
      const header = (first & LONG) !== 0 ? LONG_HEADER : SHORT_HEADER;
      if (size - at < header) break;
      const length = header === 2 ? chunk[at + 1] : readLength(chunk, at + 1);
      const flags = (first & COMMAND) !== 0 ? COMMAND : first & MORE;
      const fault = this.#check(flags, length);
      if (fault !== none) {
        this.#flush(chunk, table, count);
        this.#fault = fault;
        this.faultSize = this.#excess(fault, length);
        return;
      }
      const bodyAt = at + header;
      if (length > size - bodyAt) {
        if (length < OWN_MEMORY_BYTES) break;
        this.#countPart(flags, length);
        this.#flush(chunk, table, count);
        this.#beginBody(length, flags, chunk.subarray(bodyAt));
        return;
      }
      this.#countPart(flags, length);
      if (count === TABLE_ENTRIES) {
        this.#flush(chunk, table, count);
        count = 0;
      }
      const entry = count * FRAME_ENTRY_SIZE;
      table[entry] = bodyAt;
      table[entry + 1] = length;
      table[entry + 2] = flags;
      count++;
      at = bodyAt + length;
    }
    this.#flush(chunk, table, count);
    if (at < size) this.#carry = Buffer.from(chunk.subarray(at));
  }

  /** What a fault says was too large. */
  #excess(fault: FrameFault, length: number): number {
    if (fault === tooManyParts) return this.#parts + 1;
    return fault === messageTooLarge ? this.#messageBytes + length : length;
  }

  #flush(chunk: Buffer, table: Uint32Array, count: number): void {
    if (count > 0) this.#sink.onFrames(chunk, table, count);
  }

  /** Join the carried bytes with just enough of the chunk for one frame; returns what is left of the chunk. */
  #completeCarry(chunk: Buffer): Buffer {
    const carry = this.#carry as Buffer;
    const header = (carry[0] & LONG) !== 0 ? LONG_HEADER : SHORT_HEADER;
    let need = header;
    if (carry.length >= header) need += header === 2 ? carry[1] : readLength(carry, 1);
    const take = Math.min(need - carry.length, chunk.length);
    const joined = Buffer.allocUnsafeSlow(carry.length + take);
    carry.copy(joined);
    chunk.copy(joined, carry.length, 0, take);
    this.#carry = null;
    this.#parse(joined);
    const rest = chunk.subarray(take);
    if (this.#fault !== none) return rest.subarray(rest.length);
    if (rest.length === 0) return rest;
    // The header was completed but not the body: go on with what the frame turned out to be.
    if (this.#body !== null) return this.#fillBody(rest);
    if (this.#carry !== null) return this.#completeCarry(rest);
    return rest;
  }

  #beginBody(length: number, flags: number, start: Buffer): void {
    const wanted = Math.min(length, AHEAD_BYTES);
    const memory = aheadOfAll + wanted > AHEAD_TOTAL ? OWN_MEMORY_BYTES : wanted;
    this.#body = Buffer.allocUnsafeSlow(memory);
    this.#setAhead(memory);
    this.#bodyLength = length;
    this.#bodyFlags = flags;
    this.#bodyFilled = 0;
    if (start.length > 0) this.#fillBody(start);
  }

  /** Returns what of the chunk lies behind the body. */
  #fillBody(chunk: Buffer): Buffer {
    const take = Math.min(this.#bodyLength - this.#bodyFilled, chunk.length);
    this.#reserve(this.#bodyFilled + take);
    const body = this.#body as Buffer;
    chunk.copy(body, this.#bodyFilled, 0, take);
    this.#bodyFilled += take;
    this.#setAhead(body.length - this.#bodyFilled);
    if (this.#bodyFilled === this.#bodyLength) {
      this.#body = null;
      this.#sink.onLargeFrame(body, this.#bodyFlags);
    }
    return chunk.subarray(take);
  }

  /** Grow a body above AHEAD_BYTES by doubling, so that memory follows what has arrived. */
  #reserve(bytes: number): void {
    const body = this.#body as Buffer;
    if (bytes <= body.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#bodyLength, Math.max(bytes, body.length * 2)));
    body.copy(grown, 0, 0, this.#bodyFilled);
    this.#body = grown;
  }

  #setAhead(bytes: number): void {
    const counted = this.#closed ? 0 : bytes;
    aheadOfAll += counted - this.#ahead;
    this.#ahead = counted;
  }

  /** Nothing more is fed: what was taken for a body that never came counts no longer. */
  close(): void {
    this.#closed = true;
    this.#setAhead(0);
    this.#body = null;
  }

  /** Checks a header against the limits. */
  #check(flags: number, length: number): FrameFault {
    const { maxFrameBytes, maxCommandBytes, maxParts, maxMessageBytes } = this.#limits;
    if (flags === COMMAND) return length > maxCommandBytes ? commandTooLarge : none;
    if (length > maxFrameBytes) return frameTooLarge;
    if (this.#parts >= maxParts) return tooManyParts;
    return this.#messageBytes + length > maxMessageBytes ? messageTooLarge : none;
  }

  #countPart(flags: number, length: number): void {
    if (flags === COMMAND) return;
    if (flags === MORE) {
      this.#parts++;
      this.#messageBytes += length;
    } else {
      this.#parts = 0;
      this.#messageBytes = 0;
    }
  }
}
