/**
 * Which part of some frames belongs to a part of what they become when they are sealed. Needed when a connection ends, and
 * so not kept in books: it follows from the frames. Each frame lies in one segment, or its body is all of the next segment.
 */
import * as frameFormat from "../../wire/frame-format.js";
import { sealedBytes } from "./message-box.js";

// Copied to constants of this module for speed: see frame-format.ts.
const { LONG, LONG_HEADER, SHORT_HEADER } = frameFormat;

/** The size of the body of the frame whose header begins at `at`. Reads 40 bits, because our own frames are smaller. */
export function bodyLength(bytes: Uint8Array, at: number): number {
  if ((bytes[at] & LONG) === 0) return bytes[at + 1];
  const low = bytes[at + 5] * 0x1000000 + ((bytes[at + 6] << 16) | (bytes[at + 7] << 8) | bytes[at + 8]);
  return bytes[at + 4] * 0x100000000 + low;
}

/** Goes through frames. Looks at headers only: a program may have transferred the memory of a body meanwhile. */
class Frames {
  /** Bytes of the frame, header included. */
  bytes = 0;
  /** Bytes that it has when it is sealed. */
  sealed = 0;
  readonly #segments: readonly Uint8Array[];
  #segment = 0;
  #at = 0;

  constructor(segments: readonly Uint8Array[]) {
    this.#segments = segments;
  }

  /** Goes to the next frame. False: there is none. */
  next(): boolean {
    const segment = this.#segments[this.#segment];
    if (segment === undefined) return false;
    const length = bodyLength(segment, this.#at);
    this.bytes = ((segment[this.#at] & LONG) === 0 ? SHORT_HEADER : LONG_HEADER) + length;
    this.sealed = sealedBytes(length);
    const end = this.#at + this.bytes;
    if (end > segment.length) this.#segment += 2;
    else if (end === segment.length) this.#segment++;
    this.#at = end < segment.length ? end : 0;
    return true;
  }
}

/**
 * How many plain bytes at the beginning of the frames were taken. A frame that was taken in part never counts with all its
 * bytes.
 * @param taken sealed bytes at the beginning of what they become that were taken
 */
export function plainTaken(segments: readonly Uint8Array[], taken: number): number {
  const frames = new Frames(segments);
  let position = 0;
  let left = taken;
  while (frames.next()) {
    if (frames.sealed > left) return position + Math.min(left, frames.bytes - 1);
    left -= frames.sealed;
    position += frames.bytes;
  }
  return position;
}

/**
 * How many plain bytes at the end of the frames were not read.
 * @param behind sealed bytes at the end of what they become that were not read; may be negative, or more than that
 */
export function plainUnread(segments: readonly Uint8Array[], behind: number): number {
  if (behind <= 0) return 0;
  let bytes = 0;
  let sealed = 0;
  const frames = new Frames(segments);
  while (frames.next()) {
    bytes += frames.bytes;
    sealed += frames.sealed;
  }
  return bytes - plainTaken(segments, Math.max(0, sealed - behind));
}

/** Bytes of the frames when they are sealed. */
export function sealedExtent(segments: readonly Uint8Array[]): number {
  const frames = new Frames(segments);
  let sealed = 0;
  while (frames.next()) sealed += frames.sealed;
  return sealed;
}
