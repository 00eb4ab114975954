/**
 * Common base of the types that send each message to one peer, in turn among the peers with room (RFC 28, RFC 30, RFC 41,
 * RFC 49): DEALER, REQ, PUSH, CLIENT, SCATTER.
 */
import type { OutMessage } from "../base/message.js";
import type { Pipe } from "../engine/pipe.js";
import { LoadBalancer } from "./load-balancer.js";
import { type Sending, Strategy } from "./strategy.js";

export abstract class TurnTaking extends Strategy implements Sending {
  protected readonly balancer = new LoadBalancer();

  get canSend(): boolean {
    return this.balancer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.balancer.send(message);
  }

  override attach(pipe: Pipe): void {
    this.balancer.add(pipe);
    this.host.roomForSends();
  }

  override detach(pipe: Pipe): void {
    this.balancer.remove(pipe);
  }

  override writable(pipe: Pipe): void {
    this.balancer.activate(pipe);
  }
}
