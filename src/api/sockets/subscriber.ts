/**
 * SUB (RFC 29 §The SUB Socket Type): messages that start with a subscribed topic, from all publishers in turn.
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

/** Receives what Publisher sockets send on the topics it subscribed to. */
export class Subscriber extends ReadableSocket {
  constructor(options?: SubscriberOptions) {
    super(SUBSCRIBER, options, OPTIONS);
    if (new.target === Subscriber) Object.seal(this);
  }

  /**
   * Receive messages that start with one of the prefixes, byte for byte; no argument means everything. May be
   * called several times for one prefix: then it takes as many calls of `unsubscribe` to end it.
   * @throws TypeError for what cannot be a prefix; RangeError for one above maxTopicLength
   */
  subscribe(...prefixes: MessageLike[]): void {
    const { strategy, options } = coreOf<SubscriberStrategy>(this);
    const topics = checkTopics("prefix", orEverything(prefixes), options.maxTopicLength);
    for (const topic of topics) strategy.subscribe(topic);
  }

  /**
   * End subscriptions; a prefix that was not subscribed to is ignored (J12). What has arrived and was not yet read is lost
   * when no other subscription matches it.
   */
  unsubscribe(...prefixes: MessageLike[]): void {
    const { strategy } = coreOf<SubscriberStrategy>(this);
    const topics = checkTopics("prefix", orEverything(prefixes), Number.POSITIVE_INFINITY);
    for (const topic of topics) strategy.unsubscribe(topic);
  }

  /** Subscriptions in effect; one to the same prefix again counts again, as it takes an unsubscribe() of its own. */
  get topicsCount(): number {
    return coreOf<SubscriberStrategy>(this).strategy.topics;
  }
}

defineOptions(Subscriber, OPTIONS);

/** The empty prefix, which is that of every message, where none is given. */
function orEverything(prefixes: MessageLike[]): MessageLike[] {
  return prefixes.length === 0 ? [""] : prefixes;
}
