/**
 * The portable frame decoder, with the same contract as native/codec: takes bytes and gives tables of frames. It enforces
 * every limit as soon as a header is complete, before it allocates memory (E3, E4, E5, E6, E11, E15). Of messages it only
 * counts parts and bytes.
 */
import { lentBody } from "../../base/lent.js";
import { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { FrameFault, type FrameLimits } from "../../wire/frame-limits.js";
import { readLength } from "../frame-header.js";

// Constants of this module: see frame-format.ts.
const { COMMAND, FRAME_ENTRY_SIZE, LONG, LONG_HEADER, MORE, SHORT_HEADER } = frameFormat;
const { none, frameTooLarge, commandTooLarge, tooManyParts, messageTooLarge } = FrameFault;

const TABLE_ENTRIES = 8192;
/** A body of at least this size gets its own memory if the chunk does not contain all of it. */
const OWN_MEMORY_BYTES = 16384;
/** Never allocate more memory than this ahead of the bytes that have arrived. */
const AHEAD_BYTES = 16 * 1024 * 1024;
/** Limit for all decoders of the thread together. Above it, a body's memory begins small and doubles as bytes arrive. */
const AHEAD_TOTAL = AHEAD_BYTES;
/** Memory allocated for bytes that have not arrived: a header of nine bytes can announce any size, at no cost to a peer. */
let aheadOfAll = 0;

/**
 * Tables that no decoder is using. A table is needed only while its frames are handed over, so decoders share a few: with
 * one each, an idle connection took 96 KiB more. More than one is needed only if the receiver of frames runs another
 * decoder.
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
  /** The first bytes of an incomplete small frame or header. */
  #carry: Buffer | null = null;
  /** A large body being filled. */
  #body: Buffer | null = null;
  #bodyLength = 0;
  #bodyFilled = 0;
  #bodyFlags = 0;
  /** Memory allocated for the body whose bytes have not arrived. */
  #ahead = 0;
  #closed = false;
  #parts = 0;
  #messageBytes = 0;
  #fault: FrameFault = none;
  /** Makes the memory of large bodies. */
  newBody: (bytes: number) => Buffer = Buffer.allocUnsafeSlow;
  /** After a fault: the size, or the number of parts, that was too large. */
  faultSize = 0;

  constructor(limits: FrameLimits, sink: DecoderSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /**
   * Missing bytes of the large body that is being filled; 0 if there is none. A chunk of at most so many bytes may be
   * reused after push(), because its bytes are only copied.
   */
  get bodyRemaining(): number {
    return this.#body === null ? 0 : this.#bodyLength - this.#bodyFilled;
  }

  /** Whether a frame is incomplete. */
  get partial(): boolean {
    return this.#body !== null || this.#carry !== null;
  }

  /**
   * Counts a frame that the caller has found itself, and delivers itself, between two chunks. Only when no frame is
   * incomplete.
   * @returns why it is refused
   */
  admit(flags: number, length: number): FrameFault {
    if (this.#fault !== none) return this.#fault;
    this.#fault = this.#check(flags, length);
    if (this.#fault === none) this.#countPart(flags, length);
    else this.faultSize = this.#excess(this.#fault, length);
    return this.#fault;
  }

  /** Decodes one chunk. Its memory belongs to the frames afterwards. After a fault it decodes nothing more. */
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

  /** Parses the frames of a chunk, and keeps an incomplete frame at its end. */
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

  /** The size or number that a fault reports. */
  #excess(fault: FrameFault, length: number): number {
    if (fault === tooManyParts) return this.#parts + 1;
    return fault === messageTooLarge ? this.#messageBytes + length : length;
  }

  #flush(chunk: Buffer, table: Uint32Array, count: number): void {
    if (count > 0) this.#sink.onFrames(chunk, table, count);
  }

  /** Joins the carried bytes with just enough of the chunk for one frame; returns the rest of the chunk. */
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
    // The header is now complete, but not the body: continue according to the frame's size.
    if (this.#body !== null) return this.#fillBody(rest);
    if (this.#carry !== null) return this.#completeCarry(rest);
    return rest;
  }

  #beginBody(length: number, flags: number, start: Buffer): void {
    const wanted = Math.min(length, AHEAD_BYTES);
    const memory = aheadOfAll + wanted > AHEAD_TOTAL ? OWN_MEMORY_BYTES : wanted;
    this.#body = this.newBody(memory);
    this.#setAhead(memory);
    this.#bodyLength = length;
    this.#bodyFlags = flags;
    this.#bodyFilled = 0;
    if (start.length > 0) this.#fillBody(start);
  }

  /** Returns the rest of the chunk after the body. */
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

  /** Grows a large body by doubling, so that its memory follows the bytes that have arrived. */
  #reserve(bytes: number): void {
    const body = this.#body as Buffer;
    if (bytes <= body.length) return;
    const grown = this.newBody(Math.min(this.#bodyLength, Math.max(bytes, body.length * 2)));
    body.copy(grown, 0, 0, this.#bodyFilled);
    lentBody(body)?.letGo(body);
    this.#body = grown;
  }

  #setAhead(bytes: number): void {
    const counted = this.#closed ? 0 : bytes;
    aheadOfAll += counted - this.#ahead;
    this.#ahead = counted;
  }

  /** The decoder gets no more bytes: stops counting the memory of a body that never arrived. */
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
