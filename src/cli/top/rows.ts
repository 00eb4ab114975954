/** The rows of a table of sockets: figures of the newest snapshot, and rates from the one before. */
import type { MonitorSnapshot, SeenPeer, SeenSocket } from "../../index.js";

/** What a row of a socket and that of a peer have. Rates are in each second; null: not known yet. */
export interface Row {
  readonly id: number;
  readonly type: string;
  readonly endpoint: string;
  /** How many peers it has; null for a peer. */
  readonly peers: number | null;
  readonly sent: number | null;
  readonly received: number | null;
  readonly bytesSent: number | null;
  readonly bytesReceived: number | null;
  /** Messages that wait to go out, sends that wait for room included. */
  readonly out: number;
  /** Messages that wait to be read. */
  readonly in: number;
  readonly dropped: number;
}

/** A socket with its peers. */
export interface SocketRow extends Row {
  readonly children: readonly Row[];
  readonly peersLeftOut: number;
}

/** By what rows can be sorted. */
export const COLUMNS = ["id", "type", "peers", "sent", "received", "out", "in", "dropped"] as const;
export type Column = (typeof COLUMNS)[number];

function rate(now: number, before: number | undefined, milliseconds: number): number | null {
  if (before === undefined || milliseconds <= 0) return null;
  // Less than before: the counter is another one.
  return Math.max(0, ((now - before) * 1000) / milliseconds);
}

function peerRow(peer: SeenPeer, before: SeenPeer | undefined, milliseconds: number): Row {
  const of = (name: "messagesSent" | "messagesReceived" | "bytesSent" | "bytesReceived") =>
    rate(peer[name], before?.[name], milliseconds);
  return {
    id: peer.id,
    type: peer.socketType,
    endpoint: peer.address,
    peers: null,
    sent: of("messagesSent"),
    received: of("messagesReceived"),
    bytesSent: of("bytesSent"),
    bytesReceived: of("bytesReceived"),
    out: peer.outboundQueue,
    in: peer.receiveQueue,
    dropped: peer.dropped,
  };
}

function total(rows: readonly Row[], name: "bytesSent" | "bytesReceived"): number | null {
  const known = rows.map((row) => row[name]).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function socketRow(socket: SeenSocket, before: SeenSocket | undefined, milliseconds: number): SocketRow {
  const { stats } = socket;
  const endpoints = [...socket.bound, ...socket.connected];
  const more = endpoints.length > 1 ? ` +${endpoints.length - 1}` : "";
  const earlier = new Map(before?.peers.map((peer) => [peer.id, peer]));
  const children = socket.peers.map((peer) => peerRow(peer, earlier.get(peer.id), milliseconds));
  return {
    id: socket.id,
    type: socket.type,
    endpoint: `${endpoints[0] ?? "-"}${more}`,
    peers: stats.peers,
    sent: rate(stats.messagesSent, before?.stats.messagesSent, milliseconds),
    received: rate(stats.messagesReceived, before?.stats.messagesReceived, milliseconds),
    bytesSent: total(children, "bytesSent"),
    bytesReceived: total(children, "bytesReceived"),
    out: stats.sendQueue + stats.outboundQueue,
    in: stats.receiveQueue,
    dropped: stats.dropped,
    children,
    peersLeftOut: socket.peersLeftOut,
  };
}

/** A row for each socket. @param before an earlier snapshot of the same process */
export function rowsOf(now: MonitorSnapshot, before: MonitorSnapshot | undefined): SocketRow[] {
  const same = before?.program.pid === now.program.pid ? before : undefined;
  const earlier = new Map(same?.sockets.map((socket) => [socket.id, socket]));
  const milliseconds = same === undefined ? 0 : now.clock - same.clock;
  return now.sockets.map((socket) => socketRow(socket, earlier.get(socket.id), milliseconds));
}

/** Sorts rows: words and ids upwards, numbers downwards, or the other way round. */
export function sorted<R extends Row>(rows: readonly R[], by: Column, reverse: boolean): R[] {
  const direction = (by === "id" || by === "type" ? 1 : -1) * (reverse ? -1 : 1);
  const compare = (a: R, b: R): number => {
    const [x, y] = [a[by] ?? -1, b[by] ?? -1];
    if (x === y) return a.id - b.id;
    return x < y ? -direction : direction;
  };
  return [...rows].sort(compare);
}
