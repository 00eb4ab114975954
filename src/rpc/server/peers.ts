/**
 * The clients of a server, each known by its envelope, with its open channels, and their connections. Limits and places
 * are divided among connections, because a client can put anything into an envelope.
 */
import { Buffer } from "../../base/platform.js";
import { Connection } from "./connection.js";
import type { Caller, ServedCall } from "./served-call.js";

/** If there are this many clients, those without an open channel are forgotten. */
const MANY = 2000;

/** The least silence after which a stream is given up whose client sends heartbeats. */
const LEAST_SILENCE_MS = 30_000;

export class PeerState implements Caller {
  readonly key: string;
  readonly connection: Connection;
  readonly envelope: readonly Buffer[];
  zwire = false;
  greeted = false;
  beats = false;
  interval = 0;
  /** Open channels by id. If two have the same id, the later one (T33). */
  readonly channels = new Map<string, ServedCall>();
  /** All open channels. */
  readonly calls = new Set<ServedCall>();

  constructor(key: string, envelope: readonly Buffer[], connection: Connection) {
    this.key = key;
    this.connection = connection;
    connection.clients++;
    this.envelope = envelope;
  }

  /** A channel stays open. One that is answered at once never gets here, because no later event can be for it. */
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

  /** A Python client sends heartbeats for as long as it wants the stream: its silence is the only sign that it has left. */
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
  /** The client whose event came last: the next event is often from the same one. */
  #latest: PeerState | null = null;

  /** The client with an envelope, known or new. */
  at(envelope: Buffer[]): PeerState {
    if (this.#latest !== null && isOf(this.#latest, envelope)) return this.#latest;
    const key = keyOf(envelope);
    const known = this.#peers.get(key);
    if (known !== undefined) {
      this.#latest = known;
      return known;
    }
    if (this.#peers.size >= this.#many) this.#forgetIdle();
    // Copies, because the client is known for longer than the message is kept.
    const peer = new PeerState(
      key,
      envelope.map((frame) => Buffer.from(frame)),
      this.#connectionOf(envelope[0].toString("latin1")),
    );
    this.#peers.set(key, peer);
    return peer;
  }

  /** The connection with a routing id, given as text, while a client behind it is known. */
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
    // If most are busy, not again for each new client.
    this.#many = Math.max(MANY, 2 * this.#peers.size);
  }

  /** Takes out the client of a lost connection that had a name of its own: the next one may have the same name. */
  takeNamed(routingId: Buffer): PeerState[] {
    const peer = this.#peers.get(keyOf([routingId]));
    if (peer === undefined) return [];
    this.#latest = null;
    this.#delete(peer);
    return [peer];
  }

  /** Takes out all clients that are gone. Behind a broker many have the same routing id. */
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

/** Whether an envelope is that of a client. Compares only the usual, short ones. */
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
  // Routing ids are latin1 text, so none begins with this character.
  return `\u{2192}${envelope.map((frame) => `${frame.length}:${frame.toString("latin1")}`).join("")}`;
}
