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
   * Milliseconds until the answer, or the first item of a stream, must be there, including the time that the call waits
   * for a server. Infinity waits for ever. Default: that of the client.
   */
  readonly timeout?: number;
  /** Ends the call at any time when it is aborted, a stream between two items, too. */
  readonly signal?: AbortSignal;
  /** Header keys for this call, in addition to those of the client. */
  readonly headers?: Headers;
  /**
   * How often the call may be sent again if its server is lost before it has answered. Only for methods that may run
   * twice. Default 0, or the client's `retries` for its `idempotent` methods.
   */
  readonly retries?: number;
}

/** Options of `connect` and of a Client. */
export interface ClientOptions {
  /** Milliseconds; see CallOptions.timeout. Default 30000. */
  readonly timeout?: number;
  /** Header keys for every call. */
  readonly headers?: Headers;
  /** Names of methods that may run twice: their calls are sent again if the server is lost before it has answered. */
  readonly idempotent?: readonly string[];
  /** How often such a call may be sent again. Default 2. */
  readonly retries?: number;
  /** Bind the endpoints and let the server connect. One server per endpoint. Default false. */
  readonly bind?: boolean;
  /**
   * Milliseconds without a heartbeat on a call after which the client begins one. 0: it only answers heartbeats. Default
   * 5000.
   */
  readonly heartbeat?: number;
  /**
   * Milliseconds of complete silence on a call after which it counts as lost. Default Infinity: a broken connection, the
   * timeout, or a server that answers other calls and has forgotten this one end a call; a busy server does not.
   */
  readonly lostAfter?: number;
  /** Items of a stream that the server may send ahead of the reader. Default 100, as in Python. */
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
  /** Returned by `_zerorpc_ping`, `_zerorpc_name` and `_zerorpc_inspect`. Default "zwire". */
  readonly name?: string;
  /** Connect to the endpoints instead of binding them: to a client that binds, or to a broker. Default false. */
  readonly connect?: boolean;
  /**
   * Number of handlers that may run at the same time. A stream counts while it makes items, but not while its client
   * accepts none. Clients get places in turn. Default Infinity.
   */
  readonly concurrency?: number;
  /**
   * Calls that may wait for a place. More are refused with the error ServerBusy, first those of the client with the most
   * calls waiting. Default 10000.
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
   * the event `limit` is emitted. All clients behind a broker are one connection. Default 65536; Infinity for no limit.
   */
  readonly maxClientCalls?: number;
  /**
   * Bytes of answers that may wait because their clients do not read, of all clients together; each answer counts 160
   * bytes more. Beyond it the client with the most bytes waiting loses its answers: `undelivered` counts them, and the
   * event `limit` is emitted. The largest answer may wait, whatever its size. Default 32 MiB; Infinity for no limit.
   */
  readonly maxUnsentBytes?: number;
  /** See Middleware. */
  readonly middleware?: readonly Middleware[];
  /** Send the stack of an error as its traceback. Default true. */
  readonly tracebacks?: boolean;
  /**
   * Milliseconds of silence after which a stream is given up whose client accepts nothing, if the client is zwire or
   * sends no heartbeats. For other clients it is three intervals between their heartbeats, and at least 30 s. Default
   * 300000.
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
  /** Milliseconds for running calls to finish. Then their signals are aborted. Default 30000. */
  readonly grace?: number;
  /** Milliseconds for the last answers to be sent after that. Default: that of the socket. */
  readonly linger?: number;
}
