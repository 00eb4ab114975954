/**
 * What is ready for the application, and the FIFO of receives that wait. Waiters are served in order; an aborted or
 * timed-out one loses no message, because a message is taken only for a waiter that is still there. Knows no pipes
 * (it is handed `next`) and no clock (it is handed `turns`).
 */
import { ZmqError } from "../errors.js";
import { Fifo } from "./fifo.js";
import type { CallOptions, Turns } from "./turns.js";
import { OPERATIONS_PER_TURN } from "./turns.js";

/** Options of the socket that the queue reads afresh each time. */
export interface ReceiveLimits {
  /** Milliseconds; -1 waits for ever, 0 fails at once (G13). */
  readonly receiveTimeout: number;
}

interface Waiter<M> {
  /** Takes what is ready; false once cancelled. */
  live: boolean;
  serve: (first: M) => void;
  /** The socket closed. */
  end: (error: ZmqError) => void;
  reject: (reason: unknown) => void;
  cleanup: (() => void) | null;
}

/** @typeParam M what one message is to the application */
export class ReceiveQueue<M> {
  #next: () => M | undefined;
  readonly #limits: ReceiveLimits;
  readonly #turns: Turns;
  readonly #waiters = new Fifo<Waiter<M>>();
  #live = 0;
  #operations = 0;
  #closed: ZmqError | null = null;
  #listener: ((message: M) => void) | null = null;
  #pumpScheduled = false;
  /** The listener is being called: what it makes ready comes next, not within it. */
  #pumping = false;
  #taker: (() => void) | null = null;
  #returned = 0;

  /** @param next takes the next message off the pipes, or undefined */
  constructor(next: () => M | undefined, limits: ReceiveLimits, turns: Turns) {
    this.#next = next;
    this.#limits = limits;
    this.#turns = turns;
  }

  /** Receives that wait. */
  get waiting(): number {
    return this.#live;
  }

  /** Messages that were given back and not taken again. */
  get returned(): number {
    return this.#returned;
  }

  /** The next message; waits for it. */
  receive(options?: CallOptions): Promise<M> {
    const refused = this.#refusal(options);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.#live === 0) {
      const message = this.#next();
      if (message !== undefined) return this.#ready(message);
    }
    return new Promise((resolve, reject) => this.#wait(options, resolve, reject, reject));
  }

