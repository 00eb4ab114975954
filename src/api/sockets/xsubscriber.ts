/**
 * XSUB (RFC 29 §The XSUB Socket Type): as SUB without the filter (J11), and subscriptions are messages: 01 and the
 * topic, or 00 and the topic. Any other message goes to all publishers (J16, J17).
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import type { OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import { defineOptions, type SocketStats } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { FanOut } from "../../patterns/fan-out.js";
import {
  hasSubscriptions,
  subscriptionIn,
  subscriptionOf,
} from "../../patterns/topics/subscription-message.js";
import { TopicSet } from "../../patterns/topics/topic-set.js";
import { DuplexSocket } from "../directions.js";
import { overflowOf } from "./full-peer.js";

const OPTIONS = optionsOf("XSUB");

/** Options of XSubscriber. */
export interface XSubscriberOptions extends OptionsOf<"XSUB"> {}

export interface XSubscriber extends PropertiesOf<"XSUB"> {}

/** Receives what publishers send, and passes on the subscriptions of others. */
export class XSubscriber extends DuplexSocket {
  readonly #topics = new TopicSet();
  readonly #connected = new Set<Pipe>();
  readonly #overflow = overflowOf(this);
  readonly #fanOut = new FanOut(this.unsent, this.#overflow);

  constructor(options?: XSubscriberOptions) {
    super(10, "XSUB"); // J25
    this.applyOptions(options, OPTIONS);
    if (new.target === XSubscriber) Object.seal(this);
  }

  protected override canSend(): boolean {
    return true; // never waits for all peers
  }

  protected override route(message: OutMessage): boolean {
    const subscription = subscriptionOf(message);
    if (subscription !== undefined) {
      const { topic, subscribe } = subscription;
      if (this.#take(topic, subscribe)) this.#tell(topic, subscribe);
    } else if (Array.isArray(message) && hasSubscriptions(message, this.options.onlyFirstSubscribe)) {
      this.#sendMixed(message);
    } else {
      this.#sendData(message);
    }
    return true;
  }

  #sendData(message: OutMessage): void {
    this.#fanOut.send(message, [...this.pipes]);
  }

  /** A message with subscriptions among its parts goes without those that are nothing new (J17). */
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
   * Remembers it, and answers whether it goes upstream. Every subscription does, as with libzmq: an XPUB there may be
   * verbose and wait for each (J14). An end does only when it is the last one's, because it ends the topic for all of
   * ours (J7, J9, J12), unless `verboseUnsubscribe` says otherwise.
   * @throws ZmqError EINVAL for a topic above maxTopicLength
   */
  #take(topic: Buffer, subscribe: boolean): boolean {
    if (!subscribe) return this.#topics.remove(topic) || this.options.verboseUnsubscribe;
    const { maxTopicLength } = this.options;
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

  /** Subscriptions sent through this socket and not ended; one to the same topic again counts again. */
  get topicsCount(): number {
    return this.#topics.size;
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.givenUp + this.#overflow.dropped };
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#connected.add(pipe);
    for (const topic of this.#topics) pipe.sendSubscription(topic, true); // J10
    super.pipeConnected(pipe, peer);
  }

  override pipeDisconnected(pipe: Pipe): void {
    super.pipeDisconnected(pipe);
    this.#connected.delete(pipe);
  }
}

defineOptions(XSubscriber, OPTIONS);
