/**
 * SUB (RFC 29 §The SUB Socket Type): messages that start with a subscribed topic, from all publishers in turn.
 */

import { letGoOf } from "../../base/lent.js";
import type { Message } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { drained, type Receiving, type SocketType, Strategy } from "../strategy.js";
import { TopicSet } from "../topics/topic-set.js";

export class SubscriberStrategy extends Strategy implements Receiving {
  readonly #topics = new TopicSet();
  /** The subscriptions have changed, so queued messages may not match any more. */
  #stale = false;
  readonly #connected = new Set<Pipe>();
  /** J11: filters here as well, because messages may arrive after a CANCEL was sent. */
  readonly #intercept = (_pipe: Pipe, message: Message): boolean =>
    this.#topics.matches(message[0]) === this.host.options.invertMatching;
  readonly #filter = (bytes: Uint8Array, at: number, length: number): boolean =>
    this.#topics.matches(bytes, at, length) !== this.host.options.invertMatching;

  subscribe(topic: Buffer): void {
    // Sent each time, as libzmq does, because a verbose XPUB reports each (J14). A CANCEL is sent only for the last (J7).
    this.#topics.add(topic);
    for (const pipe of this.#connected) pipe.sendSubscription(topic, true);
    if (this.host.options.invertMatching) this.#stale = true;
  }

  /** A topic that was not subscribed to is ignored (J12). */
  unsubscribe(topic: Buffer): void {
    if (!this.#topics.remove(topic)) return;
    this.#stale = true;
    for (const pipe of this.#connected) pipe.sendSubscription(topic, false);
  }

  /** Subscriptions in effect. */
  get topics(): number {
    return this.#topics.size;
  }

  /** J11: matches a message when it arrives, and again when it is read if the subscriptions have changed. */
  next(): Message | undefined {
    const { inbound, pipes } = this.host;
    if (!this.#stale) return inbound.next();
    for (let message = inbound.next(); message !== undefined; message = inbound.next()) {
      if (this.wants(message)) return message;
      letGoOf(message);
    }
    this.#stale = !drained(pipes);
    return undefined;
  }

  override wants(message: Message): boolean {
    return this.#topics.matches(message[0]) !== this.host.options.invertMatching;
  }

  override get mayHoldUnwanted(): boolean {
    return this.#stale;
  }

  override optionChanged(): void {
    this.#stale = true; // invertMatching may have changed
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = this.#intercept;
    pipe.filter = this.#filter;
  }

  override connected(pipe: Pipe): void {
    this.#connected.add(pipe);
    for (const topic of this.#topics) pipe.sendSubscription(topic, true); // J10
  }

  override disconnected(pipe: Pipe): void {
    this.#connected.delete(pipe);
  }
}

export const SUBSCRIBER: SocketType<SubscriberStrategy> = {
  number: 2,
  name: "SUB",
  strategy: SubscriberStrategy,
  topics: "received",
  singleConnection: true,
};
