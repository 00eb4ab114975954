/**
 * Peers by number (RFC 41 §The SERVER Socket Type, RFC 51; items N3, N6): each pipe gets a number of 32 bits, never
 * zero, that the peer cannot choose. Knows pipes and nothing else; randomness is handed in.
 */

import { ZmqError } from "../base/errors.js";
import type { OutMessage } from "../base/message.js";
import { Buffer } from "../base/platform.js";
import type { Pipe } from "../engine/pipe.js";
import type { FairQueue } from "./fair-queue.js";

export class PeerNumbers {
  readonly #pipes = new Map<number, Pipe>();
  /** Also of pipes that have left and are not yet read empty. */
  readonly #numbers = new WeakMap<Pipe, number>();
  readonly #random: () => number;

  /** @param random 32 bits that nobody can foresee */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Number a pipe. */
  add(pipe: Pipe): number {
    let number: number;
    do number = this.#random() >>> 0;
    while (number === 0 || this.#pipes.has(number));
    this.#pipes.set(number, pipe);
    this.#numbers.set(pipe, number);
    return number;
  }

  /** Nothing can be sent to the pipe any more. */
  remove(pipe: Pipe): void {
    const number = this.#numbers.get(pipe);
    if (number !== undefined) this.#pipes.delete(number);
  }

  /** The pipe of a number, while something can be sent to it. */
  find(number: number): Pipe | undefined {
    return this.#pipes.get(number);
  }

  /** The number of a pipe, also of one that has left and is not yet read empty. */
  of(pipe: Pipe): number {
    return this.#numbers.get(pipe) as number;
  }

  /** The next message of one part, and the number of the peer that sent it. */
  nextOf(inbound: FairQueue): [message: Buffer, from: { readonly routingId: number }] | undefined {
    const message = inbound.next();
    return message && [message[0], { routingId: this.of(inbound.last as Pipe) }];
  }

  /**
   * Queue a numbered message; false when that peer is full.
   * @throws ZmqError EHOSTUNREACH for a number that no peer has
   */
  send(message: OutMessage): boolean {
    const [number, body] = message as [Uint8Array, Uint8Array];
    const pipe = this.#pipes.get(readNumber(number));
    if (pipe === undefined)
      throw new ZmqError("EHOSTUNREACH", { detail: "no connected peer has this routingId" });
    return pipe.trySend(body);
  }
}

/** A message of one part, behind the number of the peer that is to get it. */
export function numbered<Body>(number: number, body: Body): [Uint8Array, Body] {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(number);
  return [bytes, body];
}

function readNumber(bytes: Uint8Array): number {
  return (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
}
