/**
 * REQ and REP as zeromq.js drives them: an operation out of turn does not fail, it waits for its turn, so that a program
 * may read and write in two loops. Only when its time is over does it fail, with EFSM.
 */

import { Reply } from "../api/sockets/reply.js";
import { Request } from "../api/sockets/request.js";
import type { Message, OutMessage } from "../base/message.js";

/** Whose turn it is. */
export interface TakesTurns {
  readonly maySend: boolean;
  readonly mayReceive: boolean;
}

export class LockstepRequest extends Request implements TakesTurns {
  #asked = false;

  get maySend(): boolean {
    return !this.#asked || this.options.relaxed;
  }

  get mayReceive(): boolean {
    return this.#asked;
  }

  protected override route(message: OutMessage): boolean {
    if (!this.maySend || !super.route(message)) return false;
    this.#asked = true;
    return true;
  }

  protected override next(): Message | undefined {
    const reply = super.next();
    if (reply !== undefined) {
      this.#asked = false;
      this.sender.queue.drain();
    }
    return reply;
  }
}

export class LockstepReply extends Reply implements TakesTurns {
  #owes = false;

  get maySend(): boolean {
    return this.#owes;
  }

  get mayReceive(): boolean {
    return !this.#owes;
  }

  protected override route(message: OutMessage): boolean {
    if (!this.#owes) return false;
    this.#owes = false;
    return super.route(message);
  }

  protected override next(): Message | undefined {
    const request = super.next();
    if (request !== undefined) {
      this.#owes = true;
      this.sender.queue.drain();
    }
    return request;
  }
}
