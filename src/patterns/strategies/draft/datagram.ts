/**
 * DGRAM of libzmq (N14): single datagrams, to and from anybody. Each message has two parts: the address of the other side, and the
 * bytes.
 */

import type { Message, OutMessage } from "../../../base/message.js";
import { Buffer } from "../../../base/platform.js";
import { ADDRESS_FORM, destinationOf } from "../../../engine/datagrams/form.js";
import type { Pipe } from "../../../engine/pipe.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../../strategy.js";

const NUL = Buffer.alloc(1);

export class DatagramStrategy extends Strategy implements Sending, Receiving {
  /** Of the endpoint, if it is bound. */
  #pipe: Pipe | null = null;

  get canSend(): boolean {
    return this.#pipe?.hasRoom() === true;
  }

  send(message: OutMessage): boolean {
    destinationOf(message); // a wrong message fails at once, and waits for no endpoint
    return this.#pipe?.trySend(message) === true;
  }

  next(): Message | undefined {
    const message = this.host.inbound.next();
    if (message === undefined || !this.host.asLibzmq) return message;
    return [Buffer.concat([message[0], NUL]), message[1]]; // libzmq ends the address with a NUL
  }

  override attach(pipe: Pipe): void {
    this.#pipe = pipe;
    this.host.roomForSends();
  }

  override detach(pipe: Pipe): void {
    if (pipe === this.#pipe) this.#pipe = null;
  }
}

export const DGRAM: SocketType<DatagramStrategy> = {
  number: 18,
  name: "DGRAM",
  strategy: DatagramStrategy,
  datagrams: { form: ADDRESS_FORM, opens: "bind", only: true },
};
