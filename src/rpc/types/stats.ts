/**
 * Counters of clients and servers, and the events of a server.
 */
import type { Buffer } from "../../base/platform.js";
import type { EventOfType } from "../../index.js";

/** Numbers about a client: what there is now, and what was counted since it was made. */
export interface ClientStats {
  /** Calls that wait for a server or for room. */
  waiting: number;
  /** Calls that were handed to a socket and are not answered. */
  inFlight: number;
  /** Streams under way. */
  streams: number;
  /** Connected servers. */
  servers: number;
  /** Calls made. */
  calls: number;
  /** Calls sent again after their server was lost. */
  retried: number;
  /** Answers that came after their calls were over. */
  late: number;
  /** Events that could not be decoded. */
  dropped: number;
  /** Answers that hit a bug in zwire/rpc. The first is also a process warning with the code ZWIRE_RPC_FAULT. */
  faults: number;
}

/** Numbers about a server: what there is now, and what was counted since it was made. */
export interface ServerStats {
  /** Calls that wait for a place (`concurrency`). */
  waiting: number;
  /** Handlers that run, streams included. */
  running: number;
  /** Streams under way. */
  streams: number;
  /** Open channels: calls, and channels that a heartbeat has opened. */
  channels: number;
  /** Clients with an open channel. */
  peers: number;
  /** Calls that were started. */
  calls: number;
  /** Calls that were refused because too many wait, or because the server closes. */
  refused: number;
  /** Calls whose client has cancelled, left, or was given up. */
  cancelled: number;
  /** Events that could not be decoded. */
  dropped: number;
  /** Events for channels that are closed. */
  late: number;
  /** Answers that could not be sent because the client had left or did not read. */
  undelivered: number;
  /** Events that hit a bug in zwire/rpc. The first is also a process warning with the code ZWIRE_RPC_FAULT. */
  faults: number;
}

/** A client has exceeded a limit. Emitted once for each connection and limit. */
export interface ServerLimitEvent {
  readonly type: "limit";
  /** The option that sets the limit. */
  readonly limit: "maxClientCalls" | "maxWaitingBytes" | "maxUnsentBytes";
  /** What happened to the call, or to its answer. */
  readonly action: "refused" | "dropped";
  /** The number that exceeds the limit. */
  readonly value: number;
  /** Routing id of the connection that exceeds it. */
  readonly routingId: Buffer;
  /** Empty: the limit belongs to the server, not to an endpoint. */
  readonly endpoint: "";
  readonly address: "";
}

/** Events of a Server. */
export interface ServerEvents {
  /** A limit was exceeded: one of the server's options, or of its socket's. */
  limit: [event: ServerLimitEvent | EventOfType<"limit">];
}
