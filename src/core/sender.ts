/**
 * The sending half of a socket: the queue of its sends, and the limits on what an application may give.
 */

import { carriedBy, carry } from "../base/carried.js";
import { Condition } from "../base/condition.js";
import { ZmqError } from "../base/errors.js";
import {
  type Message,
  type MessageLike,
  normaliseMessage,
  type OutMessage,
  type PartLimits,
  unshared,
} from "../base/message.js";
import type { CallOptions } from "../base/waiting.js";
import { type Route, SendQueue } from "../engine/send-queue.js";
import { handedOver, type Loan, LoanPool, type PoolOwner, sendable } from "../lending/loan-pool.js";
import type { OptionValues } from "../options/options.js";
import type { LoanMemory } from "../transport/contract/transport.js";
import { streamEngine } from "../transport/registry.js";
import type { SocketTurns } from "./socket-turns.js";

export type { Loan };

/** How often to look for room while a loan is waited for. */
const LOOK_MS = 5;

/** One message as an application gives it: a part, or several. */
export type Sendable = MessageLike | readonly MessageLike[];

export class Sender implements PoolOwner {
  readonly queue: SendQueue;
  readonly limits: PartLimits;
  readonly #options: OptionValues;
  readonly #turns: SocketTurns;
  readonly reclaim: () => void;
  #pool: LoanPool | null = null;
  /** Calls of nextLoan() that wait, and whether they will be told of room. */
  #waiting = 0;
  #told = false;
  #looking = false;
  #room: Condition | null = null;
  /** Makes what goes with a message that is sent now; null if nothing does. */
  #carrier: (() => Uint8Array) | null = null;

  /** @param reclaim asks all pipes to let go of what their peers have read */
  constructor(route: Route, options: OptionValues, turns: SocketTurns, reclaim: () => void) {
    this.limits = options;
    this.#options = options;
    this.#turns = turns;
    this.reclaim = reclaim;
    this.queue = new SendQueue(route, options, turns);
  }

  // Loans

  /** The memory for loans. It is made when it is first asked for. */
  get pool(): LoanPool {
    if (this.queue.closed) throw new ZmqError("EBADF");
    this.#pool ??= new LoanPool(this);
    return this.#pool;
  }

  /** The pool, if anything has been lent. */
  get lent(): LoanPool | null {
    return this.#pool;
  }

  /** A loan, as soon as there is room for it. */
  async nextLoan(bytes: number, options: CallOptions | undefined): Promise<Loan> {
    const { pool } = this;
    if (!pool.possible(bytes)) return pool.loan(bytes);
    // Not before those that wait, and not if it has been aborted.
    const atOnce = this.#waiting > 0 || options?.signal?.aborted ? undefined : pool.tryLoan(bytes);
    if (atOnce !== undefined) return atOnce;
    let loan: Loan | undefined;
    this.#room ??= new Condition(this.#turns);
    this.#waiting++;
    if (!this.#looking) this.#look();
    try {
      await this.#room.until(() => {
        loan ??= pool.tryLoan(bytes);
        return loan !== undefined;
      }, options);
    } finally {
      this.#waiting--;
    }
    return loan as Loan;
  }

  /** While somebody waits: nothing tells that a peer has read what was copied for it. */
  #look(): void {
    this.#looking = true;
    this.#turns.runtime.loop.clock.timer(LOOK_MS, () => {
      this.#looking = false;
      if (this.#waiting === 0 || this.queue.closed) return;
      this.roomForLoans();
      this.#look();
    });
  }

  get maxLoanedBytes(): number {
    return this.#options.maxLoanedBytes;
  }

  newMemory(bytes: number): LoanMemory | undefined {
    return streamEngine().loanMemory?.(bytes);
  }

  now(): number {
    return this.#turns.runtime.now();
  }

  roomForLoans(): void {
    if (this.#waiting === 0 || this.#told) return;
    this.#told = true;
    // Later: a loan that is being made may cause this call.
    this.#turns.runtime.nextTick(() => {
      this.#told = false;
      this.#room?.notify();
    });
  }

  // Sending

  /** From now on, something goes with each message beside its parts. */
  carry(carrier: () => Uint8Array): void {
    if (this.#carrier === null) this.queue.carry();
    this.#carrier = carrier;
  }

  /** A message for the queue, with what goes with it. @param from a message that was received, to pass on what came with it */
  loaded(message: OutMessage, from?: Message): OutMessage {
    const carrier = this.#carrier;
    if (carrier === null) return message;
    // An array of its own: the program may send the same bytes again.
    const own = unshared(Array.isArray(message) ? [...message] : [message]) as Uint8Array[];
    const bytes = from === undefined ? carrier() : carriedBy(from);
    if (bytes !== undefined) carry(own, bytes);
    return own;
  }

  /** Sends what the application gives. Loans are taken from it. */
  send(message: Sendable, options: CallOptions | undefined): Promise<void> {
    const parts = normaliseMessage(message, this.limits);
    const ours = sendable(parts);
    const sent = this.queue.send(this.loaded(ours), options);
    if (ours !== parts) handedOver(parts);
    return sent;
  }

  /** The same if there is room now. Otherwise the application keeps its loans. */
  trySend(message: Sendable): boolean {
    const parts = normaliseMessage(message, this.limits);
    const ours = sendable(parts);
    const sent = this.queue.trySend(this.loaded(ours));
    if (sent && ours !== parts) handedOver(parts);
    return sent;
  }

  /** The queue and the loans of a socket that is closed. */
  close(error: ZmqError): void {
    this.queue.close(error);
    this.#room?.close(error);
    this.#pool?.close();
  }

  /** As trySend(), for a message that was received: it needs no conversion. */
  forward(message: Message): boolean {
    const parts = message.length === 1 ? message[0] : normaliseMessage(message, this.limits);
    return this.queue.trySend(this.loaded(parts, message));
  }

  async sendMany(messages: Iterable<Sendable>, options: CallOptions | undefined): Promise<void> {
    const { queue, limits } = this;
    for (const message of messages) {
      const parts = normaliseMessage(message, limits);
      const ours = sendable(parts);
      // Straight through while there is room; the queue only for what has to wait.
      const loaded = this.loaded(ours);
      const straight = options?.signal?.aborted !== true && !queue.closed && queue.sendStraight(loaded);
      const turn = straight ? queue.rest(loaded) : queue.send(loaded, options);
      if (ours !== parts) handedOver(parts);
      if (turn !== undefined) await turn;
    }
  }
}
