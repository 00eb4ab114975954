/**
 * GATHER (RFC 49 §The GATHER Socket Type; items N2, N5): as PULL, for messages of one part.
 */

import type { Message } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { skipMultipart } from "../../single-part.js";
import { type Receiving, type SocketType, Strategy } from "../../strategy.js";

export class GatherStrategy extends Strategy implements Receiving {
  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = skipMultipart;
  }
}

export const GATHER: SocketType<GatherStrategy> = {
  number: 16,
  name: "GATHER",
  strategy: GatherStrategy,
  threadSafe: true,
};
