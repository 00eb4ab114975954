/**
 * The sending half of a socket: checks and converts what an application gives, in front of the queue that does the rest.
 */

import { type Message, type MessageLike, normaliseMessage, type OutMessage } from "../base/message.js";
import type { CallOptions, Turns } from "../base/waiting.js";
import { type Route, SEVERAL_PARTS, SendQueue } from "../engine/send-queue.js";
import type { OptionValues } from "../options/options.js";

/** One message as an application gives it: a part, or several. */
export type Sendable = MessageLike | readonly MessageLike[];

export class Sender {
  readonly queue: SendQueue;
  readonly #options: OptionValues;

  constructor(route: Route, options: OptionValues, turns: Turns) {
    this.#options = options;
    this.queue = new SendQueue(route, options, turns);
  }

  /** Checks and converts an argument of send(). @throws TypeError, RangeError */
  prepare(message: Sendable): OutMessage {
    const parts = normaliseMessage(message);
    if (Array.isArray(parts)) this.#checkParts(parts);
    return parts;
  }

  #checkParts(parts: Uint8Array[]): void {
    const { conflate, maxMessageParts } = this.#options;
    if (conflate) throw new TypeError(SEVERAL_PARTS); // G14
    // Envelopes are not counted.
    if (parts.length > maxMessageParts) {
      const most = `message must have at most ${maxMessageParts} parts (maxMessageParts)`;
      throw new RangeError(`${most}; got ${parts.length}`);
    }
  }

  /** As trySend(), for a message that was received: it is what prepare() would make of it. */
  forward(message: Message): boolean {
    return this.queue.trySend(message.length === 1 ? message[0] : this.prepare(message));
  }

  async sendMany(messages: Iterable<Sendable>, options: CallOptions | undefined): Promise<void> {
    const { queue } = this;
    for (const message of messages) {
      const parts = this.prepare(message);
      // Straight through while there is room; the queue only for what has to wait.
      if (options?.signal?.aborted !== true && !queue.closed && queue.sendStraight(parts)) {
        const turn = queue.rest(parts);
        if (turn !== undefined) await turn;
      } else {
        await queue.send(parts, options);
      }
    }
  }
}
