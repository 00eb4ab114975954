/**
 * Handles a message for a peer whose queue is full, by the option `onFull` (J4, I5, N12). Counts dropped messages, reports
 * them once until the peer has room again, and disconnects a slow peer if the option asks for it. Knows only pipes.
 */

import type { OutMessage } from "../base/message.js";
import type { Shared } from "../engine/outgoing/shared-run.js";
import type { Pipe } from "../engine/pipe.js";
import type { OnFull } from "../options/options.js";

/** The socket's option, read each time, so that a change takes effect at once. null means the default of the type. */
export interface OverflowOptions {
  readonly onFull: OnFull | null;
}

/** Actions of a socket for a full peer. */
export interface FullPeer {
  /** Tells the application. */
  tell(pipe: Pipe, action: "dropped" | "closed"): void;
  /** Closes the connection. */
  close(pipe: Pipe): void;
}

export class Overflow {
  readonly #options: OverflowOptions;
  readonly #fullPeer: FullPeer;
  readonly #leaving = new Set<Pipe>();
  /** Dropped messages, or copies of one. */
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
   * @param shared the encoded message, if it is shared by many pipes
   */
  refused(pipe: Pipe, message: OutMessage, shared?: Shared): void {
    const { onFull } = this.#options;
    if (onFull === "disconnect" && pipe.linked) {
      this.#drop(pipe, 1);
      if (this.#leaving.has(pipe)) return;
      this.#leaving.add(pipe);
      this.#fullPeer.tell(pipe, "closed");
      return;
    }
    if (!pipe.overflowing) {
      pipe.overflowing = true;
      this.#fullPeer.tell(pipe, "dropped");
    }
    // Who was told may have ended its connection.
    if (onFull !== "dropOldest" || pipe.left) {
      this.#drop(pipe, 1);
      return;
    }
    this.#drop(pipe, pipe.dropOldest());
    const sent = shared === undefined ? pipe.trySend(message) : pipe.trySendShared(shared, message);
    if (!sent) this.#drop(pipe, 1);
  }

  #drop(pipe: Pipe, messages: number): void {
    this.dropped += messages;
    pipe.dropped += messages;
  }

  /** Close the connections of peers that were full. Not to be called while a message is being sent to others. */
  evict(): void {
    if (this.#leaving.size === 0) return;
    const leaving = [...this.#leaving];
    this.#leaving.clear();
    for (const pipe of leaving) {
      pipe.discardOutbound(); // for dialled endpoints too: do not keep the unsent messages for the next connection
      this.#fullPeer.close(pipe);
    }
  }
}
