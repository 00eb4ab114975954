/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): like SERVER, but its peers are PEER sockets too, and `connect`
 * returns the number of the new peer at once.
 */

import type { OutMessage } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { PeerNumbers } from "../../peer-numbers.js";
import { skipMultipart } from "../../single-part.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../../strategy.js";
import type { NumberedMessage } from "./server.js";

export class PeerStrategy extends Strategy implements Sending, Receiving<NumberedMessage> {
  readonly #numbers = new PeerNumbers(() => this.host.runtime.random32());
  #attached: Pipe | undefined = undefined;

  get canSend(): boolean {
    return true; // a full peer does not stop sends to others
  }

  send(message: OutMessage): boolean {
    return this.#numbers.send(message);
  }

  next(): NumberedMessage | undefined {
    return this.#numbers.nextOf(this.host.inbound);
  }

  /** The number of the pipe that `connect` attaches. */
  numberOf(connect: () => void): number {
    this.#attached = undefined;
    connect();
    return this.#numbers.of(this.#attached as unknown as Pipe);
  }

  /** The pipe of a number. */
  find(number: number): Pipe | undefined {
    return this.#numbers.find(number);
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = skipMultipart;
    this.#numbers.add(pipe);
    this.#attached ??= pipe; // keep the first: connecting to an inproc name that this socket bound attaches both ends
  }

  override detach(pipe: Pipe): void {
    this.#numbers.remove(pipe);
    this.host.roomForSends(); // a send may wait for this peer
  }
}

export const PEER: SocketType<PeerStrategy> = {
  number: 19,
  name: "PEER",
  strategy: PeerStrategy,
  threadSafe: true,
};
