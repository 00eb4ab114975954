/**
 * What lost connections have left: batches that are sent before everything else on the next one. Drops what was taken, and
 * gives up a message within which too many connections ended (resends.ts). Knows no streams.
 */
import type { Batch } from "./batch.js";
import { Resends } from "./resends.js";

/** A batch that was given to a stream, and the number of its bytes at the end that were not taken. */
export type Begun = readonly [batch: Batch, untaken: number];

export class Leftover {
  /** Messages and bytes that wait here. */
  messages = 0;
  bytes = 0;
  #batches: Batch[] = [];
  /** Counts connections in a row that ended within the first message; null if the last one did not. */
  #resends: Resends | null = null;
  /** Bytes of the message that was given up when the last connection ended; -1 for none. */
  #givenUp = -1;

  /** The next batch to send, or undefined. It is not counted here any more. */
  take(): Batch | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    this.messages -= batch.messages;
    this.bytes -= batch.bytes;
    return batch;
  }

  /** A peer has taken a batch: it refuses none of its messages. An attempt to connect that fails means the same. */
  forget(): void {
    this.#resends = null;
  }

  /**
   * A connection is lost: keeps what was not taken, in front of what waits.
   * @param begun the batches that it had got, oldest first
   * @param byPeer whether the peer ended it
   * @param maxResends how often to resend a message during which the peer ended the connection; -1 for no limit
   * @returns batches of which nothing is left, to be reused
   */
  add(begun: readonly Begun[], byPeer: boolean, maxResends: number): Batch[] {
    if (begun.length === 0) {
      if (this.#batches.length > 0) this.forget(); // it ended before it got any of them
      return [];
    }
    for (let i = 0; i < begun.length; i++) {
      const [batch, untaken] = begun[i];
      if (i === 0) this.#broken(batch, untaken, byPeer, maxResends);
      else batch.dropTaken(untaken);
    }
    const batches = begun.map(([batch]) => batch);
    this.#batches = [...batches.filter((batch) => batch.messages > 0), ...this.#batches];
    this.messages = 0;
    this.bytes = 0;
    for (const batch of this.#batches) {
      this.messages += batch.messages;
      this.bytes += batch.bytes;
    }
    return batches.filter((batch) => batch.messages === 0);
  }

  /** Drops what was taken of a batch, and also the next message if too many connections ended within it. */
  #broken(batch: Batch, untaken: number, byPeer: boolean, maxResends: number): void {
    const { messages } = batch;
    batch.dropTaken(untaken);
    if (batch.messages < messages || batch.begunBytes === 0 || !byPeer) this.#resends = null;
    if (batch.begunBytes === 0 || !byPeer) return;
    this.#resends ??= new Resends();
    if (this.#resends.again(batch.begunBytes, maxResends)) return;
    this.#resends = null;
    this.#givenUp = batch.firstBytes;
    batch.dropFirst();
  }

  /** Bytes of the message that was given up when the connection ended, or -1. Resets it. */
  takeGivenUp(): number {
    const bytes = this.#givenUp;
    this.#givenUp = -1;
    return bytes;
  }

  /** Drops everything, and gives it back. */
  clear(): Batch[] {
    const batches = this.#batches;
    this.#batches = [];
    this.#resends = null;
    this.messages = 0;
    this.bytes = 0;
    return batches;
  }
}

/** Of pipes that have lost nothing, which are most: nothing may be added to it. */
export const NOTHING_LEFT = new Leftover();
