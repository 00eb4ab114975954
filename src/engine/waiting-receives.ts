/**
 * What is ready for the application, and who gets it: the receives that wait, in order, a loop, a listener, or a proxy. A
 * message is taken only for a waiter that is still there, so that an aborted or timed-out one loses none. Knows no pipes
 * (it is handed a source).
 */
import { assert } from "../base/assert.js";
import { passOn } from "../base/carried.js";
import { publishMessage, RECEIVES } from "../base/channels.js";
import { ZmqError } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { anyLent, kept, letGoOf } from "../base/lent.js";
import { type CallOptions, OPERATIONS_PER_TURN, type Turns } from "../base/waiting.js";
import { DONE, Iteration } from "./iteration.js";
import { Loops } from "./loops.js";
import { type ReceiveLimits, ReceiveLine } from "./receive-line.js";
import {
  elsewhere,
  nextMode,
  PUMP,
  type PumpRow,
  type PumpState,
  type ReceiveMode,
} from "./receive-states.js";
import { SenderMarks } from "./sender-marks.js";

/** Where messages come from. */
export interface Source<M> {
  /** Takes the next message off the pipes; undefined when there is none. */
  next(): M | undefined;
  /** Whether a message that was given back is still to be received. */
  wants(message: M): boolean;
  /** Who sent the message that next() has just given. */
  readonly origin: Peer | undefined;
}

/** @typeParam M what one message is to the application */
export class WaitingReceives<M> extends ReceiveLine<M> {
  readonly #source: Source<M>;
  #mode: ReceiveMode = "receiving";
  /** Closed: what every receive fails with. */
  #closed: ZmqError | null = null;
  #listener: ((message: M) => void) | null = null;
  #pump: PumpState = PUMP.idle;
  #taker: (() => void) | null = null;
  /** Given back and not taken again, the next to be received last. */
  readonly #returned: M[] = [];
  readonly loops = new Loops();
  /** Messages that came off the pipes. */
  received = 0;
  /** The socket, for those who watch its messages; null if nobody may. */
  owner: object | null = null;
  /** Senders of messages, while `messagePeers` is set. */
  readonly #senders = new SenderMarks();

  constructor(source: Source<M>, limits: ReceiveLimits, turns: Turns) {
    super(limits, turns);
    this.#source = source;
  }

  /** Messages that were given back and not taken again. */
  get returned(): number {
    return this.#returned.length;
  }

  /** Drops them: the queue is closed. */
  forgetReturned(): void {
    for (const message of this.#returned.splice(0)) letGoOf(message);
  }

  /** Who sent a message that was received; undefined where that was not noted. */
  peerOf(message: M): Peer | undefined {
    return this.#senders.of(message as object);
  }

  /** A message that was received has become another object. */
  sameSender(message: M, other: M): void {
    const peer = this.#senders.of(message as object);
    if (peer !== undefined) this.#senders.set(other as object, peer);
    passOn(message as object, other as object);
  }

  /** @param borrows whether the program gives the message back; otherwise it is one to keep */
  #next(borrows: boolean): M | undefined {
    const before = this.received;
    const message = this.#nextUntold(borrows);
    this.#tell(message, before);
    return message;
  }

