/**
 * Services, what a client sees of them, and what a handler can know of its call.
 */
import type { Buffer } from "../../base/platform.js";
import type { CallOptions } from "./options.js";

/**
 * Header keys of an event beside the protocol's own (`message_id`, `response_to`, `v`, `zwire`): trace ids, credentials.
 * Values are anything that may be an argument.
 */
export type Headers = Readonly<Record<string, unknown>>;

/** What a handler can know of the call that it serves. */
export interface CallContext {
  /** Name that was called, such as `add` or `math.add`. */
  readonly method: string;
  /** Positional arguments as they came. */
  readonly args: readonly unknown[];
  /** Who called. */
  readonly peer: CallPeer;
  /** Headers of the request, without the protocol's own keys. */
  readonly headers: Headers;
  /** When the caller gives up, in milliseconds since the epoch; Infinity when it did not say. */
  readonly deadline: number;
  /** Aborted when the caller has cancelled, its deadline is over or it is gone, and when the server stops waiting for the call. */
  readonly signal: AbortSignal;
  /** A place for middleware to leave things for the handler. */
  readonly state: Map<unknown, unknown>;
}

/** The far side of a call. */
export interface CallPeer {
  /** Routing id of the connection: the same for all calls of one client, until it connects anew. */
  readonly routingId: Buffer;
  /** All frames in front of the delimiter: longer than one where a broker is in between. */
  readonly envelope: readonly Buffer[];
  /** Whether the peer has announced that it is zwire. */
  readonly zwire: boolean;
}

/** What `method` adds to a handler. */
export interface MethodOptions {
  /** Text for `_zerorpc_help` and `_zerorpc_inspect`. */
  readonly doc?: string;
  /** Names of the parameters for `_zerorpc_args` and `_zerorpc_inspect`. By default those in the function's source. */
  readonly args?: readonly string[];
}

/** A handler that is given its call's context. Made by `method`. */
export interface Method<A extends unknown[] = unknown[], R = unknown> {
  readonly handler: (call: CallContext, ...args: A) => R;
  readonly options: MethodOptions;
}

/**
 * What `serve` offers: functions by name, and objects of functions, whose methods are called `object.function`. A class
 * instance offers the methods of its class, too. Names that begin with `_` are not offered.
 *
 * A function may return a value, a promise, or something to stream: a generator, an async generator, or any other
 * iterator or async iterable (not an array, Map, Set or string: those are values).
 */
export type Service = object;

/** A call under way that may be stopped. */
export interface Cancellable {
  /** Give the call up: it rejects with `reason` (an AbortError by default) and a server that understands is told. */
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

/** A service as its client sees it. */
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

/** A service of which no types are known. */
export interface AnyRemote {
  // biome-ignore lint/suspicious/noExplicitAny: the caller knows, and nobody else
  (...args: any[]): PendingCall<any, any>;
  readonly [name: string]: AnyRemote;
}

/** What the proxy of `connect` has beside the methods. No name of a Python method can begin with `$`. */
export interface RemoteControl<C> {
  /** The client behind the proxy. */
  readonly $client: C;
  /** Call by name. */
  $call<T = unknown>(
    name: string,
    args?: readonly unknown[],
    options?: CallOptions,
  ): Promise<T> & Cancellable;
  /** Call by name what streams. */
  $stream<T = unknown>(name: string, args?: readonly unknown[], options?: CallOptions): RpcStream<T>;
  /** The same methods with other options. */
  $with(options: CallOptions): this;
  /** Close the client: what is under way rejects with LostRemote. */
  $close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
