/**
 * One call on a server: its channel, and the answer or stream of its handler, sent as fast as credit allows (§5.1). The
 * owner decides when the handler runs, and sends the events.
 */

import { type NamedTable, rowOf } from "../../base/machine.js";
import { describeError, describeForV1, type ErrorAnswer } from "../answers.js";
import type { Channel } from "../channel.js";
import type { Deadline } from "../deadlines.js";
import type { RequestContext } from "../service/context.js";
import type { ServedMethod } from "../service/service.js";
import type { CallPeer } from "../types.js";
import { sendable } from "../wire/codec.js";
import { type EncodedArgs, ERR, type Extension, OK, STREAM, STREAM_DONE } from "../wire/event.js";
import type { Id } from "../wire/id.js";
import type { Connection } from "./connection.js";
import type { Claim, QueueLimit } from "./limiter.js";
import { giveBack, isPromise, type Source, sourceOf } from "./source.js";

/** The client that made a call, and what it has shown of itself. */
export interface Caller extends CallPeer {
  readonly connection: Connection;
  /** It has announced itself as zwire. */
  zwire: boolean;
  /** We have sent it an event that says we are zwire. */
  greeted: boolean;
  /** It sends heartbeats on its channels. */
  beats: boolean;
  /** The longest time between two of them so far. */
  interval: number;
  /** Milliseconds that it may be silent while it accepts nothing of a stream. */
  patience(otherwise: number): number;
  /** The channel of a call is closed. */
  closed(call: ServedCall): void;
}

/** What a served call needs from its server. */
export interface ServedCallOwner {
  /** Whether stacks are sent. */
  readonly tracebacks: boolean;
  /** Calls the handler, with the hooks around it. */
  execute(call: ServedCall): unknown;
  /** The handler has returned, or its stream has ended. Null if there are no hooks. */
  after: ((call: ServedCall, result: unknown) => Promise<void>) | null;
  /** The handler has thrown; resolves to the error to answer with. Null if there are no hooks. */
  inspect: ((call: ServedCall, error: unknown) => Promise<unknown>) | null;
  /** Sends an event on the channel. */
  emit(call: ServedCall, name: string, args: unknown, extension: Extension | null): void;
  /** Whether the client accepts what is sent; if not, `wake` follows as soon as it does. */
  clear(call: ServedCall): boolean;
  /** A handler starts. */
  started(): void;
  /** The first item of a stream is about to be sent. */
  streams(call: ServedCall): void;
  /** The call waits for its client: it needs no place meanwhile. */
  parked(call: ServedCall): void;
  /** The call may go on. True if it has a place; if not, `resume` follows. */
  unparked(call: ServedCall): boolean;
  /** The call lost its turn to wait. */
  displaced(call: ServedCall, limit: QueueLimit): void;
  /** Calls back on a later turn of the event loop. */
  later(resume: () => void): void;
  /** The channel is closed. */
  closed(call: ServedCall): void;
  /** The handler is done, whatever became of the channel. */
  released(call: ServedCall): void;
}

/**
 * - `idle`: opened by a heartbeat that came before the call itself, or new
 * - `waiting`: for a place
 * - `running`: the handler runs, and no item was sent
 * - `blocked`: as `running`, but the answer has to wait for the client
 * - `streaming`: an item was sent
 * - `starved`: as `streaming`, but the next event has to wait for the client
 * - `closed`: nothing more is sent; the handler may still run
 */
export type ServedState = "idle" | "waiting" | "running" | "blocked" | "streaming" | "starved" | "closed";

/** `hold`: the client accepts no event now. `ready`: it does. `item`: the next item is about to be sent. */
type ServedEvent = "admit" | "start" | "hold" | "ready" | "item" | "close";

type ServedAction = "begin stream" | "close";

const TABLE: NamedTable<ServedState, ServedEvent, ServedAction> = {
  idle: {
    admit: ["waiting"],
    close: ["closed", "close"],
  },
  waiting: {
    start: ["running"],
    close: ["closed", "close"],
  },
  running: {
    hold: ["blocked"],
    ready: ["running"],
    item: ["streaming", "begin stream"],
    close: ["closed", "close"],
  },
  blocked: {
    hold: ["blocked"],
    ready: ["running"],
    close: ["closed", "close"],
  },
  streaming: {
    hold: ["starved"],
    ready: ["streaming"],
    item: ["streaming"],
    close: ["closed", "close"],
  },
  starved: {
    hold: ["starved"],
    ready: ["streaming"],
    close: ["closed", "close"],
  },
  // The handler may go on after the channel has closed.
  closed: {
    item: ["closed"],
    close: ["closed"],
  },
};

/** After so many items without a pause, other calls get their turn. */
const ITEMS_PER_TURN = 64;

export class ServedCall implements Claim {
  readonly id: Id;
  readonly from: Caller;
  readonly channel: Channel;
  /** Version of the protocol that the client speaks. */
  version = 3;
  context: RequestContext | null = null;
  served: ServedMethod | null = null;
  deadline: Deadline | null = null;
  weight = 0;
  seat: Claim["seat"] = "none";
  before: Claim | null = null;
  after: Claim | null = null;
  readonly #owner: ServedCallOwner;
  #state: ServedState = "idle";
  /** Ends the wait for credit, room or a place; null while there is none. */
  #wake: (() => void) | null = null;

  constructor(owner: ServedCallOwner, id: Id, from: Caller, channel: Channel) {
    this.#owner = owner;
    this.id = id;
    this.from = from;
    this.channel = channel;
  }

  get state(): ServedState {
    return this.#state;
  }

  get share(): Connection {
    return this.from.connection;
  }

