/**
 * CHANNEL (RFC 52 §The CHANNEL Socket Type; items N1, N2, N7): as PAIR, for messages of one part.
 */

import type { Message, OutMessage } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { OnePeer } from "../../one-peer.js";
import { singlePart, skipMultipart } from "../../single-part.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../../strategy.js";

export class ChannelStrategy extends Strategy implements Sending, Receiving {
  readonly #peer = new OnePeer(this.host, skipMultipart);

  get canSend(): boolean {
    return this.#peer.hasRoom;
  }

  send(message: OutMessage): boolean {
    return this.#peer.send(singlePart(message));
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    this.#peer.attach(pipe);
  }

  override announced(pipe: Pipe): void {
    this.#peer.announced(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#peer.detach(pipe);
  }
}

export const CHANNEL: SocketType<ChannelStrategy> = {
  number: 20,
  name: "CHANNEL",
  strategy: ChannelStrategy,
  threadSafe: true,
};
