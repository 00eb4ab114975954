/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): as SERVER towards any number of other PEER sockets, and
 * whoever dials learns the number of the new peer at once.
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
    return true; // one peer may be full; another is not
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
    this.#attached ??= pipe; // the first is ours: connecting to an inproc name of our own attaches both ends
  }

  override detach(pipe: Pipe): void {
    this.#numbers.remove(pipe);
    this.host.roomForSends(); // a send may have waited for this one
  }
}

export const PEER: SocketType<PeerStrategy> = {
  number: 19,
  name: "PEER",
  strategy: PeerStrategy,
  threadSafe: true,
};
