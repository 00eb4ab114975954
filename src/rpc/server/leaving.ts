/**
 * Finds clients that have left and gives up their calls, a few in each turn of the event loop: a client may leave any
 * number of calls behind, and others are served meanwhile.
 */
import type { Buffer } from "../../base/platform.js";
import type { PeerState, Peers } from "./peers.js";
import type { ServedCall } from "./served-call.js";

/** Calls given up in one turn: about a millisecond. */
const CALLS_PER_TURN = 256;

export class Leaving {
  readonly #peers: Peers;
  readonly #isThere: (routingId: Buffer) => boolean;
  readonly #later: (resume: () => void) => void;
  readonly #abandon: (call: ServedCall, reason: unknown) => void;
  /** Clients that are gone and have calls left. */
  readonly #gone: PeerState[] = [];
  #sweepDue = false;
  #sliceDue = false;

  /**
   * @param isThere whether a connection still exists
   * @param later calls back on a later turn of the event loop
   */
  constructor(
    peers: Peers,
    isThere: (routingId: Buffer) => boolean,
    later: (resume: () => void) => void,
    abandon: (call: ServedCall, reason: unknown) => void,
  ) {
    this.#peers = peers;
    this.#isThere = isThere;
    this.#later = later;
    this.#abandon = abandon;
  }

  /** A connection is gone. */
  disconnected(routingId: Buffer): void {
    // A client with a name of its own may come back under it before the next sweep.
    if (routingId.length > 0) this.#add(this.#peers.takeNamed(routingId));
    this.sweepSoon();
  }

  /** Somebody has left: looks for all who are gone, on a later turn. */
  sweepSoon(): void {
    if (this.#sweepDue) return;
    this.#sweepDue = true;
    this.#later(() => {
      this.#sweepDue = false;
      this.#add(this.#peers.takeGone(this.#isThere));
    });
  }

  /** Gives up what these clients have begun, the first part of it now. */
  #add(peers: readonly PeerState[]): void {
    for (const peer of peers) if (peer.calls.size > 0) this.#gone.push(peer);
    if (!this.#sliceDue) this.#slice(CALLS_PER_TURN);
  }

  /** Gives up everything that is left. */
  finish(): void {
    this.#slice(Number.POSITIVE_INFINITY);
  }

  #slice(most: number): void {
    let left = most;
    for (let peer = this.#gone.at(-1); peer !== undefined; peer = this.#gone.at(-1)) {
      const reason = new DOMException("The caller is gone", "AbortError");
      for (const call of peer.calls) {
        if (left-- === 0) {
          this.#continue();
          return;
        }
        this.#abandon(call, reason);
      }
      this.#gone.pop();
    }
  }

  #continue(): void {
    if (this.#sliceDue) return;
    this.#sliceDue = true;
    this.#later(() => {
      this.#sliceDue = false;
      this.#slice(CALLS_PER_TURN);
    });
  }
}
