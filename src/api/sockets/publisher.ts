/**
 * PUB (RFC 29 §The PUB Socket Type): each message to every subscriber whose topics it starts with; never blocks,
 * and drops the copy of a subscriber that is full (J1 to J6).
 */

import { type CallOptions, checkCallOptions } from "../../base/turns.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { PUBLISHER, type PublisherStrategy } from "../../patterns/strategies/publisher.js";
import { coreOf, defineOptions } from "../socket.js";
import { WritableSocket } from "../writable.js";

const OPTIONS = optionsOf("PUB");

/** Options of Publisher. */
export interface PublisherOptions extends OptionsOf<"PUB"> {}

export interface Publisher extends PropertiesOf<"PUB"> {}

/** Publishes messages by topic to Subscriber sockets. */
export class Publisher extends WritableSocket {
  constructor(options?: PublisherOptions) {
    super(PUBLISHER, options, OPTIONS);
    if (new.target === Publisher) Object.seal(this);
  }

  /** Resolves when at least `count` peers have a subscription. Rejects with EAGAIN on timeout. */
  waitForSubscribers(count: number, options?: CallOptions): Promise<void> {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`count must be an integer of at least 0; got ${count}`);
    }
    checkCallOptions(options);
    return coreOf<PublisherStrategy>(this).strategy.waitForSubscribers(count, options);
  }

  /** Different topics that peers are subscribed to. */
  get topicsCount(): number {
    return coreOf<PublisherStrategy>(this).strategy.topics;
  }
}

defineOptions(Publisher, OPTIONS);
