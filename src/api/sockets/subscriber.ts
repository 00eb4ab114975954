/**
 * SUB (RFC 29 §The SUB Socket Type): receives messages that begin with a subscribed topic, from all publishers in turn.
 */

import type { MessageLike } from "../../base/message.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { SUBSCRIBER, type SubscriberStrategy } from "../../patterns/strategies/subscriber.js";
import { ReadableSocket } from "../readable.js";
import { coreOf, defineOptions } from "../socket.js";
import { checkTopics } from "./topics.js";

const OPTIONS = optionsOf("SUB");

/** Options of Subscriber. */
export interface SubscriberOptions extends OptionsOf<"SUB"> {}

export interface Subscriber extends PropertiesOf<"SUB"> {}

/** Receives the messages of Publisher and XPublisher sockets that begin with a topic that it subscribed to. */
export class Subscriber extends ReadableSocket {
  constructor(options?: SubscriberOptions) {
    super(SUBSCRIBER, options, OPTIONS);
    if (new.target === Subscriber) Object.seal(this);
  }

  /**
   * Receives messages whose first part begins with one of the prefixes, byte for byte. Without an argument, receives
   * all messages. If a prefix is subscribed to several times, it takes as many calls of `unsubscribe` to end it.
   * @throws TypeError for a prefix that is not a MessageLike; RangeError for one of more than `maxTopicLength` bytes
   */
  subscribe(...prefixes: MessageLike[]): void {
    const { strategy, options } = coreOf<SubscriberStrategy>(this);
    const topics = checkTopics("prefix", orEverything(prefixes), options.maxTopicLength);
    for (const topic of topics) strategy.subscribe(topic);
  }

  /**
   * Ends subscriptions. Without an argument, ends that to all messages. A prefix that was not subscribed to is ignored
   * (J12). Messages that have arrived and were not read are lost if no other subscription matches them.
   * @throws TypeError for a prefix that is not a MessageLike
   */
  unsubscribe(...prefixes: MessageLike[]): void {
    const { strategy } = coreOf<SubscriberStrategy>(this);
    const topics = checkTopics("prefix", orEverything(prefixes), Number.POSITIVE_INFINITY);
    for (const topic of topics) strategy.unsubscribe(topic);
  }

  /**
   * The number of subscriptions. A prefix that was subscribed to twice counts twice, because it takes two
   * unsubscribe().
   */
  get topicsCount(): number {
    return coreOf<SubscriberStrategy>(this).strategy.topics;
  }
}

defineOptions(Subscriber, OPTIONS);

/** The given prefixes, or the empty prefix, with which every message begins. */
function orEverything(prefixes: MessageLike[]): MessageLike[] {
  return prefixes.length === 0 ? [""] : prefixes;
}
