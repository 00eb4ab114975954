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
}

export class Unread {
  readonly #progress: Progress;
  readonly #batches: Batch[] = [];
  /** The position behind each batch. */
  readonly #ends: number[] = [];

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** Keeps a batch of which the last byte has just been written. */
  add(batch: Batch): void {
    this.#batches.push(batch);
    this.#ends.push(this.#progress.written);
  }

  /** Batches that the peer has read by now, to be reused. */
  takeRead(): Batch[] {
    const { passed } = this.#progress;
    let read = 0;
    while (read < this.#ends.length && this.#ends[read] <= passed) read++;
    this.#ends.splice(0, read);
    return this.#batches.splice(0, read);
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
