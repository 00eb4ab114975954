/**
 * One channel as a server keeps it: the answer or the stream that comes of a handler, as credit allows (§5.1). When the
 * handler runs, and how events travel, is its owner's affair. Knows no sockets.
 */
import { describeError, describeForV1, type ErrorAnswer } from "../answers.js";
import type { Channel } from "../channel.js";
import type { Deadline } from "../deadlines.js";
import { sendable } from "../wire/codec.js";
import { type EncodedArgs, ERR, type Extension, OK, STREAM, STREAM_DONE } from "../wire/event.js";
import type { Id } from "../wire/id.js";
import type { RequestContext } from "./context.js";
import type { Claim } from "./limiter.js";
import type { Connection, PeerState } from "./peers.js";
import type { ServedMethod } from "./service.js";

/** What a served call needs of its server. */
export interface ServedCallOwner {
  /** Whether stacks are sent. */
  readonly tracebacks: boolean;
  /** Call the handler, with whatever is around it. */
  execute(call: ServedCall): unknown;
  /** The handler has returned, or its stream has ended; null where there are no hooks. */
  after: ((call: ServedCall, result: unknown) => Promise<void>) | null;
  /** The handler has thrown; resolves to the error to answer with. Null where there are no hooks. */
  inspect: ((call: ServedCall, error: unknown) => Promise<unknown>) | null;
  /** Send an event of the channel. */
  emit(call: ServedCall, name: string, args: unknown, extension: Extension | null): void;
  /** Whether the client takes what is sent; if not, `wake` follows when it does. */
  clear(call: ServedCall): boolean;
  /** A handler begins. */
  started(): void;
  /** The stream waits for its client: it needs no place meanwhile. */
  parked(call: ServedCall): void;
  /** It may go on: whether it has a place; if not, `resume` follows. */
  unparked(call: ServedCall): boolean;
  /** There was no room for the call to wait in. */
  displaced(call: ServedCall): void;
  /** Calls back on a later turn of the event loop. */
  later(resume: () => void): void;
  /** The channel is closed. */
  closed(call: ServedCall): void;
  /** The handler is done with, whatever became of the channel. */
  released(call: ServedCall): void;
}

/** `idle`: opened by a heartbeat, before the call itself. */
export type ServedPhase = "idle" | "waiting" | "open" | "closed";

/** After so many items without a pause others get their turn. */
const ITEMS_PER_TURN = 64;

interface Source {
  next(): unknown;
  return?(): unknown;
}

export class ServedCall implements Claim {
  readonly id: Id;
  readonly from: PeerState;
  readonly channel: Channel;
  phase: ServedPhase = "idle";
  /** Version of the protocol that the client speaks. */
  version = 3;
  context: RequestContext | null = null;
  served: ServedMethod | null = null;
  deadline: Deadline | null = null;
  streaming = false;
  /** Of a stream: an item was sent. */
  begun = false;
  /** The stream waits for credit. */
  starved = false;
  seat: Claim["seat"] = "none";
  before: Claim | null = null;
  after: Claim | null = null;
  readonly #owner: ServedCallOwner;
  #wake: (() => void) | null = null;

  constructor(owner: ServedCallOwner, id: Id, from: PeerState, channel: Channel) {
    this.#owner = owner;
    this.id = id;
    this.from = from;
    this.channel = channel;
  }

  get share(): Connection {
    return this.from.connection;
  }

  /** Nothing more will be sent. */
  get isClosed(): boolean {
    return this.phase === "closed";
  }

  /** Answer by a built-in method, which takes no place. */
  answer(builtIn: () => EncodedArgs): void {
    let ready: EncodedArgs;
    try {
      ready = builtIn();
    } catch (error) {
      this.refuse(describeError(error, this.#owner.tracebacks));
      return;
    }
    this.#emit(OK, ready, null);
    this.#close();
  }

  /** Answer with an error, without a handler. */
  refuse({ args, extension }: ErrorAnswer): void {
    this.#emit(ERR, this.version < 2 ? describeForV1(args) : args, this.from.zwire ? extension : null);
    this.#close();
  }

  /** Claim: run the handler; `released` follows. */
  start(): void {
    this.#owner.started();
    this.phase = "open";
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
    else this.#finish(value);
  }

  async #returnedWithHooks(value: unknown): Promise<void> {
    try {
      await this.#owner.after?.(this, value);
    } catch (error) {
      await this.#failed(error);
      return;
    }
    this.#finish(value);
  }

  #finish(value: unknown): void {
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
    // In the middle of a stream an error costs credit as an item does (T13).
    if (await this.#mayProceed()) {
      const { args, extension } = describeError(error, this.#owner.tracebacks);
      this.#emit(ERR, this.version < 2 ? describeForV1(args) : args, this.from.zwire ? extension : null);
    }
    this.#end();
  }

  /** Items as fast as the client takes them; the next is not made before it is wanted. */
  async #stream(source: Source): Promise<void> {
    this.streaming = true;
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
    if (this.isClosed) return;
    this.begun = true;
    this.deadline?.cancel(); // the caller's deadline is for the first item
    this.deadline = null;
    this.#emit(STREAM, item, null);
  }

  get #ready(): boolean {
    return !this.isClosed && this.channel.maySend && this.#owner.clear(this);
  }

  /**
   * Resolves to true when an event may be sent, to false when the channel is closed. While it may not, others have the
   * place: progress holds one, and not the life of a client that takes nothing.
   */
  async #mayProceed(): Promise<boolean> {
    while (!this.#ready || !this.#owner.unparked(this)) {
      if (this.isClosed) return false;
      this.starved = !this.#ready;
      this.#owner.parked(this);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.starved = false;
    return true;
  }

  /** Claim: a place is there again. */
  resume(): void {
    this.wake();
  }

  /** Claim: it waits no longer. */
  displaced(): void {
    this.#owner.displaced(this);
  }

  /** There may be credit, or room, or the channel is closed. */
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

  #end(): void {
    this.#close();
    this.#owner.released(this);
  }

  #close(): void {
    if (this.isClosed) return;
    this.phase = "closed";
    this.deadline?.cancel();
    this.deadline = null;
    this.#owner.closed(this);
  }

  /** The client has gone or wants no answer: none is sent. A handler that runs is told by its signal. */
  abandon(reason: unknown): void {
    if (this.isClosed) return;
    this.#close();
    this.context?.abort(reason);
    this.wake();
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function"
  );
}

/** What is streamed: iterators and async iterables, but not arrays, Maps, Sets and strings. */
function sourceOf(value: unknown): Source | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Partial<AsyncIterable<unknown>> &
    Partial<Iterator<unknown>> &
    Partial<Iterable<unknown>>;
  if (typeof given[Symbol.asyncIterator] === "function")
    return (given as AsyncIterable<unknown>)[Symbol.asyncIterator]() as Source;
  return typeof given.next === "function" && typeof given[Symbol.iterator] === "function"
    ? (given as Source)
    : null;
}

/** Ends a source whose error is told already. */
async function giveBack(source: Source): Promise<void> {
  try {
    await source.return?.();
  } catch {
    // The first error is the one that is answered with.
  }
}
