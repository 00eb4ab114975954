/**
 * Handles a message for a peer whose queue is full, by the option `onFull` (J4, I5, N12). Counts dropped messages, reports
 * them once until the peer has room again, and disconnects a slow peer if the option asks for it. Knows only pipes.
 */

import type { OutMessage } from "../base/message.js";
import type { Shared } from "../engine/outgoing/shared-run.js";
import type { Pipe, ReachedLimit } from "../engine/pipe.js";
import type { OnFull } from "../options/options.js";

/** The socket's option, read each time, so that a change takes effect at once. null means the default of the type. */
export interface OverflowOptions {
  readonly onFull: OnFull | null;
}

type Action = "dropped" | "closed";

/** Actions of a socket for a full peer. */
export interface FullPeer {
  /** Tells the application. */
  tell(pipe: Pipe, action: Action, reached: ReachedLimit): void;
  /** Closes the connection. */
  close(pipe: Pipe): void;
}

/** What the application is to be told. */
interface Refusal {
  readonly pipe: Pipe;
  readonly action: Action;
  readonly reached: ReachedLimit;
}

export class Overflow {
  readonly #options: OverflowOptions;
  readonly #fullPeer: FullPeer;
  readonly #leaving = new Set<Pipe>();
  #untold: Refusal[] = [];
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
   * A pipe has refused a message. Call settle() when the message has been given to all.
   * @param shared the encoded message, if it is shared by many pipes
   */
  refused(pipe: Pipe, message: OutMessage, shared?: Shared): void {
    const { onFull } = this.#options;
    if (onFull === "disconnect" && pipe.linked) {
      this.#drop(pipe, 1);
      if (this.#leaving.has(pipe)) return;
      this.#leaving.add(pipe);
      this.#untold.push({ pipe, action: "closed", reached: pipe.reached });
      return;
    }
    if (!pipe.overflowing) {
      pipe.overflowing = true;
      this.#untold.push({ pipe, action: "dropped", reached: pipe.reached });
    }
    if (onFull !== "dropOldest") {
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

  /**
   * Tells the application of peers that were full, and closes the connections of those that must go. Only when the message has
   * been given to all: a listener may send another one, or end connections.
   */
  settle(): void {
    if (this.#untold.length === 0) return;
    const untold = this.#untold;
    this.#untold = [];
    for (const { pipe, action, reached } of untold) {
      // Who was told of another may have ended the connection.
      if (!pipe.left) this.#fullPeer.tell(pipe, action, reached);
    }
    const leaving = [...this.#leaving];
    this.#leaving.clear();
    for (const pipe of leaving) {
      pipe.discardOutbound(); // for dialled endpoints too: do not keep the unsent messages for the next connection
      this.#fullPeer.close(pipe);
    }
  }
}
