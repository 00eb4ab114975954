/**
 * DEALER (RFC 28 §The DEALER Socket Type): messages in turn to peers with room and from all peers in turn, their parts
 * untouched (I1, I2).
 */

import type { Message } from "../../base/message.js";
import type { Pipe } from "../../engine/pipe.js";
import { sendProbe } from "../probe.js";
import type { Receiving, SocketType } from "../strategy.js";
import { TurnTaking } from "../turn-taking.js";

export class DealerStrategy extends TurnTaking implements Receiving {
  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    if (this.host.options.probeRouter) sendProbe(pipe);
    super.attach(pipe);
  }
}

export const DEALER: SocketType<DealerStrategy> = {
  number: 5,
  name: "DEALER",
  strategy: DealerStrategy,
  singleConnection: true,
};
