/**
 * PUSH (RFC 30 §The PUSH Socket Type): messages in turn to peers with room; never drops.
 */

import type { OutMessage } from "../../base/message.js";
import type { Pipe } from "../../engine/pipe.js";
import { LoadBalancer } from "../load-balancer.js";
import { discard, type Sending, type SocketType, Strategy } from "../strategy.js";

export class PushStrategy extends Strategy implements Sending {
  readonly #balancer = new LoadBalancer();

  get canSend(): boolean {
    return this.#balancer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.#balancer.send(message);
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = discard; // a PULL has nothing to say
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

export const PUSH: SocketType<PushStrategy> = { number: 8, name: "PUSH", strategy: PushStrategy };
