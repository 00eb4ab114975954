/**
 * REQ and REP as in zeromq.js: an operation out of turn waits for its turn, so that a program can read and write in two
 * separate loops. It fails with EFSM only when its timeout has passed.
 */

import { defineOptions } from "../api/socket.js";
import { REPLY_OPTIONS } from "../api/sockets/reply.js";
import { REQUEST_OPTIONS } from "../api/sockets/request.js";
import { DuplexSocket } from "../api/writable.js";
import type { Message, OutMessage } from "../base/message.js";
import { REPLY, ReplyStrategy } from "../patterns/strategies/reply.js";
import { REQUEST, RequestStrategy } from "../patterns/strategies/request.js";

/** Whose turn it is. */
export interface TakesTurns {
  readonly maySend: boolean;
  readonly mayReceive: boolean;
}

class LockstepRequestStrategy extends RequestStrategy implements TakesTurns {
  #asked = false;

  get maySend(): boolean {
    return !this.#asked || this.host.options.relaxed;
  }

  override get mayReceive(): boolean {
    return this.#asked;
  }

  override send(message: OutMessage): boolean {
    if (!this.maySend || !super.send(message)) return false;
    this.#asked = true;
    return true;
  }

  override next(): Message | undefined {
    const reply = super.next();
    if (reply !== undefined) {
      this.#asked = false;
      this.host.roomForSends();
    }
    return reply;
  }
}

class LockstepReplyStrategy extends ReplyStrategy implements TakesTurns {
  get maySend(): boolean {
    return this.canSend;
  }

  override send(message: OutMessage): boolean {
    return this.canSend && super.send(message);
  }

  override next(): Message | undefined {
    const request = super.next();
    if (request !== undefined) this.host.roomForSends();
    return request;
  }
}

const LOCKSTEP_REQUEST = { ...REQUEST, strategy: LockstepRequestStrategy };
const LOCKSTEP_REPLY = { ...REPLY, strategy: LockstepReplyStrategy };

export class LockstepRequest extends DuplexSocket {
  constructor(options?: object) {
    super(LOCKSTEP_REQUEST, options, REQUEST_OPTIONS);
  }
}

export class LockstepReply extends DuplexSocket {
  constructor(options?: object) {
    super(LOCKSTEP_REPLY, options, REPLY_OPTIONS);
  }
}

defineOptions(LockstepRequest, REQUEST_OPTIONS);
defineOptions(LockstepReply, REPLY_OPTIONS);
