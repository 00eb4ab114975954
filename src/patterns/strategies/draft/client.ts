/**
 * CLIENT (RFC 41 §The CLIENT Socket Type; items N1, N2, N4): as DEALER, for messages of one part.
 */

import type { Message, OutMessage } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { singlePart, skipMultipart } from "../../single-part.js";
import type { Receiving, SocketType } from "../../strategy.js";
import { TurnTaking } from "../../turn-taking.js";

export class ClientStrategy extends TurnTaking implements Receiving {
  override send(message: OutMessage): boolean {
    return super.send(singlePart(message));
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = skipMultipart;
    super.attach(pipe);
  }
}

export const CLIENT: SocketType<ClientStrategy> = {
  number: 13,
  name: "CLIENT",
  strategy: ClientStrategy,
  threadSafe: true,
};
