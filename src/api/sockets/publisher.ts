/**
 * PUB (RFC 29 §The PUB Socket Type): sends each message to every subscriber to a prefix of it. It never blocks: if the
 * queue of a subscriber is full, that subscriber misses the message (J1 to J6).
 */

import type { MessageLike } from "../../base/message.js";
import { type CallOptions, checkCallOptions } from "../../base/waiting.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { PUBLISHER, type PublisherStrategy } from "../../patterns/strategies/publisher.js";
import { coreOf, defineOptions } from "../socket.js";
import { WritableSocket } from "../writable.js";
import { checkTopics } from "./topics.js";

const OPTIONS = optionsOf("PUB");

/** Options of Publisher. */
export interface PublisherOptions extends OptionsOf<"PUB"> {}

export interface Publisher extends PropertiesOf<"PUB"> {}

/**
 * Sends each message to all Subscriber and XSubscriber sockets that subscribed to a prefix of it. What nobody
 * subscribed to is dropped, and so is the copy for a subscriber whose queue is full (unless `noDrop` or `onFull` says
 * otherwise).
 */
export class Publisher extends WritableSocket {
  constructor(options?: PublisherOptions) {
    super(PUBLISHER, options, OPTIONS);
    if (new.target === Publisher) Object.seal(this);
  }

  /**
   * Resolves when at least `count` peers have a subscription. Without `timeout` it waits for ever. Rejects with EAGAIN
   * on timeout, with the signal's reason on abort, and with EBADF when the socket closes.
   * @throws RangeError if `count` is not an integer of at least 0
   */
  waitForSubscribers(count: number, options?: CallOptions): Promise<void> {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`count must be an integer of at least 0; got ${count}`);
    }
    checkCallOptions(options, this.waitForSubscribers);
    return coreOf<PublisherStrategy>(this).strategy.waitForSubscribers(count, options);
  }

  /**
   * With `lastValue`: forgets the last messages of these topics, which are whole topics and no prefixes, or without
   * arguments those of all. Subscribers that have got them are not told.
   * @throws ZmqError EBADF on a closed socket; TypeError for a topic that is not a MessageLike
   */
  forget(...topics: MessageLike[]): void {
    const core = coreOf<PublisherStrategy>(this);
    core.requireOpen();
    core.strategy.forget(topics.length === 0 ? [] : checkTopics("topic", topics, Number.POSITIVE_INFINITY));
  }

  /** The number of different topics that peers have subscribed to. */
  get topicsCount(): number {
    return coreOf<PublisherStrategy>(this).strategy.topics;
  }
}

defineOptions(Publisher, OPTIONS);
