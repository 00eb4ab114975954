/**
 * XPUB (RFC 29 §The XPUB Socket Type): as PUB, and subscriptions can be read: 01 and the topic, or 00 and the topic
 * (J13 to J16, J20, J21, J23).
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
 * Publishes messages by topic, and receives the subscriptions to them. One that is not read is kept: over tcp and ipc
 * up to `receiveHighWaterMark`, then reading stops; over inproc subscriptions do not count.
 */
export class XPublisher extends DuplexSocket {
  constructor(options?: XPublisherOptions) {
    super(XPUBLISHER, options, OPTIONS);
    if (new.target === XPublisher) Object.seal(this);
  }

  /**
   * With `manual`: subscribe the peer of the subscription read last to topics, which may differ from the one that it
   * asked for. A peer that has left gets nothing (J21).
   * @throws ZmqError EINVAL without `manual`, RangeError for a topic above maxTopicLength
   */
  subscribe(...topics: MessageLike[]): void {
    const core = coreOf<XPublisherStrategy>(this);
    core.requireOpen();
    const checked = checkTopics("topic", topics, core.options.maxTopicLength);
    requireManual(core.options.manual);
    for (const topic of checked) core.strategy.subscribe(topic);
  }

  /** With `manual`: undo subscribe() for the peer of the subscription read last. As subscribe(). */
  unsubscribe(...topics: MessageLike[]): void {
    const core = coreOf<XPublisherStrategy>(this);
    core.requireOpen();
    const checked = checkTopics("topic", topics, Number.POSITIVE_INFINITY);
    requireManual(core.options.manual);
    for (const topic of checked) core.strategy.unsubscribe(topic);
  }

  /** Different topics in effect. */
  get topicsCount(): number {
    return coreOf<XPublisherStrategy>(this).strategy.topics;
  }
}

defineOptions(XPublisher, OPTIONS);

function requireManual(manual: boolean): void {
  if (!manual) throw new ZmqError("EINVAL", { detail: "subscribe() needs manual: true" });
}
