/**
 * The header of a frame: its flags, and its size in one byte or in eight (RFC 37 §Framing, items E1, E2). Hot path.
 */
import * as frameFormat from "../wire/frame-format.js";

// Constants of this module: see frame-format.ts.
const { LONG, LONG_HEADER, SHORT_BODY_MAX, SHORT_HEADER } = frameFormat;

/** Writes a header; returns the offset after it. */
export function writeFrameHeader(target: Uint8Array, at: number, flags: number, length: number): number {
  if (length <= SHORT_BODY_MAX) {
    target[at] = flags;
    target[at + 1] = length;
    return at + SHORT_HEADER;
  }
  target[at] = flags | LONG;
  const high = Math.floor(length / 0x100000000);
  target[at + 1] = 0;
  target[at + 2] = 0;
  target[at + 3] = high >>> 8;
  target[at + 4] = high;
  target[at + 5] = length >>> 24;
  target[at + 6] = length >>> 16;
  target[at + 7] = length >>> 8;
  target[at + 8] = length;
  return at + LONG_HEADER;
}

/** Reads a size of eight bytes. Exact below 2^53, which is far above any size that is sent or accepted. */
export function readLength(source: Uint8Array, at: number): number {
  const high = source[at] * 0x1000000 + ((source[at + 1] << 16) | (source[at + 2] << 8) | source[at + 3]);
  const low = source[at + 4] * 0x1000000 + ((source[at + 5] << 16) | (source[at + 6] << 8) | source[at + 7]);
  return high * 0x100000000 + low;
}
