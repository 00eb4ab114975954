/**
 * Allows one peer at a time, for PAIR and CHANNEL (L1 to L3). Knows only pipes.
 */

import type { OutMessage } from "../base/message.js";
import type { Interceptor, Pipe } from "../engine/pipe.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { discard, type StrategyHost } from "./strategy.js";

export class OnePeer {
  readonly #host: StrategyHost;
  /** Inspects messages of the peer when they arrive. */
  readonly #arrival: Interceptor | null;
  /** The peer's pipe, or a dialled one that waits for its peer. */
  #pipe: Pipe | undefined = undefined;

  constructor(host: StrategyHost, arrival: Interceptor | null) {
    this.#host = host;
    this.#arrival = arrival;
  }

  get hasRoom(): boolean {
    return this.#pipe?.hasRoom() ?? false;
  }

  /** Queue at the peer; false if there is no peer or it has no room (L2). */
  send(message: OutMessage): boolean {
    return this.#pipe?.trySend(message) ?? false;
  }

  attach(pipe: Pipe): void {
    if (this.#pipe === undefined) this.#serve(pipe);
    else pipe.intercept = discard;
  }

  #serve(pipe: Pipe): void {
    this.#pipe = pipe;
    pipe.intercept = this.#arrival;
    this.#host.roomForSends();
  }

  /**
   * Closes the connection of a second peer (L1), so that its dialler tries again later. libzmq leaves it open without
   * using it.
   */
  announced(pipe: Pipe): void {
    if (this.#pipe === pipe) return;
    const text = "this socket has a peer already, and may have only one at a time";
    pipe.fail(new ProtocolError("peer-taken", text, { rule: "L1", kind: "other" }));
  }

  detach(pipe: Pipe): void {
    if (this.#pipe !== pipe) return;
    this.#pipe = undefined;
    // L3: a dialled endpoint that had to wait so far gets the place now.
    for (const other of this.#host.pipes) {
      this.#serve(other);
      break;
    }
  }
}
