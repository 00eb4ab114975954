/**
 * XPUB (RFC 29 §The XPUB Socket Type): as PUB, but the application can read the subscriptions as messages: 01 and the topic,
 * or 00 and the topic to cancel (J13 to J16, J20, J21, J23).
 */

import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import type { Receiving, Sending, SocketType, StrategyHost } from "../strategy.js";
import {
  hasSubscriptions,
  subscriptionIn,
  subscriptionMessage,
  subscriptionOf,
} from "../topics/subscription-message.js";
import { isNew } from "../topics/subscriptions.js";
import { Publishing, subscriptionsOf } from "./publishing.js";

export class XPublisherStrategy extends Publishing implements Sending, Receiving {
  /** With `manual`: the subscriptions that peers asked for. */
  readonly #asked = subscriptionsOf(this.host);
  /** Pipes that have a peer now. */
  readonly #connected = new Set<Pipe>();
  /** With `manual`: the peer of the subscription read last. `manualLastValue` resets it after a send. */
  #newest: Pipe | undefined = undefined;
  override readonly onlySends = true;
  /** Returns true for consumed messages. Messages of the subscriber, and subscriptions to report, are queued. */
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    if (message.length > 1) return this.#takeParts(pipe, message);
    const subscription = subscriptionIn(message[0]);
    return subscription !== undefined && !this.#apply(pipe, subscription.topic, subscription.subscribe);
  };

  constructor(host: StrategyHost) {
    super(host);
    // With `manual`, a message goes to the peer of the subscription read last, which may change while a send waits.
    host.holdWhenLate(() => host.attached && !host.options.manual);
  }

  /** With `manual`: subscribes the peer of the subscription read last. */
  subscribe(topic: Buffer): void {
    const pipe = this.#current();
    if (pipe !== undefined && isNew(this.subscriptions.subscribe(pipe, topic)))
      this.newcomers.subscribed(pipe, topic);
  }

  /** With `manual`: undoes subscribe() for the peer of the subscription read last. */
  unsubscribe(topic: Buffer): void {
    const pipe = this.#current();
    if (pipe === undefined) return;
    this.subscriptions.cancel(pipe, topic);
    this.newcomers.cancelled(pipe, topic);
  }

  /** The peer that subscribe() applies to; undefined when it has left (J21). */
  #current(): Pipe | undefined {
    // With `manualLastValue`, a message sent since then has already answered the subscription.
    const pipe = this.host.options.manualLastValue ? this.#newest : this.host.inbound.last;
    return pipe !== undefined && this.#connected.has(pipe) ? pipe : undefined;
  }

  send(message: OutMessage): boolean {
    const { manual, manualLastValue, lastValue } = this.host.options;
    if (lastValue) return this.newcomers.send(message); // which excludes manualLastValue
    const newest = this.#newest;
    if (newest === undefined || !manual || !manualLastValue || !this.#connected.has(newest)) {
      return this.distributor.send(message);
    }
    if (!this.distributor.send(message, newest)) return false;
    this.#newest = undefined;
    return true;
  }

  next(): Message | undefined {
    const { inbound, options } = this.host;
    const message = inbound.next();
    if (message !== undefined && options.manual) this.#newest = inbound.last;
    return message;
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = this.#intercept;
    this.subscriptions.add(pipe);
    this.#asked.add(pipe);
  }

  override connected(pipe: Pipe): void {
    for (const subscriptions of [this.#asked, this.subscriptions]) subscriptions.settle(pipe);
    this.#connected.add(pipe);
    const { welcomeMessage } = this.host.options;
    if (welcomeMessage !== null && welcomeMessage.length > 0) pipe.trySend(welcomeMessage); // J23
  }

  override disconnected(pipe: Pipe): void {
    this.#left(pipe);
    this.host.roomForSends();
  }

  override detach(pipe: Pipe): void {
    this.#left(pipe); // also if this socket dropped it: every reported subscription gets a reported end
    this.subscriptions.remove(pipe);
    this.#asked.remove(pipe);
    this.host.roomForSends(); // with noDrop a send may have waited for this one
  }

  /** J15: reports the end of the subscriptions of a peer that left, as if it had cancelled them. */
  #left(pipe: Pipe): void {
    this.#connected.delete(pipe);
    this.newcomers.left(pipe);
    if (this.#newest === pipe) this.#newest = undefined;
    this.distributor.left();
    const { manual } = this.host.options;
    const { peer } = pipe;
    let here = true;
    const ended = {
      topic: (topic: Buffer, last: boolean) => {
        if (!last && !manual && this.host.options.verbosity !== "allSubsUnsubs") return;
        pipe.enqueue([subscriptionMessage(topic, false)]);
      },
      told: () => {
        if (this.host.closed || pipe.inboundLength === 0) return;
        if (!here) this.host.inbound.parted(pipe, peer); // runs after disconnected(), but this peer is the sender
        this.host.pipeReadable(pipe);
      },
    };
    this.subscriptions.clear(pipe, manual ? undefined : ended);
    this.#asked.clear(pipe, manual ? ended : undefined);
    here = false;
  }

  override subscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    if (!this.#apply(pipe, topic, subscribe)) return;
    pipe.enqueue([subscriptionMessage(topic, subscribe)]); // F4
    this.host.pipeReadable(pipe);
  }

  /** Splits a message of several parts: each subscription ends a message of its own, with the parts before it (J17). */
  #takeParts(pipe: Pipe, message: Message): boolean {
    if (!hasSubscriptions(message, this.host.options.onlyFirstSubscribe)) return false;
    let told: Message = [];
    for (const part of message) {
      const subscription = subscriptionIn(part);
      if (subscription !== undefined && !this.#apply(pipe, subscription.topic, subscription.subscribe))
        continue;
      told.push(part);
      if (subscription === undefined) continue;
      pipe.enqueue(told);
      told = [];
    }
    if (told.length > 0) pipe.enqueue(told);
    return true;
  }

  /** Registers a subscription or its end; returns whether to report it to the application (J13, J14). */
  #apply(pipe: Pipe, topic: Buffer, subscribe: boolean): boolean {
    const { manual, verbosity, maxTopicLength } = this.host.options;
    const ledger = manual ? this.#asked : this.subscriptions;
    if (subscribe) {
      const registered = ledger.subscribe(pipe, topic);
      if (!manual && isNew(registered)) this.newcomers.subscribed(pipe, topic);
      return registered !== "refused" && (manual || registered === "first" || verbosity !== null);
    }
    // A topic above maxTopicLength cannot be subscribed to, so its cancellation is not reported either.
    if (topic.length > maxTopicLength) return false;
    if (!manual) this.newcomers.cancelled(pipe, topic);
    return ledger.cancel(pipe, topic) || manual || verbosity === "allSubsUnsubs";
  }

  override close(error: Error): void {
    super.close(error);
    this.#asked.close();
  }

  /** S13: drops the peer's messages, but keeps the reports about its subscriptions. */
  override kept(pipe: Pipe): readonly Message[] {
    const kept: Message[] = [];
    for (let message = pipe.read(); message !== undefined; message = pipe.read()) {
      if (subscriptionOf(message) !== undefined) kept.push(message);
    }
    return kept;
  }
}

export const XPUBLISHER: SocketType<XPublisherStrategy> = {
  number: 9,
  name: "XPUB",
  strategy: XPublisherStrategy,
  topics: "sent",
};
