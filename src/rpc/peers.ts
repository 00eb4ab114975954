/**
 * The clients of a server, each by its envelope, with the channels that it has open. Knows frames, but no sockets.
 */
import type { ServedCall } from "./served-call.js";
import type { CallPeer } from "./types.js";

/** From so many clients on, those without an open channel are forgotten. */
const MANY = 10_000;

/** A stream whose client used to send heartbeats is given up after three of them, and not before. */
const LEAST_SILENCE_MS = 30_000;

export class PeerState implements CallPeer {
  readonly key: string;
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

  constructor(key: string, envelope: readonly Buffer[]) {
    this.key = key;
    this.envelope = envelope;
  }

  /** Only for a call that is not answered in its own turn: nobody can ask for one that is. */
  open(call: ServedCall): void {
    this.channels.set(call.id, call);
    this.calls.add(call);
  }

  closed(call: ServedCall): void {
    if (!this.calls.delete(call)) return;
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
    );
    this.#peers.set(key, peer);
    return peer;
  }

  #forgetIdle(): void {
    this.#latest = null;
    for (const peer of this.#peers.values()) if (peer.calls.size === 0) this.#peers.delete(peer.key);
    // Not again for each new one when most are busy.
    this.#many = Math.max(MANY, 2 * this.#peers.size);
  }

  /** Take out the client of a connection that had a name of its own and is gone: its successor has the same. */
  takeNamed(routingId: Buffer): PeerState[] {
    const peer = this.#peers.get(keyOf([routingId]));
    if (peer === undefined) return [];
    this.#latest = null;
    this.#peers.delete(peer.key);
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
      this.#peers.delete(peer.key);
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
