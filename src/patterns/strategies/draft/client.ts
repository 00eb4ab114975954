/**
 * CLIENT (RFC 41 §The CLIENT Socket Type; items N1, N2, N4): as DEALER, for messages of one part.
 */

import type { Message, OutMessage } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { LoadBalancer } from "../../load-balancer.js";
import { singlePart, skipMultipart } from "../../single-part.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../../strategy.js";

export class ClientStrategy extends Strategy implements Sending, Receiving {
  readonly #balancer = new LoadBalancer();

  get canSend(): boolean {
    return this.#balancer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.#balancer.send(singlePart(message));
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = skipMultipart;
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

export const CLIENT: SocketType<ClientStrategy> = {
  number: 13,
  name: "CLIENT",
  strategy: ClientStrategy,
  threadSafe: true,
};
