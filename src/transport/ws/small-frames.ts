/** Writes small messages, which most are, byte by byte. Hot path. */
import { BINARY, FIN, freshMask, MASKED, masks } from "./frame.js";

/** A small message of a client. @returns where the next one begins */
export function writeMasked(
  slab: Buffer,
  end: number,
  zws: number,
  segment: Uint8Array,
  from: number,
  length: number,
): number {
  const pool = masks;
  const pooled = freshMask();
  const [m0, m1, m2, m3] = [pool[pooled], pool[pooled + 1], pool[pooled + 2], pool[pooled + 3]];
  slab[end] = FIN | BINARY;
  slab[end + 1] = MASKED | (length + 1);
  slab[end + 2] = m0;
  slab[end + 3] = m1;
  slab[end + 4] = m2;
  slab[end + 5] = m3;
  slab[end + 6] = zws ^ m0;
  let to = end + 7;
  let at = from;
  for (const last = from + length - 3; at < last; at += 4, to += 4) {
    slab[to] = segment[at] ^ m1;
    slab[to + 1] = segment[at + 1] ^ m2;
    slab[to + 2] = segment[at + 2] ^ m3;
    slab[to + 3] = segment[at + 3] ^ m0;
  }
  const left = from + length - at;
  if (left > 0) slab[to] = segment[at] ^ m1;
  if (left > 1) slab[to + 1] = segment[at + 1] ^ m2;
  if (left > 2) slab[to + 2] = segment[at + 2] ^ m3;
  return to + left;
}

/** A small message of a server. @returns where the next one begins */
export function writePlain(
  slab: Buffer,
  end: number,
  zws: number,
  segment: Uint8Array,
  from: number,
  length: number,
): number {
  slab[end] = FIN | BINARY;
  slab[end + 1] = length + 1;
  slab[end + 2] = zws;
  const to = end + 3;
  for (let i = 0; i < length; i++) slab[to + i] = segment[from + i];
  return to + length;
}
