/**
 * PAIR (RFC 31 §The PAIR Socket Type): one peer at a time, both ways (L1 to L4).
 */

import type { Message, OutMessage } from "../../base/message.js";
import type { Interceptor, Pipe } from "../../engine/pipe.js";
import { OnePeer } from "../one-peer.js";
import { type Receiving, type Sending, type SocketType, Strategy, type StrategyHost } from "../strategy.js";

export class PairStrategy extends Strategy implements Sending, Receiving {
  readonly #peer: OnePeer;

  /** @param arrival inspects messages of the peer when they arrive */
  constructor(host: StrategyHost, arrival: Interceptor | null = null) {
    super(host);
    this.#peer = new OnePeer(host, arrival);
  }

  get canSend(): boolean {
    return this.#peer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.#peer.send(message);
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    this.#peer.attach(pipe);
  }

  override announced(pipe: Pipe): void {
    this.#peer.announced(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#peer.detach(pipe);
  }
}

export const PAIR: SocketType<PairStrategy> = { number: 0, name: "PAIR", strategy: PairStrategy };
