/**
 * What a monitor publishes, as values for JSON: a snapshot of all sockets of the thread, and events. No message, no option,
 * key, name or metadata is in it. docs/observability.md has the form, whose number is VERSION.
 */
import type { Event, EventType, Peer, SocketEvents } from "../base/events.js";
import { monotonicMs, thisProcess, wallClockMs } from "../base/platform.js";
import { type PeerStats, peerStatsOf } from "../core/peer-stats.js";
import { type Listed, listedSockets } from "../core/roster.js";
import type { SocketStats } from "../core/stats.js";
import { shownError } from "../core/trace.js";
import { engine, version } from "../core/version.js";

/** The form of what a monitor publishes. Fields may be added; one that changes its meaning, or goes, makes a new number. */
export const VERSION = 1;

/** What of a peer is shown: who it is, and its figures. */
const SHOWN = [
  "id",
  "address",
  "endpoint",
  "socketType",
  "direction",
  "mechanism",
  "messagesSent",
  "messagesReceived",
  "bytesSent",
  "bytesReceived",
  "outboundQueue",
  "unsentBytes",
  "receiveQueue",
  "unreadBytes",
  "dropped",
  "uptime",
  "idle",
] as const satisfies (keyof PeerStats)[];

/** A connected peer of a socket, in a snapshot: as in `peerStats`, without its name, user and metadata. */
export type SeenPeer = Pick<PeerStats, (typeof SHOWN)[number]>;

/** A socket, in a snapshot. */
export interface SeenSocket {
  /** Unique in its thread, never reused. */
  readonly id: number;
  /** ZMTP name, such as `PUSH`. */
  readonly type: string;
  readonly bound: readonly string[];
  readonly connected: readonly string[];
  readonly stats: SocketStats;
  /** How often each event was told. */
  readonly events: Readonly<Partial<Record<EventType, number>>>;
  /** Some peers are left out of a snapshot of very many. */
  readonly peers: readonly SeenPeer[];
  readonly peersLeftOut: number;
}

/** What a monitor publishes under the topic `snapshot`. */
export interface MonitorSnapshot {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds of a clock that is never set: for rates. */
  readonly clock: number;
  /** Milliseconds until the next one. */
  readonly interval: number;
  readonly program: {
    readonly pid: number;
    /** 0 for the main thread. */
    readonly thread: number;
    readonly host: string;
    /** The name of the program's file. */
    readonly script: string;
    /** Milliseconds. */
    readonly uptime: number;
    readonly zwire: string;
    readonly engine: string;
  };
  readonly sockets: readonly SeenSocket[];
}

/** What a monitor publishes under the topic `event.` and the name of the event. */
export interface MonitorEvent {
  readonly version: number;
  readonly time: number;
  /** The `id` and `type` of the socket. */
  readonly socket: number;
  readonly socketType: string;
  readonly type: EventType;
  readonly address: string;
  readonly endpoint: string;
  readonly peer?: Pick<SeenPeer, "id" | "address" | "socketType">;
  readonly error?: { readonly code?: string; readonly message: string };
  readonly interval?: number;
  readonly limit?: string;
  readonly action?: string;
  readonly value?: number;
}

/** @param room how many more peers the snapshot may have */
function seenSocket({ id, type, events, core }: Listed, room: number): SeenSocket | undefined {
  if (core === undefined) return undefined;
  const { bound, connected } = core.names;
  const { strategy, runtime } = core;
  const few = core.peers.size <= room ? core.peers : new Map([...core.peers].slice(0, room));
  const peers = peerStatsOf({ peers: few, strategy, runtime }).map(
    (peer) => Object.fromEntries(SHOWN.map((name) => [name, peer[name]])) as unknown as SeenPeer,
  );
  const peersLeftOut = core.peers.size - peers.length;
  return { id, type, bound, connected, stats: core.stats, events, peers, peersLeftOut };
}

/** A snapshot of all sockets. @param maxPeers how many peers are in it at most */
export function snapshot(interval: number, maxPeers: number): MonitorSnapshot {
  const sockets: SeenSocket[] = [];
  let room = maxPeers;
  for (const listed of listedSockets()) {
    const seen = seenSocket(listed, room);
    if (seen === undefined) continue;
    room -= seen.peers.length;
    sockets.push(seen);
  }
  return {
    version: VERSION,
    time: wallClockMs(),
    clock: monotonicMs(),
    interval,
    program: { ...thisProcess(), zwire: version, engine: engine() },
    sockets,
  };
}

/** An event of a socket. */
export function seenEvent<E extends EventType>(
  listed: Listed,
  type: E,
  payload: SocketEvents[E],
): MonitorEvent {
  const { address, endpoint, peer, error, interval, limit, action, value } = payload as Partial<
    Omit<Event, "type">
  > & { address: string; peer?: Peer; error?: Error } & Partial<SocketEvents["limit"]> &
    Partial<SocketEvents["connect:retry"]>;
  return {
    version: VERSION,
    time: wallClockMs(),
    socket: listed.id,
    socketType: listed.type,
    type,
    address,
    endpoint: endpoint ?? address,
    peer: peer && { id: peer.id, address: peer.address, socketType: peer.socketType },
    error: error && shownError(error),
    interval,
    limit,
    action,
    value,
  };
}
