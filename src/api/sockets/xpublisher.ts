/**
 * XPUB (RFC 29 §The XPUB Socket Type): as PUB, and it receives subscriptions as messages: 01 and the topic to
 * subscribe, 00 and the topic to unsubscribe (J13 to J16, J20, J21, J23).
 */

import { ZmqError } from "../../base/errors.js";
import type { MessageLike } from "../../base/message.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { XPUBLISHER, type XPublisherStrategy } from "../../patterns/strategies/xpublisher.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";
import { checkTopics } from "./topics.js";

const OPTIONS = optionsOf("XPUB");

/** Options of XPublisher. */
export interface XPublisherOptions extends OptionsOf<"XPUB"> {}

export interface XPublisher extends PropertiesOf<"XPUB"> {}

/**
 * As Publisher, and receives the subscriptions of its peers as messages: the byte 1 and the topic to subscribe, the
 * byte 0 and the topic to unsubscribe. Over tcp and ipc, at most `receiveHighWaterMark` of them are kept unread, then
 * the socket stops reading from the peer. Over inproc there is no such limit for subscriptions.
 */
export class XPublisher extends DuplexSocket {
  constructor(options?: XPublisherOptions) {
    super(XPUBLISHER, options, OPTIONS);
    if (new.target === XPublisher) Object.seal(this);
  }

  /**
   * Only with `manual`: subscribes the peer whose subscription was received last to these topics, which may differ from
   * the one that it asked for. No effect if that peer has left (J21).
   * @throws ZmqError EINVAL without `manual`, EBADF on a closed socket; TypeError for a topic that is not a
   * MessageLike; RangeError for one of more than `maxTopicLength` bytes
   */
  subscribe(...topics: MessageLike[]): void {
    const core = coreOf<XPublisherStrategy>(this);
    core.requireOpen();
    const checked = checkTopics("topic", topics, core.options.maxTopicLength);
    requireManual(core.options.manual);
    for (const topic of checked) core.strategy.subscribe(topic);
  }

  /**
   * Only with `manual`: undoes subscribe() for the peer whose subscription was received last. @throws as subscribe()
   */
  unsubscribe(...topics: MessageLike[]): void {
    const core = coreOf<XPublisherStrategy>(this);
    core.requireOpen();
    const checked = checkTopics("topic", topics, Number.POSITIVE_INFINITY);
    requireManual(core.options.manual);
    for (const topic of checked) core.strategy.unsubscribe(topic);
  }

  /**
   * With `lastValue`: forgets the last messages of these topics, which are whole topics and no prefixes, or without
   * arguments those of all. Subscribers that have got them are not told.
   * @throws ZmqError EBADF on a closed socket; TypeError for a topic that is not a MessageLike
   */
  forget(...topics: MessageLike[]): void {
    const core = coreOf<XPublisherStrategy>(this);
    core.requireOpen();
    core.strategy.forget(topics.length === 0 ? [] : checkTopics("topic", topics, Number.POSITIVE_INFINITY));
  }

  /** The number of different topics that peers are subscribed to. */
  get topicsCount(): number {
    return coreOf<XPublisherStrategy>(this).strategy.topics;
  }
}

defineOptions(XPublisher, OPTIONS);

function requireManual(manual: boolean): void {
  if (!manual)
    throw new ZmqError("EINVAL", {
      detail: "subscribe() and unsubscribe() of an XPublisher need the option manual: true",
    });
}
