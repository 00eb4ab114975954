/** The figures of each peer of a socket. */
import type { Peer } from "../base/events.js";
import type { Buffer } from "../base/platform.js";
import type { Pipe } from "../engine/pipe.js";

/** A peer, and the figures of its connection at one moment. Counters run from the beginning of the connection. */
export interface PeerStats extends Peer {
  /** Who dialled: "dialled" by this side, "accepted" from the other. */
  readonly direction: "dialled" | "accepted";
  /** By which this socket addresses it: bytes on Router and Stream, a number on Server and Peer; null on other types. */
  readonly name: Buffer | number | null;
  /** "NULL", "PLAIN" or "CURVE"; null over inproc, and for the plain connections of a Stream. */
  readonly mechanism: string | null;
  /** What the authenticator called it; null if nobody was asked or no name was given. */
  readonly userId: string | null;
  /** Messages that the system, or over inproc the peer, has taken. Those before it in `outboundQueue` are not among them. */
  readonly messagesSent: number;
  /** Messages that have arrived, whether or not they have been read or were wanted. */
  readonly messagesReceived: number;
  /** Bytes of the messages sent, with the headers of their frames, before encryption and compression. Over inproc, without headers. */
  readonly bytesSent: number;
  /**
   * The same of those received, and of frames with subscriptions and heartbeats. Frames that came together are measured as
   * one, with what CURVE or a WebSocket has put between them.
   */
  readonly bytesReceived: number;
  /** Messages that wait to be sent to it. */
  readonly outboundQueue: number;
  /** Bytes of these. */
  readonly unsentBytes: number;
  /** Messages from it that have not been read. */
  readonly receiveQueue: number;
  /** Bytes of these; each part counts 112 bytes more. */
  readonly unreadBytes: number;
  /**
   * Messages, or copies of one, that were dropped because it was full. A dialled peer that comes again keeps the number,
   * as it keeps its queue.
   */
  readonly dropped: number;
  /** Milliseconds since its handshake. */
  readonly uptime: number;
  /** Milliseconds since something has come from it, heartbeats included; null over inproc within a thread. */
  readonly idle: number | null;
}

/** How fast messages go from and to a peer. */
export interface PeerRates {
  /** The peer's id. */
  readonly id: number;
  /** Milliseconds between the two moments. */
  readonly milliseconds: number;
  /** Each a second. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly dropped: number;
}

/** What is looked at. */
interface Looked {
  readonly peers: ReadonlyMap<Pipe, Peer>;
  readonly strategy: { nameOf(pipe: Pipe): Buffer | number | null };
  readonly runtime: { now(): number };
}

/** The figures of the peers that are connected now, oldest first. */
export function peerStatsOf({ peers, strategy, runtime }: Looked): PeerStats[] {
  const now = runtime.now();
  return [...peers].map(([pipe, peer]) => figuresOf(pipe, peer, strategy.nameOf(pipe), now));
}

function figuresOf(pipe: Pipe, peer: Peer, name: Buffer | number | null, now: number): PeerStats {
  const { tally } = pipe;
  const heardAt = tally?.heardAt ?? -1;
  return {
    ...peer,
    direction: pipe.dialled ? "dialled" : "accepted",
    name,
    mechanism: peer.endpoint.startsWith("inproc:") ? null : (tally?.mechanism ?? null),
    userId: peer.metadata.get("User-Id")?.toString() ?? null,
    messagesSent: pipe.takenMessages,
    messagesReceived: tally?.messages ?? 0,
    bytesSent: pipe.takenBytes,
    bytesReceived: tally?.bytes ?? 0,
    outboundQueue: pipe.outboundLength,
    unsentBytes: pipe.outboundBytes,
    receiveQueue: pipe.inboundLength,
    unreadBytes: pipe.inboundBytes,
    dropped: pipe.dropped,
    uptime: now - pipe.connectedAt,
    idle: heardAt < 0 ? null : now - heardAt,
  };
}

const COUNTERS = ["messagesSent", "messagesReceived", "bytesSent", "bytesReceived", "dropped"] as const;

/**
 * What each peer has sent and got a second between two moments. A peer that was not there at the first one counts from its
 * handshake; one that is not there at the second is left out.
 * @param before `peerStats` at the first moment; an empty list gives the mean of each connection's whole life
 * @param after `peerStats` of the same socket later
 */
export function peerRates(before: readonly PeerStats[], after: readonly PeerStats[]): PeerRates[] {
  const earlier = new Map(before.map((one) => [one.id, one]));
  return after.map((one) => {
    const then = earlier.get(one.id);
    const milliseconds = one.uptime - (then?.uptime ?? 0);
    const rate = (name: (typeof COUNTERS)[number]): number =>
      milliseconds > 0 ? ((one[name] - (then?.[name] ?? 0)) * 1000) / milliseconds : 0;
    const rates = Object.fromEntries(COUNTERS.map((name) => [name, rate(name)]));
    return { id: one.id, milliseconds, ...(rates as Record<(typeof COUNTERS)[number], number>) };
  });
}
