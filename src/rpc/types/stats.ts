/**
 * Counters of clients and servers, and the event of a server.
 */
import type { Buffer } from "../../base/platform.js";
import type { EventOfType } from "../../index.js";

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

/** What a client has exceeded; told once for each connection and limit. */
export interface ServerLimitEvent {
  readonly type: "limit";
  /** The option. */
  readonly limit: "maxClientCalls" | "maxWaitingBytes" | "maxUnsentBytes";
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
