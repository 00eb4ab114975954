/**
 * What happens to a message for a peer whose queue is full, where nobody waits for it (J4, I5, N12). Counts what is
 * dropped, tells of it once until the peer has room again, and parts with a peer that is not to hold others up. Knows
 * pipes and nothing else.
 */

import type { OutMessage } from "../base/message.js";
import type { Shared } from "../engine/outgoing/shared-run.js";
import type { Pipe } from "../engine/pipe.js";
import type { OnFull } from "../options/options.js";

/** The socket's option, read afresh: a change takes effect at once. null is the type's own way. */
export interface OverflowOptions {
  readonly onFull: OnFull | null;
}

/** What a socket does about a full peer. */
export interface FullPeer {
  /** Tell the application. */
  tell(pipe: Pipe, action: "dropped" | "closed"): void;
  /** Close the connection. */
  close(pipe: Pipe): void;
}

export class Overflow {
  readonly #options: OverflowOptions;
  readonly #fullPeer: FullPeer;
  readonly #leaving = new Set<Pipe>();
  /** Messages, or copies of one, that were dropped. */
  dropped = 0;

  constructor(options: OverflowOptions, fullPeer: FullPeer) {
    this.#options = options;
    this.#fullPeer = fullPeer;
  }

  /** Whether a send waits until the peer has room. */
  get waits(): boolean {
    return this.#options.onFull === "wait";
  }

  /**
   * A pipe has refused a message.
   * @param shared where the message is encoded for many pipes
   */
  refused(pipe: Pipe, message: OutMessage, shared?: Shared): void {
    const { onFull } = this.#options;
    if (onFull === "disconnect" && pipe.linked) {
      this.dropped++;
      if (this.#leaving.has(pipe)) return;
      this.#leaving.add(pipe);
      this.#fullPeer.tell(pipe, "closed");
      return;
    }
    if (!pipe.overflowing) {
      pipe.overflowing = true;
      this.#fullPeer.tell(pipe, "dropped");
    }
    if (onFull !== "dropOldest") {
      this.dropped++;
      return;
    }
    this.dropped += pipe.dropOldest();
    const sent = shared === undefined ? pipe.trySend(message) : pipe.trySendShared(shared, message);
    if (!sent) this.dropped++;
  }

  /** Close the connections of peers that were full; not while a message is on its way to others. */
  evict(): void {
    if (this.#leaving.size === 0) return;
    const leaving = [...this.#leaving];
    this.#leaving.clear();
    for (const pipe of leaving) {
      pipe.discardOutbound(); // also where we dialled: what it did not take is not kept for its return
      this.#fullPeer.close(pipe);
    }
  }
}
