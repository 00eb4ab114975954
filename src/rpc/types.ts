/**
 * The public types of zwire/rpc: services and what a client sees of them, options, contexts, counters. No code.
 */
import type { Buffer } from "../base/platform.js";
import type { DealerOptions, EventOfType, RouterOptions } from "../index.js";
import type { EventLimits } from "./wire/codec.js";

export type { EventLimits } from "./wire/codec.js";

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

/** Options of one call. */
export interface CallOptions {
  /**
   * Milliseconds until the call, or the first item of a stream, must be there; it covers the time spent waiting for a
   * server. Infinity for ever. Default that of the client.
   */
  readonly timeout?: number;
  /** Gives the call up at any time, a stream between items, too. */
  readonly signal?: AbortSignal;
  /** Header keys for this call, on top of those of the client. */
  readonly headers?: Headers;
  /**
   * How often the call may be sent again when its server is lost before it answered. Only for what may run twice.
   * Default 0, or the client's `retries` for its `idempotent` methods.
   */
  readonly retries?: number;
}

/** Options of `connect` and of a Client. */
export interface ClientOptions {
  /** Default of CallOptions.timeout. Default 30000. */
  readonly timeout?: number;
  /** Header keys of every call. */
  readonly headers?: Headers;
  /** Names of methods that may run twice: they are sent again when their server is lost before it answered. */
  readonly idempotent?: readonly string[];
  /** How often. Default 2. */
  readonly retries?: number;
  /** Bind the endpoints and let the server connect. One server per endpoint. Default false. */
  readonly bind?: boolean;
  /**
   * Milliseconds after which a heartbeat is begun on a call, if none came. 0: heartbeats are answered but never begun.
   * Default 5000.
   */
  readonly heartbeat?: number;
  /**
   * Milliseconds of complete silence on a call after which it is lost. Default Infinity: a broken connection, the
   * deadline, or a server that answers others but has forgotten this call end it, and a server that is merely busy does not.
   */
  readonly lostAfter?: number;
  /** Items of a stream that the server may send ahead. Default 100, as Python. */
  readonly window?: number;
  /** Calls that may wait for a server or for room; more reject with EAGAIN. Default 65536. */
  readonly queueLimit?: number;
  /** See Middleware. */
  readonly middleware?: readonly Middleware[];
  /** See EventLimits. */
  readonly limits?: EventLimits;
  /** For peers before zerorpc 0.6 (Python 2): text and bytes in the one raw type of the old msgpack. Default false. */
  readonly legacyRaw?: boolean;
  /** Options of the Dealer sockets. By default TCP keepalive is on, a message has at most 128 MiB, and `sendHighWaterMark` is 32. */
  readonly socket?: Omit<
    DealerOptions,
    "immediate" | "conflate" | "probeRouter" | "helloMessage" | "hiccupMessage"
  >;
}

/** Options of `serve`. */
export interface ServeOptions {
  /** Told by `_zerorpc_ping`, `_zerorpc_name` and `_zerorpc_inspect`. Default "zwire". */
  readonly name?: string;
  /** Connect to the endpoints instead of binding them: to a client that binds, or a broker. Default false. */
  readonly connect?: boolean;
  /**
   * Handlers that run at the same time. A stream counts while it makes items, and not while it waits for a client that
   * takes none. Places go to clients in turn. Default Infinity.
   */
  readonly concurrency?: number;
  /**
   * Calls that may wait for a place; more are refused with the error ServerBusy, first those of the client with the most.
   * Default 10000.
   */
  readonly queueLimit?: number;
  /**
   * Calls that one connection may have open: waiting, running, streaming. More are refused with the error ServerBusy, and
   * told by the event `limit`. All clients behind a broker are one connection. Default 65536; Infinity for no limit.
   */
  readonly maxClientCalls?: number;
  /**
   * Bytes of answers that may wait here because their clients do not read, of all clients together, each answer counted
   * with 160 more. Beyond it the client with the most waiting loses them, which `undelivered` counts and the event `limit`
   * tells. The largest answer may wait whatever its size. Default 32 MiB; Infinity for no limit.
   */
  readonly maxUnsentBytes?: number;
  /** See Middleware. */
  readonly middleware?: readonly Middleware[];
  /** Send the stack of an error as its traceback. Default true. */
  readonly tracebacks?: boolean;
  /**
   * Milliseconds of silence after which a stream whose client takes nothing is given up. For clients that are zwire or
   * use no heartbeats; others are given up after three of their heartbeats, at least 30 s. Default 300000.
   */
  readonly abandonAfter?: number;
  /** See EventLimits. */
  readonly limits?: EventLimits;
  /** For peers before zerorpc 0.6 (Python 2): text and bytes in the one raw type of the old msgpack. Default false. */
  readonly legacyRaw?: boolean;
  /** Options of the Router socket. By default TCP keepalive is on, and a message has at most 128 MiB. */
  readonly socket?: Omit<
    RouterOptions,
    "mandatory" | "probeRouter" | "helloMessage" | "disconnectMessage" | "routerNotify"
  >;
}