  /** The next message if one is ready. */
  tryReceive(): M | undefined {
    if (this.#closed !== null) throw this.#closed;
    if (this.#taker !== null) throw lent();
    return this.#live === 0 ? this.#next() : undefined;
  }

  /** At least one message and at most `max`, as many as are ready. */
  receiveMany(max: number, options?: CallOptions): Promise<M[]> {
    const refused = this.#refusal(options);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.#live === 0) {
      const message = this.#next();
      if (message !== undefined) {
        const batch = this.#fill([message], max);
        this.#operations += batch.length - 1; // #ready counts the one that remains
        return this.#ready(batch);
      }
    }
    return new Promise((resolve, reject) => {
      this.#wait(options, (first) => resolve(this.#fill([first], max)), reject, reject);
    });
  }

  /** One step of `for await`: ends, instead of failing, when the socket closes. */
  iterate(): Promise<IteratorResult<M, undefined>> {
    if (this.#closed !== null) return Promise.resolve({ value: undefined, done: true });
    const refused = this.#refusal(undefined);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.#live === 0) {
      const value = this.#next();
      if (value !== undefined) return this.#ready({ value, done: false as const });
    }
    return new Promise((resolve, reject) => {
      const serve = (value: M) => resolve({ value, done: false });
      this.#wait(undefined, serve, () => resolve({ value: undefined, done: true }), reject);
    });
  }

  /** Deliver by call instead of by promise; null ends it. */
  listen(listener: ((message: M) => void) | null): void {
    if (this.#closed !== null) return;
    if (listener !== null && this.#taker !== null) throw lent();
    this.#listener = listener;
    if (listener !== null) this.#schedulePump();
  }

  /**
   * Leave the messages to a proxy, which takes them with `take`. `ready` is called when some have arrived, and when
   * the queue closes. Receives are refused until `reclaim`.
   * @throws ZmqError EBUSY when somebody waits for messages or listens to them; EBADF
   */
  lend(ready: () => void): void {
    if (this.#closed !== null) throw this.#closed;
    if (this.#taker !== null) throw lent();
    if (this.#listener !== null) throw new ZmqError("EBUSY", { detail: 'it has a "message" listener' });
    if (this.#live > 0) throw new ZmqError("EBUSY", { detail: `${this.#live} receives wait` });
    this.#taker = ready;
  }

  /** End `lend`. */
  reclaim(): void {
    this.#taker = null;
  }

  /** For who has the queue on loan: the next message if one is ready. */
  take(): M | undefined {
    return this.#next();
  }

  /** Undo a `take`: the message is the next to be received. */
  giveBack(message: M): void {
    // In the place of `next` rather than in a queue of its own: the hot path asks nothing more than before.
    const next = this.#next;
    this.#returned++;
    this.#next = () => {
      this.#next = next;
      this.#returned--;
      return message;
    };
  }

  /** Messages are ready: serve waiters, or call the listener. */
  serve(): void {
    if (this.#taker !== null) {
      this.#taker();
      return;
    }
    if (this.#listener !== null) {
      if (!this.#pumpScheduled && !this.#pumping) this.#pump();
      return;
    }
    while (this.#live > 0) {
      const waiter = this.#waiters.peek() as Waiter<M>;
      if (waiter.live) {
        const message = this.#next();
        if (message === undefined) return;
        waiter.live = false;
        waiter.cleanup?.();
        this.#live--;
        this.#waiters.shift();
        waiter.serve(message);
      } else {
        this.#waiters.shift();
      }
    }
  }

  /** End all waits and refuse everything after. */
  close(error: ZmqError): void {
    this.#closed = error;
    this.#listener = null;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      if (!waiter.live) continue;
      waiter.live = false;
      waiter.cleanup?.();
      waiter.end(error);
    }
    this.#live = 0;
    const taker = this.#taker;
    this.#taker = null;
    taker?.();
  }

  #refusal(options: CallOptions | undefined): unknown {
    if (this.#closed !== null) return this.#closed;
    if (this.#taker !== null) return lent();
    if (this.#listener !== null) {
      return new ZmqError("EBUSY", { detail: 'messages go to the "message" listener; remove it first' });
    }
    const signal = options?.signal;
    return signal?.aborted ? (signal.reason ?? new ZmqError("EAGAIN")) : undefined;
  }

  /** A settled promise, or one for a later turn once in 512 (fairness). */
  #ready<T>(value: T): Promise<T> {
    if (++this.#operations < OPERATIONS_PER_TURN) return Promise.resolve(value);
    this.#operations = 0;
    return this.#turns.nextTurn().then(() => value);
  }

  #fill(batch: M[], max: number): M[] {
    while (batch.length < max) {
      const message = this.#next();
      if (message === undefined) break;
      batch.push(message);
    }
    return batch;
  }

  #wait(
    options: CallOptions | undefined,
    serve: (first: M) => void,
    end: (error: ZmqError) => void,
    reject: (reason: unknown) => void,
  ): void {
    const timeout = options?.timeout ?? this.#limits.receiveTimeout;
    if (timeout === 0) {
      reject(new ZmqError("EAGAIN"));
      return;
    }
    this.#operations = 0;
    const waiter: Waiter<M> = { live: true, serve, end, reject, cleanup: null };
    waiter.cleanup = this.#turns.expire(timeout, options?.signal, (reason) => this.#cancel(waiter, reason));
    this.#waiters.push(waiter);
    this.#live++;
  }

  #cancel(waiter: Waiter<M>, reason: unknown): void {
    if (!waiter.live) return;
    waiter.live = false;
    this.#live--;
    waiter.reject(reason);
    if (this.#waiters.length > 64 && this.#live < this.#waiters.length >> 1) {
      this.#waiters.retain((waiting) => waiting.live);
    }
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    this.#turns.defer(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /** Call the listener, at most 512 times in one turn of the event loop. */
  #pump(): void {
    let calls = 0;
    let finished = false;
    this.#pumping = true;
    try {
      for (let listener = this.#listener; listener !== null; listener = this.#listener) {
        if (calls++ === OPERATIONS_PER_TURN) break;
        const message = this.#next();
        if (message === undefined) {
          finished = true;
          break;
        }
        listener(message);
      }
    } finally {
      this.#pumping = false;
      // Also when a listener threw: its exception is the application's, the messages behind it are not lost.
      if (!finished && this.#listener !== null) this.#schedulePump();
    }
  }
}

function lent(): ZmqError {
  return new ZmqError("EBUSY", { detail: "a proxy takes the messages of this socket" });
}
