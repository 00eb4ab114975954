/**
 * The FIFO of receives that wait, and the share of one turn for those that do not have to. An aborted or timed-out receive
 * leaves the line without a message. Knows no messages, and no clock (it is handed turns).
 */
import { ZmqError } from "../base/errors.js";
import { Fifo } from "../base/fifo.js";
import { type CallOptions, OPERATIONS_PER_TURN, type Turns } from "../base/waiting.js";
import type { Iteration } from "./iteration.js";

/** Options of the socket that the queue reads afresh each time. */
export interface ReceiveLimits {
  /** Milliseconds; -1 waits for ever, 0 fails at once (G13). */
  readonly receiveTimeout: number;
  /** Remember who sent each message. */
  readonly messagePeers: boolean;
}

export interface Waiter<M> {
  /** Whether it still waits; false once it is served or cancelled. */
  live: boolean;
  serve: (first: M) => void;
  /** The socket closed. */
  end: (error: ZmqError) => void;
  reject: (reason: unknown) => void;
  cleanup: (() => void) | null;
  /** Whether the program gives the message back. */
  readonly borrows: boolean;
  /** The iteration whose step it is. */
  readonly by: Iteration<M> | null;
}

/**
 * A part of WaitingReceives, and not an object of its own: each receive looks here first, whether somebody waits before it.
 * @typeParam M what one message is to the application
 */
export abstract class ReceiveLine<M> {
  protected readonly limits: ReceiveLimits;
  protected readonly turns: Turns;
  readonly #waiters = new Fifo<Waiter<M>>();
  /** Waiters that are live. */
  protected live = 0;
  /** Receives in this turn that did not wait. */
  protected operations = 0;

  constructor(limits: ReceiveLimits, turns: Turns) {
    this.limits = limits;
    this.turns = turns;
  }

  /** Receives that wait. */
  get waiting(): number {
    return this.live;
  }

  /** Whether a step of an iteration waits for a message. */
  waitsFor(iteration: Iteration<M>): boolean {
    for (const { by, live } of this.#waiters) if (live && by === iteration) return true;
    return false;
  }

  /** A settled promise, or one for a later turn once in 512 (fairness). */
  protected ready<T>(value: T): Promise<T> {
    if (++this.operations < OPERATIONS_PER_TURN) return Promise.resolve(value);
    this.operations = 0;
    return this.turns.nextTurn().then(() => value);
  }

  /** Joins the end of the line. */
  protected wait(
    options: CallOptions | undefined,
    serve: (first: M) => void,
    end: (error: ZmqError) => void,
    reject: (reason: unknown) => void,
    borrows = false,
    by: Iteration<M> | null = null,
  ): void {
    const timeout = options?.timeout ?? this.limits.receiveTimeout;
    if (timeout === 0) {
      reject(new ZmqError("EAGAIN"));
      return;
    }
    this.operations = 0;
    const waiter: Waiter<M> = { live: true, serve, end, reject, cleanup: null, borrows, by };
    waiter.cleanup = this.turns.expire(timeout, options?.signal, (reason) => this.#cancel(waiter, reason));
    this.#waiters.push(waiter);
    this.live++;
  }

  #cancel(waiter: Waiter<M>, reason: unknown): void {
    if (!waiter.live) return;
    waiter.live = false;
    this.live--;
    waiter.reject(reason);
    if (this.#waiters.length > 64 && this.live < this.#waiters.length >> 1) {
      this.#waiters.retain((waiting) => waiting.live);
    }
  }

  /** Who is to be served next; undefined if nobody waits. */
  protected first(): Waiter<M> | undefined {
    while (this.live > 0) {
      const waiter = this.#waiters.peek() as Waiter<M>;
      if (waiter.live) return waiter;
      this.#waiters.shift();
    }
    return undefined;
  }

  /** There is a message for the first. */
  protected leaveFirst(waiter: Waiter<M>): void {
    waiter.live = false;
    waiter.cleanup?.();
    this.live--;
    this.#waiters.shift();
  }

  /** Ends the steps of an iteration that wait. */
  protected withdraw(by: Iteration<M>): void {
    this.#waiters.retain((waiter) => {
      if (waiter.by !== by || !waiter.live) return waiter.live;
      waiter.live = false;
      this.live--;
      waiter.cleanup?.();
      waiter.end(new ZmqError("EAGAIN"));
      return false;
    });
  }

  /** Ends all waits. */
  protected endAll(error: ZmqError): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      if (!waiter.live) continue;
      waiter.live = false;
      waiter.cleanup?.();
      waiter.end(error);
    }
    this.live = 0;
  }
}
