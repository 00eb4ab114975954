/**
 * XSUB (RFC 29 §The XSUB Socket Type): as SUB without the filter (J11), and it sends subscriptions as messages: 01 and
 * the topic to subscribe, 00 and the topic to unsubscribe. Any other message goes to all publishers (J16, J17).
 */

import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { XSUBSCRIBER, type XSubscriberStrategy } from "../../patterns/strategies/xsubscriber.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("XSUB");

/** Options of XSubscriber. */
export interface XSubscriberOptions extends OptionsOf<"XSUB"> {}

export interface XSubscriber extends PropertiesOf<"XSUB"> {}

/**
 * Receives the messages of publishers. Subscriptions are sent as messages: the byte 1 and the topic to subscribe, the
 * byte 0 and the topic to unsubscribe. So it can pass on the subscriptions that an XPublisher has received.
 */
export class XSubscriber extends DuplexSocket {
  constructor(options?: XSubscriberOptions) {
    super(XSUBSCRIBER, options, OPTIONS);
    if (new.target === XSubscriber) Object.seal(this);
  }

  /** The number of subscriptions sent and not ended. A topic that was subscribed to twice counts twice. */
  get topicsCount(): number {
    return coreOf<XSubscriberStrategy>(this).strategy.topics;
  }
}

defineOptions(XSubscriber, OPTIONS);
