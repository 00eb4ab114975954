/**
 * The sending half of a socket: the queue of its sends, and the limits on what an application may give.
 */

import { type Message, type MessageLike, normaliseMessage, type PartLimits } from "../base/message.js";
import type { CallOptions, Turns } from "../base/waiting.js";
import { type Route, SendQueue } from "../engine/send-queue.js";
import type { OptionValues } from "../options/options.js";

/** One message as an application gives it: a part, or several. */
export type Sendable = MessageLike | readonly MessageLike[];

export class Sender {
  readonly queue: SendQueue;
  readonly limits: PartLimits;

  constructor(route: Route, options: OptionValues, turns: Turns) {
    this.limits = options;
    this.queue = new SendQueue(route, options, turns);
  }

  /** As trySend(), for a message that was received: it needs no conversion. */
  forward(message: Message): boolean {
    return this.queue.trySend(message.length === 1 ? message[0] : normaliseMessage(message, this.limits));
  }

  async sendMany(messages: Iterable<Sendable>, options: CallOptions | undefined): Promise<void> {
    const { queue, limits } = this;
    for (const message of messages) {
      const parts = normaliseMessage(message, limits);
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
