/**
 * SCATTER (RFC 49 §The SCATTER Socket Type; items N1, N5): as PUSH, for messages of one part.
 */

import type { OutMessage } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { LoadBalancer } from "../../load-balancer.js";
import { singlePart } from "../../single-part.js";
import { discard, type Sending, type SocketType, Strategy } from "../../strategy.js";

export class ScatterStrategy extends Strategy implements Sending {
  readonly #balancer = new LoadBalancer();

  get canSend(): boolean {
    return this.#balancer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.#balancer.send(singlePart(message));
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = discard; // a GATHER has nothing to say
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

export const SCATTER: SocketType<ScatterStrategy> = {
  number: 17,
  name: "SCATTER",
  strategy: ScatterStrategy,
  threadSafe: true,
};
