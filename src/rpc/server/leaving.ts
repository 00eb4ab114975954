/**
 * Clean-up behind clients that are gone, some calls in each turn of the event loop: a client may leave any number of calls
 * behind, and others are served meanwhile.
 */
import type { PeerState } from "./peers.js";
import type { ServedCall } from "./served-call.js";

/** Calls given up in one turn: about a millisecond. */
const CALLS_PER_TURN = 256;

export class Leaving {
  readonly #abandon: (call: ServedCall, reason: unknown) => void;
  readonly #later: (resume: () => void) => void;
  readonly #peers: PeerState[] = [];
  #due = false;

  /** @param later calls back on a later turn */
  constructor(abandon: (call: ServedCall, reason: unknown) => void, later: (resume: () => void) => void) {
    this.#abandon = abandon;
    this.#later = later;
  }

  /** Clients that are gone: what they have begun is given up, the first of it now. */
  add(peers: readonly PeerState[]): void {
    for (const peer of peers) if (peer.calls.size > 0) this.#peers.push(peer);
    if (!this.#due) this.#slice(CALLS_PER_TURN);
  }

  /** Give up all that is left. */
  finish(): void {
    this.#slice(Number.POSITIVE_INFINITY);
  }

  #slice(most: number): void {
    let left = most;
    for (let peer = this.#peers.at(-1); peer !== undefined; peer = this.#peers.at(-1)) {
      const reason = new DOMException("The caller is gone", "AbortError");
      for (const call of peer.calls) {
        if (left-- === 0) {
          this.#continue();
          return;
        }
        this.#abandon(call, reason);
      }
      this.#peers.pop();
    }
  }

  #continue(): void {
    if (this.#due) return;
    this.#due = true;
    this.#later(() => {
      this.#due = false;
      this.#slice(CALLS_PER_TURN);
    });
  }
}
