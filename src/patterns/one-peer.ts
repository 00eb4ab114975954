/**
 * One peer at a time, as PAIR and CHANNEL have it (L1 to L3). Knows pipes and nothing else.
 */

import type { OutMessage } from "../base/message.js";
import type { Interceptor, Pipe } from "../engine/pipe.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { discard, type StrategyHost } from "./strategy.js";

export class OnePeer {
  readonly #host: StrategyHost;
  /** Looks at messages of the peer on arrival. */
  readonly #arrival: Interceptor | null;
  /** The peer's pipe; also one that is dialled and waits for its peer. */
  #pipe: Pipe | undefined = undefined;

  constructor(host: StrategyHost, arrival: Interceptor | null) {
    this.#host = host;
    this.#arrival = arrival;
  }

  get hasRoom(): boolean {
    return this.#pipe?.hasRoom() ?? false;
  }

  /** Queue at the peer; false where there is none, or where it has no room (L2). */
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

  /** Turns away a second peer. L1: libzmq leaves it open and mute; closed, its dialler comes back later. */
  announced(pipe: Pipe): void {
    if (this.#pipe === pipe) return;
    const text = "this socket has a peer already, and may have only one at a time";
    pipe.fail(new ProtocolError("peer-taken", text, { rule: "L1", kind: "other" }));
  }

  detach(pipe: Pipe): void {
    if (this.#pipe !== pipe) return;
    this.#pipe = undefined;
    // L3: an endpoint of ours that was turned away so far may have the place now.
    for (const other of this.#host.pipes) {
      this.#serve(other);
      break;
    }
  }
}
