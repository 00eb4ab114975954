/**
 * The object that a program gets for a call: it can be awaited or iterated.
 */

import type { PendingCall, RpcStream } from "../types.js";
import type { Call } from "./call.js";

/** A stream that nobody can read any more has been left. */
const forgotten = new FinalizationRegistry<Call>((call) => call.stop());

/** The items of a call. */
export class CallStream<T> implements RpcStream<T> {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
    forgotten.register(this, call, this);
  }

  next(): Promise<IteratorResult<T>> {
    return this.#call.next() as Promise<IteratorResult<T>>;
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    this.#call.stop();
    return { value, done: true };
  }

  async throw(error?: unknown): Promise<IteratorResult<T>> {
    this.#call.stop();
    throw error;
  }

  cancel(reason?: unknown): void {
    this.#call.cancel(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call.stop();
  }
}

/**
 * A call that can be awaited or iterated. It is a promise whose constructor is Promise (see below), because `await` makes
 * two more promises for a subclass and takes two more turns of the microtask queue.
 */
export class CallHandle<T, I> extends Promise<T> implements PendingCall<T, I> {
  readonly #call: Call;
  #stream: CallStream<I> | null = null;

  constructor(call: Call) {
    let settle!: (value: T) => void;
    let refuse!: (error: unknown) => void;
    super((resolve, reject) => {
      settle = resolve;
      refuse = reject;
    });
    this.#call = call;
    call.whenAnswered((outcome) => {
      if (outcome.kind === "value") settle(outcome.value as T);
      else if (outcome.kind === "stream") settle(this.#items() as T);
      else refuse(outcome.error); // if nobody handles it, an unhandled rejection, as with any promise
    });
  }

  #items(): CallStream<I> {
    if (this.#stream === null) {
      // Whoever iterates gets the error from the stream, so the promise must not report it as unhandled.
      this.then(undefined, () => {});
      this.#stream = new CallStream<I>(this.#call);
    }
    return this.#stream;
  }

  cancel(reason?: unknown): void {
    this.#call.cancel(reason);
  }

  [Symbol.asyncIterator](): CallStream<I> {
    return this.#items();
  }

  override get [Symbol.toStringTag](): string {
    return "PendingCall";
  }
}

// With this constructor `await` takes the promise as it is, and then() makes plain promises.
Object.defineProperty(CallHandle.prototype, "constructor", { value: Promise });
