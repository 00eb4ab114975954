/**
 * Finds peers by number (RFC 41 §The SERVER Socket Type, RFC 51; items N3, N6). Each pipe gets a number of 32 bits, never
 * zero, which the peer cannot choose. Knows only pipes; randomness is handed in.
 */

import { passOn } from "../base/carried.js";
import { ZmqError } from "../base/errors.js";
import type { OutMessage } from "../base/message.js";
import { Buffer } from "../base/platform.js";
import type { Pipe } from "../engine/pipe.js";
import type { FairQueue } from "./fair-queue.js";

export class PeerNumbers {
  readonly #pipes = new Map<number, Pipe>();
  /** Includes pipes whose peer has left and which are not yet read empty. */
  readonly #numbers = new WeakMap<Pipe, number>();
  readonly #random: () => number;

  /** @param random 32 unpredictable bits */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Gives a pipe a number. */
  add(pipe: Pipe): number {
    let number: number;
    do number = this.#random() >>> 0;
    while (number === 0 || this.#pipes.has(number));
    this.#pipes.set(number, pipe);
    this.#numbers.set(pipe, number);
    return number;
  }

  /** The pipe no longer takes messages. */
  remove(pipe: Pipe): void {
    const number = this.#numbers.get(pipe);
    if (number !== undefined) this.#pipes.delete(number);
  }

  /** The pipe of a number, as long as it takes messages. */
  find(number: number): Pipe | undefined {
    return this.#pipes.get(number);
  }

  /** The number of a pipe, even if its peer has left and it is not yet read empty. */
  of(pipe: Pipe): number {
    return this.#numbers.get(pipe) as number;
  }

  /** The next message of one part, and the number of the peer that sent it. */
  nextOf(inbound: FairQueue): [message: Buffer, from: { readonly routingId: number }] | undefined {
    const message = inbound.next();
    if (message === undefined) return undefined;
    const numbered: [Buffer, { readonly routingId: number }] = [
      message[0],
      { routingId: this.of(inbound.last as Pipe) },
    ];
    passOn(message, numbered);
    return numbered;
  }

  /**
   * Queue a numbered message; false if that peer is full.
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

/** A message of one part with the number of its recipient in front. */
export function numbered<Body>(number: number, body: Body): [Uint8Array, Body] {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(number);
  return [bytes, body];
}

function readNumber(bytes: Uint8Array): number {
  return (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
}
