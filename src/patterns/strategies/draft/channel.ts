/**
 * CHANNEL (RFC 52 §The CHANNEL Socket Type; items N1, N2, N7): as PAIR, for messages of one part.
 */

import type { OutMessage } from "../../../base/message.js";
import { singlePart, skipMultipart } from "../../single-part.js";
import type { SocketType, StrategyHost } from "../../strategy.js";
import { PairStrategy } from "../pair.js";

export class ChannelStrategy extends PairStrategy {
  constructor(host: StrategyHost) {
    super(host, skipMultipart);
  }

  override send(message: OutMessage): boolean {
    return super.send(singlePart(message));
  }
}

export const CHANNEL: SocketType<ChannelStrategy> = {
  number: 20,
  name: "CHANNEL",
  strategy: ChannelStrategy,
  threadSafe: true,
};
