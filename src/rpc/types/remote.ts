/**
 * A service as a client sees it: its methods, and calls and streams under way.
 */
import type { CallOptions } from "./options.js";
import type { Method } from "./service.js";

/** A call under way that can be cancelled. */
export interface Cancellable {
  /** Ends the call: it rejects with `reason` (an AbortError by default), and a zwire server is told. */
  cancel(reason?: unknown): void;
}

/** Items of a stream. Leaving the loop, or `return()`, frees both sides. */
export interface RpcStream<T> extends AsyncIterableIterator<T>, AsyncDisposable, Cancellable {
  return(value?: unknown): Promise<IteratorResult<T>>;
}

/** A call under way: await it, or iterate what it streams. The request goes out when the method is called. */
export interface PendingCall<T, I = unknown> extends Promise<T>, AsyncIterable<I>, Cancellable {}

/** What a client gets from a method that returns R. */
export type Answer<R> = 0 extends 1 & R
  ? PendingCall<R, R>
  : [Awaited<R>] extends [AsyncIterable<infer I>]
    ? PendingCall<RpcStream<I>, I>
    : [Awaited<R>] extends [Iterator<infer I, unknown, never>]
      ? PendingCall<RpcStream<I>, I>
      : Promise<Awaited<R>> & Cancellable;

/** A service as a client sees it. */
export type Remote<Api> = unknown extends Api
  ? AnyRemote
  : {
      readonly [K in keyof Api as K extends string ? K : never]: Api[K] extends Method<infer A, infer R>
        ? (...args: A) => Answer<R>
        : Api[K] extends (...args: infer A) => infer R
          ? (...args: A) => Answer<R>
          : Api[K] extends object
            ? Remote<Api[K]>
            : never;
    };

/** A service without types. */
export interface AnyRemote {
  // biome-ignore lint/suspicious/noExplicitAny: the caller knows, and nobody else
  (...args: any[]): PendingCall<any, any>;
  readonly [name: string]: AnyRemote;
}

/** What the object from `connect` has besides the methods. No Python method has a name that begins with `$`. */
export interface RemoteControl<C> {
  /** The client behind this object. */
  readonly $client: C;
  /** Calls a method by name. */
  $call<T = unknown>(
    name: string,
    args?: readonly unknown[],
    options?: CallOptions,
  ): Promise<T> & Cancellable;
  /** Calls a method that streams by name. */
  $stream<T = unknown>(name: string, args?: readonly unknown[], options?: CallOptions): RpcStream<T>;
  /** The same methods with other options. */
  $with(options: CallOptions): this;
  /** Closes the client: calls under way reject with LostRemote. */
  $close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
