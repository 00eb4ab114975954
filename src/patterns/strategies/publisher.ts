/**
 * PUB (RFC 29 §The PUB Socket Type): sends each message to every subscriber with a matching topic. It drops the copy of a
 * full subscriber (J1 to J6), unless an option tells it to wait.
 */

import { Condition } from "../../base/condition.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { CallOptions } from "../../base/waiting.js";
import type { Pipe } from "../../engine/pipe.js";
import { overflowOf } from "../full-peer.js";
import {
  type LastValuesKept,
  type Sending,
  type SocketType,
  Strategy,
  type StrategyHost,
} from "../strategy.js";
import { Distributor } from "../topics/distributor.js";
import { Newcomers } from "../topics/newcomers.js";
import { hasSubscriptions, subscriptionIn } from "../topics/subscription-message.js";
import { isNew, Subscriptions } from "../topics/subscriptions.js";

/** The subscriptions of a socket's peers. One that exceeds a limit is ignored, and the application is told. */
export function subscriptionsOf(host: StrategyHost): Subscriptions {
  return new Subscriptions(host.options, host.turns, (pipe, limit, value) => {
    host.tellLimit(pipe.peer, limit, "ignored", value);
  });
}

export class PublisherStrategy extends Strategy implements Sending {
  readonly #overflow = overflowOf(this.host);
  readonly #subscriptions = subscriptionsOf(this.host);
  readonly #distributor = new Distributor(this.#subscriptions, this.host.options, this.host, this.#overflow);
  readonly #newcomers = new Newcomers(this.host, this.#subscriptions, this.#distributor, this.#overflow);
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
    return this.#subscribers.until(() => this.#subscriptions.subscribers >= count, options);
  }

  /** Number of different topics to which peers are subscribed. */
  get topics(): number {
    return this.#subscriptions.topics;
  }

  get canSend(): boolean {
    return this.#distributor.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.host.options.lastValue ? this.#newcomers.send(message) : this.#distributor.send(message);
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = this.#intercept;
    pipe.topics = "sent";
    this.#subscriptions.add(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#newcomers.left(pipe);
    this.#distributor.left();
    this.#subscriptions.remove(pipe);
    this.host.roomForSends(); // with noDrop a send may have waited for this one
  }

  override disconnected(pipe: Pipe): void {
    this.#newcomers.left(pipe);
    this.#distributor.left();
    this.#subscriptions.clear(pipe);
    this.host.roomForSends();
  }

  override subscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    if (!subscribe) {
      this.#subscriptions.cancel(pipe, topic);
      this.#newcomers.cancelled(pipe, topic);
      return;
    }
    const subscribed = this.#subscriptions.subscribe(pipe, topic);
    if (isNew(subscribed)) this.#newcomers.subscribed(pipe, topic);
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
    this.#subscribers.close(error);
    this.#newcomers.close();
    this.#subscriptions.close();
  }

  override writable(pipe: Pipe): void {
    this.#newcomers.writable(pipe);
  }

  override optionChanged(): void {
    this.#newcomers.optionChanged();
  }

  /** Forgets the last values of these topics, or all. */
  forget(topics: readonly Buffer[]): void {
    this.#newcomers.forget(topics);
  }

  override get catchingUp(): boolean {
    return this.#newcomers.catchingUp;
  }

  override get lastValues(): LastValuesKept {
    return this.#newcomers.kept;
  }

  override get dropped(): number {
    return this.#overflow.dropped;
  }
}

export const PUBLISHER: SocketType<PublisherStrategy> = {
  number: 1,
  name: "PUB",
  strategy: PublisherStrategy,
  singleConnection: true,
};
