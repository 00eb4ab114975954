/**
 * What a program holds of a call: something to await or to iterate. Knows a Call's outcome and items, and nothing of how
 * they come.
 */
import type { Call } from "./call.js";
import type { PendingCall, RpcStream } from "./types.js";

/** A stream that nobody can read any more is as good as left. */
const forgotten = new FinalizationRegistry<Call>((call) => call.stop());

/** Items of a call. */
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

/** A call that may be awaited, or iterated. */
export class CallHandle<T, I> implements PendingCall<T, I> {
  readonly [Symbol.toStringTag] = "PendingCall";
  readonly #call: Call;
  #promise: Promise<T> | null = null;
  #stream: CallStream<I> | null = null;

  constructor(call: Call) {
    this.#call = call;
    call.whenAnswered((outcome) => {
      // As with any promise: a failure that nobody waits for is an unhandled rejection.
      if (outcome.kind === "error" && this.#stream === null) void this.#settled();
      // A stream that nobody has asked for yet goes with this handle.
      if (outcome.kind === "stream" && this.#promise === null && this.#stream === null) {
        forgotten.register(this, call, this);
      }
    });
  }

  #settled(): Promise<T> {
    this.#promise ??= new Promise<T>((resolve, reject) => {
      this.#call.whenAnswered((outcome) => {
        if (outcome.kind === "value") resolve(outcome.value as T);
        else if (outcome.kind === "error") reject(outcome.error);
        else resolve(this.#items() as T);
      });
    });
    return this.#promise;
  }

  #items(): CallStream<I> {
    // The stream tells of a failure, and once is enough.
    this.#promise?.catch(() => {});
    if (this.#stream === null) {
      forgotten.unregister(this);
      this.#stream = new CallStream<I>(this.#call);
    }
    return this.#stream;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settled().then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#settled().catch(rejected);
  }

  finally(done?: (() => void) | null): Promise<T> {
    return this.#settled().finally(done);
  }

  cancel(reason?: unknown): void {
    this.#call.cancel(reason);
  }

  [Symbol.asyncIterator](): CallStream<I> {
    return this.#items();
  }
}
