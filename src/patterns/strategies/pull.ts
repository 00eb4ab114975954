/**
 * PULL (RFC 30 §The PULL Socket Type): whole messages from all peers in turn.
 */

import type { Message } from "../../base/message.js";
import { type Receiving, type SocketType, Strategy } from "../strategy.js";

export class PullStrategy extends Strategy implements Receiving {
  next(): Message | undefined {
    return this.host.inbound.next();
  }
}

export const PULL: SocketType<PullStrategy> = { number: 7, name: "PULL", strategy: PullStrategy };