  /** Nothing more will be sent. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Whether the caller still waits for the answer, or for the first item. */
  get isUnanswered(): boolean {
    return this.#state === "waiting" || this.#state === "running" || this.#state === "blocked";
  }

  #step(event: ServedEvent): void {
    const [next, action] = rowOf(TABLE, this.#state, event);
    this.#state = next;
    if (action === undefined) return;
    this.deadline?.cancel(); // the caller's deadline is for the answer, or for the first item
    this.deadline = null;
    if (action === "close") this.#owner.closed(this);
    else this.#owner.streams(this);
  }

  /**
   * Makes this the call of a method that is offered. The limiter starts it.
   * @param weight bytes that it takes while it waits
   */
  admit(context: RequestContext, served: ServedMethod, weight: number): void {
    this.weight = weight;
    this.context = context;
    this.served = served;
    this.#step("admit");
  }

  /** Answers with a built-in method, which needs no place. */
  answer(builtIn: () => EncodedArgs): void {
    let ready: EncodedArgs;
    try {
      ready = builtIn();
    } catch (error) {
      this.refuse(describeError(error, this.#owner.tracebacks));
      return;
    }
    this.#emit(OK, ready, null);
    this.#step("close");
  }

  /** Answers with an error, without a handler. */
  refuse(answer: ErrorAnswer): void {
    this.#emitError(answer);
    this.#step("close");
  }

  /** Claim: runs the handler; `released` follows. */
  start(): void {
    this.#owner.started();
    this.#step("start");
    let result: unknown;
    try {
      result = this.#owner.execute(this);
    } catch (error) {
      void this.#failed(error);
      return;
    }
    if (isPromise(result)) {
      result.then(
        (value) => this.#returned(value),
        (error) => this.#failed(error),
      );
    } else this.#returned(result);
  }

  #returned(value: unknown): void {
    let source: Source | null;
    try {
      source = sourceOf(value);
    } catch (error) {
      void this.#failed(error);
      return;
    }
    if (source !== null) void this.#stream(source);
    else if (this.#owner.after !== null) void this.#returnedWithHooks(value);
    else this.#answerWith(value);
  }

  async #returnedWithHooks(value: unknown): Promise<void> {
    try {
      await this.#owner.after?.(this, value);
    } catch (error) {
      await this.#failed(error);
      return;
    }
    this.#answerWith(value);
  }

  #answerWith(value: unknown): void {
    let ready: unknown;
    try {
      ready = sendable(value, "result");
    } catch (error) {
      void this.#failed(error);
      return;
    }
    this.#emit(OK, [ready], null);
    this.#end();
  }

  async #failed(thrown: unknown): Promise<void> {
    let error = thrown;
    if (this.#owner.inspect !== null) error = await this.#owner.inspect(this, thrown);
    // In the middle of a stream an error costs credit, as an item does (T13).
    if (await this.#mayProceed()) this.#emitError(describeError(error, this.#owner.tracebacks));
    this.#end();
  }

  /** Sends items as fast as the client accepts them; the next one is not made before it is wanted. */
  async #stream(source: Source): Promise<void> {
    let exhausted = false;
    try {
      for (let count = 1; ; count++) {
        if (!this.#ready && !(await this.#mayProceed())) break;
        const step = source.next();
        const { value, done } = (isPromise(step) ? await step : step) as IteratorResult<unknown>;
        exhausted = done === true;
        if (exhausted || this.isClosed) break;
        this.#item(isPromise(value) ? await value : value);
        if (count % ITEMS_PER_TURN === 0) await new Promise<void>((resolve) => this.#owner.later(resolve));
      }
      if (!exhausted) await source.return?.();
      await this.#owner.after?.(this, undefined);
    } catch (error) {
      if (!exhausted) await giveBack(source);
      await this.#failed(error);
      return;
    }
    // The end costs credit, too (§5.1).
    if (exhausted && (await this.#mayProceed())) this.#emit(STREAM_DONE, null, null);
    this.#end();
  }

  #item(value: unknown): void {
    const item = sendable(value, "item");
    if (this.#state !== "streaming") this.#step("item"); // all items but the first cost no look into the table
    this.#emit(STREAM, item, null);
  }

  get #ready(): boolean {
    return !this.isClosed && this.channel.maySend && this.#owner.clear(this);
  }

  /**
   * Resolves to true when an event may be sent, to false when the channel is closed. Meanwhile other calls have the
   * place: a client that accepts nothing must not hold one.
   */
  async #mayProceed(): Promise<boolean> {
    for (;;) {
      const ready = this.#ready;
      if (this.isClosed) return false;
      this.#step(ready ? "ready" : "hold");
      if (ready && this.#owner.unparked(this)) return true;
      this.#owner.parked(this);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Claim: the call has a place again. */
  resume(): void {
    this.wake();
  }

  /** Claim: the call waits no longer. */
  displaced(limit: QueueLimit): void {
    this.#owner.displaced(this, limit);
  }

  /** There may be credit or room now, or the channel is closed. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #emit(name: string, args: unknown, extension: Extension | null): void {
    if (this.isClosed) return;
    this.channel.spend();
    this.#owner.emit(this, name, args, extension);
  }

  #emitError({ args, extension }: ErrorAnswer): void {
    this.#emit(ERR, this.version < 2 ? describeForV1(args) : args, this.from.zwire ? extension : null);
  }

  #end(): void {
    this.#step("close");
    this.#owner.released(this);
  }

  /** The client has left or wants no answer: none is sent. A running handler learns of it by its signal. */
  abandon(reason: unknown): void {
    if (this.isClosed) return;
    this.#step("close");
    this.context?.abort(reason);
    this.wake();
  }
}
