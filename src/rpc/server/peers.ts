/**
 * The clients of a server, each by its envelope, with the channels that it has open, and their connections, among which
 * everything is shared out: an envelope is only what a client says. Knows frames, but no sockets.
 */
import { Buffer } from "../../base/platform.js";
import type { CallPeer } from "../types.js";
import { Line } from "./limiter.js";
import type { ServedCall } from "./served-call.js";

/** From so many clients on, those without an open channel are forgotten. */
const MANY = 2000;

/** A stream whose client used to send heartbeats is given up after three of them, and not before. */
const LEAST_SILENCE_MS = 30_000;

/** A connection's share of the server. Many clients have one where a broker is in between. */
export class Connection {
  /** Its routing id as text. */
  readonly name: string;
  /** Clients behind it that are known. */
  clients = 0;
  /** Channels that are open. */
  open = 0;
  /** Calls that wait for a place. */
  readonly line = new Line();
  /** Limits of which the program was told that this one exceeds them. */
  readonly told = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }
}

export class PeerState implements CallPeer {
  readonly key: string;
  readonly connection: Connection;
  readonly envelope: readonly Buffer[];
  /** It has announced itself as zwire. */
  zwire = false;
  /** We have sent it something, and so announced ourselves. */
  greeted = false;
  /** It sends heartbeats on its channels. */
  beats = false;
  /** The longest time between two of them that was seen. */
  interval = 0;
  /** Open channels by id; of two with the same id the later (T33). */
  readonly channels = new Map<string, ServedCall>();
  /** All open channels. */
  readonly calls = new Set<ServedCall>();

  constructor(key: string, envelope: readonly Buffer[], connection: Connection) {
    this.key = key;
    this.connection = connection;
    connection.clients++;
    this.envelope = envelope;
  }

  /** Only for a call that is not answered in its own turn: nobody can ask for one that is. */
  open(call: ServedCall): void {
    this.channels.set(call.id, call);
    this.calls.add(call);
    this.connection.open++;
  }

  closed(call: ServedCall): void {
    if (!this.calls.delete(call)) return;
    this.connection.open--;
    if (this.channels.get(call.id) === call) this.channels.delete(call.id);
  }

  /**
   * How long the client may be silent while it takes nothing of a stream. One that sends heartbeats for as long as it
   * wants the stream, as Python does, cannot tell us otherwise that it has left.
   */
  patience(otherwise: number): number {
    return this.zwire || !this.beats ? otherwise : Math.max(LEAST_SILENCE_MS, 3 * this.interval);
  }

  get routingId(): Buffer {
    return this.envelope[0];
  }
}

export class Peers {
  readonly #peers = new Map<string, PeerState>();
  readonly #connections = new Map<string, Connection>();
  #many = MANY;
  /** Whose event came last: the next is often the same one's. */
  #latest: PeerState | null = null;

  /** The client of an envelope, known or new. */
  at(envelope: Buffer[]): PeerState {
    if (this.#latest !== null && isOf(this.#latest, envelope)) return this.#latest;
    const key = keyOf(envelope);
    const known = this.#peers.get(key);
    if (known !== undefined) {
      this.#latest = known;
      return known;
    }
    if (this.#peers.size >= this.#many) this.#forgetIdle();
    // Copies: it lives longer than the message.
    const peer = new PeerState(
      key,
      envelope.map((frame) => Buffer.from(frame)),
      this.#connectionOf(envelope[0].toString("latin1")),
    );
    this.#peers.set(key, peer);
    return peer;
  }

  /** A connection by its routing id as text, while any client behind it is known. */
  connection(name: string): Connection | undefined {
    return this.#connections.get(name);
  }

  #connectionOf(name: string): Connection {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const connection = new Connection(name);
    this.#connections.set(name, connection);
    return connection;
  }

  #delete(peer: PeerState): void {
    this.#peers.delete(peer.key);
    const { connection } = peer;
    if (--connection.clients === 0) this.#connections.delete(connection.name);
  }

  #forgetIdle(): void {
    this.#latest = null;
    for (const peer of this.#peers.values()) if (peer.calls.size === 0) this.#delete(peer);
    // Not again for each new one when most are busy.
    this.#many = Math.max(MANY, 2 * this.#peers.size);
  }

  /** Take out the client of a connection that had a name of its own and is gone: its successor has the same. */
  takeNamed(routingId: Buffer): PeerState[] {
    const peer = this.#peers.get(keyOf([routingId]));
    if (peer === undefined) return [];
    this.#latest = null;
    this.#delete(peer);
    return [peer];
  }

  /** Take out all clients that are not there any more; one routing id may stand for many behind a broker. */
  takeGone(isThere: (routingId: Buffer) => boolean): PeerState[] {
    const gone: PeerState[] = [];
    this.#latest = null;
    const asked = new Map<string, boolean>();
    for (const peer of this.#peers.values()) {
      const name = peer.routingId.toString("latin1");
      let there = asked.get(name);
      if (there === undefined) {
        there = isThere(peer.routingId);
        asked.set(name, there);
      }
      if (there) continue;
      this.#delete(peer);
      gone.push(peer);
    }
    return gone;
  }

  /** Every open channel. */
  *calls(): Iterable<ServedCall> {
    for (const peer of this.#peers.values()) yield* peer.calls;
  }

  /** Clients with an open channel. */
  get active(): number {
    let count = 0;
    for (const peer of this.#peers.values()) if (peer.calls.size > 0) count++;
    return count;
  }
}

/** Whether a short envelope is that of a client. */
function isOf({ envelope }: PeerState, other: Buffer[]): boolean {
  if (envelope.length !== 1 || other.length !== 1) return false;
  const [a] = envelope;
  const [b] = other;
  if (a.length !== b.length || a.length > 16) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function keyOf(envelope: Buffer[]): string {
  if (envelope.length === 1) return envelope[0].toString("latin1");
  // No name of a connection begins with a character beyond latin1.
  return `\u{2192}${envelope.map((frame) => `${frame.length}:${frame.toString("latin1")}`).join("")}`;
}