/** What a client has exceeded; told once for each connection and limit. */
export interface ServerLimitEvent {
  readonly type: "limit";
  /** The option. */
  readonly limit: "maxClientCalls" | "maxUnsentBytes";
  /** What became of the call, or of its answer. */
  readonly action: "refused" | "dropped";
  /** The number that exceeds the limit. */
  readonly value: number;
  /** Of the connection that exceeds it. */
  readonly routingId: Buffer;
  /** Empty: the server as a whole is meant. */
  readonly endpoint: "";
  readonly address: "";
}

/** Events of a Server. */
export interface ServerEvents {
  /** A limit was exceeded: one of the server's options, or of its socket's. */
  limit: [event: ServerLimitEvent | EventOfType<"limit">];
}

/** Options of Server.close. */
export interface ServerCloseOptions {
  /** Milliseconds for running calls to finish; their signals are aborted then. Default 30000. */
  readonly grace?: number;
  /** Milliseconds for the last answers to be sent after that. Default that of the socket. */
  readonly linger?: number;
}

/** What a client's middleware sees of a call. */
export interface ClientRequest {
  readonly method: string;
  readonly args: readonly unknown[];
  /** To be added to, until the request is sent. */
  readonly headers: Record<string, unknown>;
}

/**
 * Hooks, named after those of zerorpc for Python. The server's may be async; the client's are called in the turn of the
 * call and may not. An error thrown before a call fails that call.
 */
export interface Middleware {
  /** Another endpoint for a name. */
  resolveEndpoint?(endpoint: string): string;
  /** Headers of a request that came. */
  loadTaskContext?(headers: Headers): void;
  /** Headers to add to a request that goes out. */
  getTaskContext?(): Headers;
  /** Before the handler; throw to refuse the call. */
  serverBeforeExec?(call: CallContext): void | Promise<void>;
  /** Around the handler and everything else of the server: returns what `next()` resolves to, or something else. */
  serverExec?(call: CallContext, next: () => Promise<unknown>): Promise<unknown>;
  /** After a handler that returned; for a stream, after its end. */
  serverAfterExec?(call: CallContext, result: unknown): void | Promise<void>;
  /** After a handler that threw, also in the middle of a stream. Throw another error to answer with that. */
  serverInspectException?(call: CallContext, error: unknown): void | Promise<void>;
  clientBeforeRequest?(request: ClientRequest): void;
  /** After the answer, or the first item of a stream. `error` is null unless the call failed. */
  clientAfterRequest?(request: ClientRequest, result: unknown, error: unknown): void;
  /** Another error in place of one that a server sent. */
  clientHandleRemoteError?(request: ClientRequest, error: Error): Error;
}

/** Counters and depths of a client. Counters run from its creation. */
export interface ClientStats {
  /** Calls that wait for a server or for room. */
  waiting: number;
  /** Calls handed to a socket and not answered. */
  inFlight: number;
  /** Streams under way. */
  streams: number;
  /** Connected servers. */
  servers: number;
  /** Calls made. */
  calls: number;
  /** Calls sent again after their server was lost. */
  retried: number;
  /** Events for calls that are over: late answers. */
  late: number;
  /** Events that could not be understood. */
  dropped: number;
  /** Answers that met a bug of zwire/rpc; the first is also a warning of the process, ZWIRE_RPC_FAULT. */
  faults: number;
}

/** Counters and depths of a server. Counters run from its creation. */
export interface ServerStats {
  /** Calls that wait for a place (`concurrency`). */
  waiting: number;
  /** Handlers that run, streams included. */
  running: number;
  /** Streams under way. */
  streams: number;
  /** Channels that are open: calls, and those that a heartbeat opened. */
  channels: number;
  /** Clients with an open channel. */
  peers: number;
  /** Calls that were started. */
  calls: number;
  /** Calls refused because too many wait, or the server closes. */
  refused: number;
  /** Calls whose client cancelled, left, or was given up. */
  cancelled: number;
  /** Events that could not be understood. */
  dropped: number;
  /** Events for channels that are closed. */
  late: number;
  /** Answers that could not be sent, because the client had left or did not read. */
  undelivered: number;
  /** Events that met a bug of zwire/rpc; the first is also a warning of the process, ZWIRE_RPC_FAULT. */
  faults: number;
}
