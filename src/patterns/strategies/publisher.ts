/**
 * PUB (RFC 29 §The PUB Socket Type): sends each message to every subscriber with a matching topic. It drops the copy of a
 * full subscriber (J1 to J6), unless an option tells it to wait.
 */

import { Condition } from "../../base/condition.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { CallOptions } from "../../base/waiting.js";
import type { Pipe } from "../../engine/pipe.js";
import type { Sending, SocketType, StrategyHost } from "../strategy.js";
import { hasSubscriptions, subscriptionIn } from "../topics/subscription-message.js";
import { isNew } from "../topics/subscriptions.js";
import { Publishing } from "./publishing.js";

export class PublisherStrategy extends Publishing implements Sending {
  readonly #subscribers = new Condition(this.host.turns);
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    this.#upstream(pipe, message);
    return true;
  };

  constructor(host: StrategyHost) {
    super(host);
    host.holdWhenLate(() => host.attached);
  }

  /** Resolves when at least so many peers have a subscription. */
  waitForSubscribers(count: number, options: CallOptions | undefined): Promise<void> {
    return this.#subscribers.until(() => this.subscriptions.subscribers >= count, options);
  }

  send(message: OutMessage): boolean {
    return this.host.options.lastValue ? this.newcomers.send(message) : this.distributor.send(message);
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = this.#intercept;
    this.subscriptions.add(pipe);
  }

  override detach(pipe: Pipe): void {
    this.newcomers.left(pipe);
    this.distributor.left();
    this.subscriptions.remove(pipe);
    this.host.roomForSends(); // with noDrop a send may have waited for this one
  }

  override disconnected(pipe: Pipe): void {
    this.newcomers.left(pipe);
    this.distributor.left();
    this.subscriptions.clear(pipe);
    this.host.roomForSends();
  }

  override subscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    if (!subscribe) {
      this.subscriptions.cancel(pipe, topic);
      this.newcomers.cancelled(pipe, topic);
      return;
    }
    const subscribed = this.subscriptions.subscribe(pipe, topic);
    if (isNew(subscribed)) this.newcomers.subscribed(pipe, topic);
    if (subscribed !== "refused") this.#subscribers.notify();
  }

  /** Subscriptions in message form (F3, A7); anything else from a subscriber is discarded (J6). */
  #upstream(pipe: Pipe, message: Message): void {
    if (message.length > 1 && !hasSubscriptions(message, this.host.options.onlyFirstSubscribe)) return;
    for (const part of message) {
      const subscription = subscriptionIn(part);
      if (subscription !== undefined) this.subscription(pipe, subscription.topic, subscription.subscribe);
    }
  }

  override close(error: Error): void {
    super.close(error);
    this.#subscribers.close(error);
  }
}

export const PUBLISHER: SocketType<PublisherStrategy> = {
  number: 1,
  name: "PUB",
  strategy: PublisherStrategy,
  topics: "sent",
  singleConnection: true,
};
