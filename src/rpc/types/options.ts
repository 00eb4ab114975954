/**
 * Options of clients, servers and calls.
 */
import type { DealerOptions, RouterOptions } from "../../index.js";
import type { EventLimits } from "../wire/codec.js";
import type { Middleware } from "./middleware.js";
import type { Headers } from "./service.js";

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
   * Bytes that calls waiting for a place may take, of all clients together: those of each request, 40 more for each
   * value in it, and 160 for the call. Beyond it calls are refused with the error ServerBusy, first those of the client
   * with the most bytes waiting, and the event `limit` is emitted. A call may always wait if no other does, whatever its
   * size. Default 64 MiB; Infinity for no limit.
   */
  readonly maxWaitingBytes?: number;
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

/** Options of Server.close. */
export interface ServerCloseOptions {
  /** Milliseconds for running calls to finish; their signals are aborted then. Default 30000. */
  readonly grace?: number;
  /** Milliseconds for the last answers to be sent after that. Default that of the socket. */
  readonly linger?: number;
}
