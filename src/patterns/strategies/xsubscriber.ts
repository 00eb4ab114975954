/**
 * XSUB (RFC 29 §The XSUB Socket Type): as SUB but without the filter (J11). The application subscribes by sending messages:
 * 01 and the topic, or 00 and the topic to cancel. Any other message goes to all publishers (J16, J17).
 */

import { ZmqError } from "../../base/errors.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { FanOut } from "../fan-out.js";
import { overflowOf } from "../full-peer.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../strategy.js";
import { hasSubscriptions, subscriptionIn, subscriptionOf } from "../topics/subscription-message.js";
import { TopicSet } from "../topics/topic-set.js";

export class XSubscriberStrategy extends Strategy implements Sending, Receiving {
  readonly #topics = new TopicSet();
  readonly #connected = new Set<Pipe>();
  readonly #overflow = overflowOf(this.host);
  readonly #fanOut = new FanOut(this.host.unsent, this.#overflow);

  /** Number of subscriptions in effect. */
  get topics(): number {
    return this.#topics.size;
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  get canSend(): boolean {
    return true; // never waits for all peers
  }

  send(message: OutMessage): boolean {
    const subscription = subscriptionOf(message);
    if (subscription !== undefined) {
      const { topic, subscribe } = subscription;
      if (this.#take(topic, subscribe)) this.#tell(topic, subscribe);
    } else if (Array.isArray(message) && hasSubscriptions(message, this.host.options.onlyFirstSubscribe)) {
      this.#sendMixed(message);
    } else {
      this.#sendData(message);
    }
    return true;
  }

  #sendData(message: OutMessage): void {
    this.#fanOut.send(message, [...this.host.pipes]);
    this.#overflow.settle();
  }

  /** Removes from a message of several parts the subscriptions that need not be sent upstream (J17). */
  #sendMixed(parts: readonly Uint8Array[]): void {
    const rest = parts.filter((part) => {
      const subscription = subscriptionIn(part);
      return subscription === undefined || this.#take(subscription.topic, subscription.subscribe);
    });
    const found = rest.map(subscriptionIn);
    if (found.includes(undefined)) this.#sendData(rest.length === 1 ? rest[0] : rest);
    else for (const one of found) if (one !== undefined) this.#tell(one.topic, one.subscribe);
  }

  /**
   * Records a subscription or cancellation, and returns whether to send it upstream. Every subscription is sent, as libzmq
   * does, because a verbose XPUB reports each (J14). A cancellation is sent only for the last subscription of its topic,
   * because it ends the topic for all of them (J7, J9, J12), unless `verboseUnsubscribe` is set.
   * @throws ZmqError EINVAL for a topic above maxTopicLength
   */
  #take(topic: Buffer, subscribe: boolean): boolean {
    if (!subscribe) return this.#topics.remove(topic) || this.host.options.verboseUnsubscribe;
    const { maxTopicLength } = this.host.options;
    if (topic.length > maxTopicLength) {
      const detail = `a topic of ${topic.length} bytes exceeds maxTopicLength, which is ${maxTopicLength}`;
      throw new ZmqError("EINVAL", { detail });
    }
    this.#topics.add(topic);
    return true;
  }

  #tell(topic: Buffer, subscribe: boolean): void {
    for (const pipe of this.#connected) pipe.sendSubscription(topic, subscribe);
  }

  override connected(pipe: Pipe): void {
    this.#connected.add(pipe);
    for (const topic of this.#topics) pipe.sendSubscription(topic, true); // J10
  }

  override disconnected(pipe: Pipe): void {
    this.#connected.delete(pipe);
  }

  override get dropped(): number {
    return this.#overflow.dropped;
  }
}

export const XSUBSCRIBER: SocketType<XSubscriberStrategy> = {
  number: 10,
  name: "XSUB",
  strategy: XSubscriberStrategy,
  topics: "received",
};
