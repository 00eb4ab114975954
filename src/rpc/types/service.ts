/**
 * Services, and what a handler can know of its call.
 */
import type { Buffer } from "../../base/platform.js";

/**
 * Header keys of an event, without those of the protocol (`message_id`, `response_to`, `v`, `zwire`): trace ids,
 * credentials. A value may be anything that may be an argument.
 */
export type Headers = Readonly<Record<string, unknown>>;

/** What a handler can know about the call that it serves. */
export interface CallContext {
  /** Name of the method, such as `add` or `math.add`. */
  readonly method: string;
  /** The arguments as they came. */
  readonly args: readonly unknown[];
  /** Who called. */
  readonly peer: CallPeer;
  /** Headers of the request, without the protocol's own keys. */
  readonly headers: Headers;
  /** When the caller gives up, in milliseconds since 1970; Infinity if it did not say. */
  readonly deadline: number;
  /** Aborted when the caller cancels, when its deadline has passed, when it is gone, and when the server stops waiting for the call. */
  readonly signal: AbortSignal;
  /** Where middleware may leave things for the handler. */
  readonly state: Map<unknown, unknown>;
}

/** The far side of a call. */
export interface CallPeer {
  /** Routing id of the connection: the same for all calls of one client, until it connects anew. */
  readonly routingId: Buffer;
  /** All frames before the delimiter: more than one if there is a broker in between. */
  readonly envelope: readonly Buffer[];
  /** Whether the peer has announced that it is zwire. */
  readonly zwire: boolean;
}

/** What `method` adds to a handler. */
export interface MethodOptions {
  /** The text that `_zerorpc_help` and `_zerorpc_inspect` return. */
  readonly doc?: string;
  /** Names of the parameters that `_zerorpc_args` and `_zerorpc_inspect` return. Default: those in the source of the function. */
  readonly args?: readonly string[];
}

/** A handler that gets the context of its call. Made by `method`. */
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
