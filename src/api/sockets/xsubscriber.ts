/**
 * XSUB (RFC 29 §The XSUB Socket Type): as SUB without the filter (J11), and subscriptions are messages: 01 and the
 * topic, or 00 and the topic. Any other message goes to all publishers (J16, J17).
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

/** Receives what publishers send, and passes on the subscriptions of others. */
export class XSubscriber extends DuplexSocket {
  constructor(options?: XSubscriberOptions) {
    super(XSUBSCRIBER, options, OPTIONS);
    if (new.target === XSubscriber) Object.seal(this);
  }

  /** Subscriptions sent through this socket and not ended; one to the same topic again counts again. */
  get topicsCount(): number {
    return coreOf<XSubscriberStrategy>(this).strategy.topics;
  }
}

defineOptions(XSubscriber, OPTIONS);
