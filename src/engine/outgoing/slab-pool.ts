/**
 * Reusable memory for outgoing batches, in two sizes, so that a connection that sends one reply a second never holds
 * 64 KiB. Each thread has its own pool, because module state belongs to a thread.
 */
import { Buffer } from "../../base/platform.js";

/** Bytes of a slab that begins a batch of unknown size. */
export const SMALL_SLAB_BYTES = 4096;
/** Bytes of a slab for a busy pipe; also the size at which a batch is flushed. */
export const LARGE_SLAB_BYTES = 65536;
/** Free slabs of each size that are kept for reuse. */
const RETAINED_SLABS = 64;

/** Memory that no program has access to. */
const own = new WeakSet<ArrayBufferLike>();

/** Allocates memory for outgoing bytes, to which only zwire has access. */
export function newSlab(bytes: number): Buffer {
  const slab = Buffer.allocUnsafeSlow(bytes);
  own.add(slab.buffer);
  return slab;
}

/** Whether bytes lie in zwire's own memory, which no program can transfer or resize. */
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

/** Returns a slab to the pool. Nothing may read its bytes afterwards. */
export function releaseSlab(slab: Buffer): void {
  const pool = slab.length === SMALL_SLAB_BYTES ? small : large;
  if (pool.length < RETAINED_SLABS) pool.push(slab);
}
