/**
 * SERVER (RFC 41 §The SERVER Socket Type; items N1 to N3): messages of one part, each with the number of its peer.
 */

import type { OutMessage } from "../../../base/message.js";
import type { Buffer } from "../../../base/platform.js";
import type { Pipe } from "../../../engine/pipe.js";
import { PeerNumbers } from "../../peer-numbers.js";
import { skipMultipart } from "../../single-part.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../../strategy.js";

/** A message and the number of the peer that sent it. */
export type NumberedMessage = [message: Buffer, from: { readonly routingId: number }];

export class ServerStrategy extends Strategy implements Sending, Receiving<NumberedMessage> {
  override readonly names = "numbers";
  protected readonly numbers = new PeerNumbers(() => this.host.runtime.random32());

  override named(name: Uint8Array | number): Pipe | undefined {
    return typeof name === "number" ? this.numbers.find(name) : undefined;
  }

  override nameOf(pipe: Pipe): number {
    return this.numbers.of(pipe);
  }

  get canSend(): boolean {
    return true; // a full peer does not stop sends to others
  }

  send(message: OutMessage): boolean {
    return this.numbers.send(message);
  }

  next(): NumberedMessage | undefined {
    return this.numbers.nextOf(this.host.inbound);
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = skipMultipart;
    this.numbers.add(pipe);
  }

  override detach(pipe: Pipe): void {
    this.numbers.remove(pipe);
    this.host.roomForSends(); // a send may wait for this peer
  }
}

export const SERVER: SocketType<ServerStrategy> = {
  number: 12,
  name: "SERVER",
  strategy: ServerStrategy,
  threadSafe: true,
};