  /** Tells those who watch the messages. @param before `received`, before it was taken: one that was given back is old */
  #tell(message: M | undefined, before: number): void {
    if (RECEIVES.hasSubscribers && this.received !== before) publishMessage(RECEIVES, this.owner, message);
  }

  /** As `#next`, without `#tell`. */
  #nextUntold(borrows: boolean): M | undefined {
    const message = this.#nextReturned() ?? this.#nextOfSource();
    return message === undefined || borrows || !anyLent() ? message : kept(message);
  }

  #nextReturned(): M | undefined {
    while (this.#returned.length > 0) {
      const message = this.#returned.pop() as M;
      if (this.#source.wants(message)) return message;
      letGoOf(message);
    }
    return undefined;
  }

  #nextOfSource(): M | undefined {
    const message = this.#source.next();
    if (message === undefined) return undefined;
    this.received++;
    if (this.limits.messagePeers) this.#note(message);
    return message;
  }

  #note(message: M): void {
    const peer = this.#source.origin;
    if (peer !== undefined) this.#senders.set(message as object, peer);
  }

  /** The next message; waits for it. @param borrows whether the program gives it back */
  receive(options?: CallOptions, borrows = false): Promise<M> {
    const refused = this.#refusal(options);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.live === 0) {
      const message = this.#next(borrows);
      if (message !== undefined) return this.ready(message);
    }
    return new Promise((resolve, reject) => this.wait(options, resolve, reject, reject, borrows));
  }

  /** The next message if one is ready. @param borrows whether the program gives it back */
  tryReceive(borrows = false): M | undefined {
    if (this.#mode === "closed") throw this.#closed;
    if (this.#mode === "lent") throw elsewhere("lent");
    return this.live === 0 ? this.#next(borrows) : undefined;
  }

  /** At least one message and at most `max`, as many as are ready. */
  receiveMany(max: number, options?: CallOptions): Promise<M[]> {
    const refused = this.#refusal(options);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.live === 0) {
      const message = this.#next(false);
      if (message !== undefined) {
        const batch = this.#fill([message], max);
        this.operations += batch.length - 1; // ready() counts the one that remains
        return this.ready(batch);
      }
    }
    return new Promise((resolve, reject) => {
      this.wait(options, (first) => resolve(this.#fill([first], max)), reject, reject);
    });
  }

  /**
   * An iteration over the messages, which ends, instead of failing, when the socket closes.
   * @param borrows whether the program gives them back
   */
  iterate(borrows = false): Iteration<M> {
    const iteration = new Iteration(this, borrows);
    this.loops.add(iteration);
    return iteration;
  }

  /** Whether a loop over the messages has one that it has not finished with. */
  get busy(): boolean {
    return this.#mode === "receiving" && this.loops.busy;
  }

  /** The queue is closed, and what still arrives is thrown away by this call. */
  discard(take: () => void): void {
    this.#taker = take;
    take();
  }

  /** One step of an iteration. */
  step(by: Iteration<M>): Promise<IteratorResult<M, undefined>> {
    if (this.#mode === "closed" || by.left) return Promise.resolve(DONE);
    const refused = this.#refusal(undefined);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.live === 0) {
      const value = this.#next(by.borrows);
      if (value !== undefined) {
        by.gave = true;
        if (++this.operations < OPERATIONS_PER_TURN) return Promise.resolve({ value, done: false });
        this.operations = 0;
        return by.later(value, this.turns.nextTurn());
      }
    }
    return new Promise((resolve, reject) => {
      const serve = (value: M) => {
        by.gave = true;
        resolve({ value, done: false });
      };
      this.wait(undefined, serve, () => resolve(DONE), reject, by.borrows, by);
    });
  }

  /** Withdraw what an iteration waits for; no message is lost by it. */
  leave(by: Iteration<M>): void {
    by.left = true;
    this.withdraw(by);
    if (by.held.length === 0) return;
    for (const message of by.held.splice(0).reverse()) this.giveBack(message);
    this.serve();
  }

  /** Deliver by call instead of by promise; null ends it. */
  listen(listener: ((message: M) => void) | null): void {
    if (this.#mode === "closed") return;
    if (listener !== null && this.#mode === "lent") throw elsewhere("lent");
    this.#mode = nextMode(this.#mode, listener === null ? "stopListening" : "listen");
    this.#listener = listener;
    if (listener !== null) this.#on(this.#pump.schedule);
  }

  /**
   * Leave the messages to a proxy, which takes them with `take`. `ready` is called when some have arrived, and when
   * the queue closes. Receives are refused until `reclaim`.
   * @throws ZmqError EBUSY when somebody waits for messages or listens to them; EBADF
   */
  lend(ready: () => void): void {
    if (this.#mode === "closed") throw this.#closed;
    if (this.#mode !== "receiving") throw elsewhere(this.#mode);
    if (this.live > 0)
      throw new ZmqError("EBUSY", {
        detail: `${this.live} receives wait for messages of this socket: let them end first`,
      });
    this.#mode = nextMode(this.#mode, "lend");
    this.#taker = ready;
  }

  /** End `lend`. */
  reclaim(): void {
    this.#mode = nextMode(this.#mode, "reclaim");
    this.#taker = null;
  }

  /** For the proxy that has the messages on loan: the next message if one is ready. */
  take(): M | undefined {
    return this.#next(false);
  }

  /** Whether there is a message. It stays the next to be received. */
  look(): boolean {
    const message = this.#next(true);
    if (message !== undefined) this.giveBack(message);
    return message !== undefined;
  }

  /** Undo a `take`, or a step that was left: the message is the next to be received. */
  giveBack(message: M): void {
    this.#returned.push(message);
  }

  /** Messages are ready: serve waiters, or call the listener. */
  serve(): void {
    if (this.#taker !== null) {
      this.#taker();
      return;
    }
    if (this.#listener !== null) {
      this.#on(this.#pump.serve);
      return;
    }
    for (let waiter = this.first(); waiter !== undefined; waiter = this.first()) {
      const before = this.received;
      const message = this.#nextUntold(waiter.borrows);
      if (message === undefined) return;
      this.leaveFirst(waiter);
      this.#tell(message, before); // only now: who watches may abort the receive, or close the socket
      waiter.serve(message);
    }
  }

  /** End all waits and refuse everything after. */
  close(error: ZmqError): void {
    this.#mode = nextMode(this.#mode, "close");
    this.#closed = error;
    this.#listener = null;
    this.endAll(error);
    const taker = this.#taker;
    this.#taker = null;
    taker?.();
  }

  #refusal(options: CallOptions | undefined): unknown {
    if (this.#mode !== "receiving") return this.#otherwise();
    const signal = options?.signal;
    return signal?.aborted ? (signal.reason ?? new ZmqError("EAGAIN")) : undefined;
  }

  /** Why nothing can be received in this mode. */
  #otherwise(): ZmqError | null {
    return this.#mode === "closed" ? this.#closed : elsewhere(this.#mode);
  }

  #fill(batch: M[], max: number): M[] {
    while (batch.length < max) {
      const message = this.#next(false);
      if (message === undefined) break;
      batch.push(message);
    }
    return batch;
  }

  /** Stores the next state before it acts: the listener may come back with another event. */
  #on(row: PumpRow | undefined): void {
    assert(row !== undefined, "the listener was to be called at a time when it cannot be");
    this.#pump = row.next;
    if (row.action === "pump") this.#callListener();
    else if (row.action === "defer") this.turns.defer(() => this.#on(this.#pump.due));
  }

  /** At most 512 times in one turn of the event loop. */
  #callListener(): void {
    let calls = 0;
    let emptied = false;
    try {
      for (let listener = this.#listener; listener !== null; listener = this.#listener) {
        if (calls++ === OPERATIONS_PER_TURN) break;
        const message = this.#next(false);
        if (message === undefined) {
          emptied = true;
          break;
        }
        listener(message);
      }
    } finally {
      // Also when a listener threw: its exception is the application's, the messages behind it are not lost.
      this.#on(emptied || this.#listener === null ? this.#pump.emptied : this.#pump.interrupted);
    }
  }
}
