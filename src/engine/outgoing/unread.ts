/**
 * Batches that lie in memory which the peer shares (ipc): written, but not read by the peer yet. They are kept, because
 * the memory tells exactly what a peer that died had read, and the rest is sent again. Knows no pipes.
 */
import type { Batch } from "./batch.js";
import type { Begun } from "./leftover.js";

/** How far the peer has read. Positions count bytes, sealed ones with CURVE. */
export interface Progress {
  readonly written: number;
  readonly passed: number;
  /** Bytes at the end of some written frames that the peer has not read, if it has not read `behind` positions up to there. */
  unread(segments: readonly Uint8Array[], behind: number): number;
  /** Positions that some frames took. */
  extent(segments: readonly Uint8Array[], bytes: number): number;
}

/** Batches that are kept one by one; of those beyond, small ones are put together. */
const KEPT_APART = 16;

export class Unread {
  readonly #progress: Progress;
  readonly #batches: Batch[] = [];
  /** The position behind each batch. */
  readonly #ends: number[] = [];

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /**
   * Keeps a batch of which the last byte has just been written.
   * @returns false if a copy is kept, so that the batch can be reused
   */
  add(batch: Batch): boolean {
    const { written } = this.#progress;
    if (this.#batches.length >= KEPT_APART && this.#putTogether(batch, written)) return false;
    this.#batches.push(batch);
    this.#ends.push(written);
    return true;
  }

  /** Batches that the peer has read by now, to be reused. */
  takeRead(): Batch[] {
    const { passed } = this.#progress;
    let read = 0;
    while (read < this.#ends.length && this.#ends[read] <= passed) read++;
    this.#ends.splice(0, read);
    return this.#batches.splice(0, read);
  }

  /** Puts a batch into the last one, unless something else was written between the two, such as a heartbeat. */
  #putTogether(batch: Batch, end: number): boolean {
    const last = this.#batches.length - 1;
    const begin = end - this.#progress.extent(batch.seal(), batch.bytes);
    if (begin !== this.#ends[last] || !this.#batches[last].absorb(batch)) return false;
    this.#ends[last] = end;
    return true;
  }

  /**
   * The connection is gone: gives back all batches.
   * @param byPeer whether the peer ended it. If zwire did, the peer still reads what is in its memory
   */
  reclaim(byPeer: boolean): Begun[] {
    const { passed } = this.#progress;
    return this.#batches.map((batch, i) => {
      return [batch, byPeer ? this.#progress.unread(batch.seal(), this.#ends[i] - passed) : 0];
    });
  }
}
