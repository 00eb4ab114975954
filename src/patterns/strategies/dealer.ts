/**
 * DEALER (RFC 28 §The DEALER Socket Type): messages in turn to peers with room and from all peers in turn, their parts
 * untouched (I1, I2).
 */

import type { Message, OutMessage } from "../../base/message.js";
import type { Pipe } from "../../engine/pipe.js";
import { LoadBalancer } from "../load-balancer.js";
import { sendProbe } from "../probe.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../strategy.js";

export class DealerStrategy extends Strategy implements Sending, Receiving {
  readonly #balancer = new LoadBalancer();

  get canSend(): boolean {
    return this.#balancer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.#balancer.send(message);
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    if (this.host.options.probeRouter) sendProbe(pipe);
    this.#balancer.add(pipe);
    this.host.roomForSends();
  }

  override detach(pipe: Pipe): void {
    this.#balancer.remove(pipe);
  }

  override writable(pipe: Pipe): void {
    this.#balancer.activate(pipe);
  }
}

export const DEALER: SocketType<DealerStrategy> = {
  number: 5,
  name: "DEALER",
  strategy: DealerStrategy,
  singleConnection: true,
};
