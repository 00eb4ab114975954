/**
 * Batches that lie in memory which the peer shares (ipc): written, but not read by the peer yet. They are kept, because
 * the memory tells exactly what a peer that died had read, and the rest is sent again. Knows no pipes.
 */
import type { Batch } from "./batch.js";

/** How far the peer has read. Positions count bytes. */
export interface Progress {
  readonly written: number;
  readonly passed: number;
}

export class Unread {
  readonly #batches: Batch[] = [];
  /** The position behind each batch. */
  readonly #ends: number[] = [];

  /** Keeps a batch of which the last byte has just been written. */
  add(batch: Batch, { written }: Progress): void {
    this.#batches.push(batch);
    this.#ends.push(written);
  }

  /** The oldest batch, if the peer has read all of it; the caller releases it. */
  take(passed: number): Batch | undefined {
    if (this.#ends.length === 0 || this.#ends[0] > passed) return undefined;
    this.#ends.shift();
    return this.#batches.shift();
  }

  /**
   * The connection is gone: gives back all batches, and forgets them.
   * @returns each with the number of its bytes that the peer has not read
   */
  reclaim(passed: number): [batch: Batch, unread: number][] {
    const found = this.#batches.map((batch, i): [Batch, number] => {
      return [batch, Math.min(batch.bytes, Math.max(0, this.#ends[i] - passed))];
    });
    this.#batches.length = 0;
    this.#ends.length = 0;
    return found;
  }
}
