/**
 * Reusable memory for outgoing batches. Two sizes, so that a connection that sends one reply a second never holds
 * 64 KiB. Knows nothing of frames. One pool per thread: module state is per environment.
 */

/** Octets of a slab that begins a batch of unknown size. */
export const SMALL_SLAB_BYTES = 4096;
/** Octets of a slab for a busy pipe; also the size at which a batch is flushed. */
export const LARGE_SLAB_BYTES = 65536;
/** Free slabs of each size that are kept for reuse. */
const RETAINED_SLABS = 64;

const small: Buffer[] = [];
const large: Buffer[] = [];

/** A slab of at least `bytes` octets; its contents are undefined. */
export function acquireSlab(bytes: number): Buffer {
  if (bytes <= SMALL_SLAB_BYTES) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL_SLAB_BYTES);
  return large.pop() ?? Buffer.allocUnsafeSlow(LARGE_SLAB_BYTES);
}

/** Give back a slab whose octets nobody reads any more. */
export function releaseSlab(slab: Buffer): void {
  const pool = slab.length === SMALL_SLAB_BYTES ? small : large;
  if (pool.length < RETAINED_SLABS) pool.push(slab);
}
