/**
 * Reusable memory for outgoing batches. Two sizes, so that a connection that sends one reply a second never holds
 * 64 KiB. Knows nothing of frames. One pool per thread: module state is per environment.
 */
import { Buffer } from "../../base/platform.js";

/** Bytes of a slab that begins a batch of unknown size. */
export const SMALL_SLAB_BYTES = 4096;
/** Bytes of a slab for a busy pipe; also the size at which a batch is flushed. */
export const LARGE_SLAB_BYTES = 65536;
/** Free slabs of each size that are kept for reuse. */
const RETAINED_SLABS = 64;

/** Memory that no program ever sees. */
const own = new WeakSet<ArrayBufferLike>();

/** New memory for bytes on their way out, which only we have. */
export function newSlab(bytes: number): Buffer {
  const slab = Buffer.allocUnsafeSlow(bytes);
  own.add(slab.buffer);
  return slab;
}

/** Whether bytes lie in memory that no program can give away. */
export function isOwn(bytes: Uint8Array): boolean {
  return own.has(bytes.buffer);
}

const small: Buffer[] = [];
const large: Buffer[] = [];

/** A slab of at least `bytes`; its contents are undefined. */
export function acquireSlab(bytes: number): Buffer {
  if (bytes <= SMALL_SLAB_BYTES) return small.pop() ?? newSlab(SMALL_SLAB_BYTES);
  return large.pop() ?? newSlab(LARGE_SLAB_BYTES);
}

/** Give back a slab whose bytes nobody reads any more. */
export function releaseSlab(slab: Buffer): void {
  const pool = slab.length === SMALL_SLAB_BYTES ? small : large;
  if (pool.length < RETAINED_SLABS) pool.push(slab);
}
