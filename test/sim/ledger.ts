/**
 * What was sent, what arrived, and whether that is what docs/delivery.md promises: whole or not at all, at
 * most once, in order, and lost only where it may be.
 */
import { Dice } from "./dice.js";
import type { SimulatedNetwork } from "./network.js";
import { MARK } from "./tap.js";

/** What may become of a message that its sender's queue had taken. */
export interface Sender {
  /** Its queues die with their connections: it is bound, or has `immediate`. */
  readonly losesQueues: boolean;
  /** Copies that it counts as dropped, or gave up, so far. */
  dropped(): number;
}

interface Entry {
  accepted: boolean;
  rejected: boolean;
  received: number;
}

export class Ledger {
  readonly #seed: number;
  readonly #entries = new Map<string, Entry>();
  readonly #senders = new Map<number, Sender>();
  /** The last message of each sender that each receiver has got over each connection. */
  readonly #last = new Map<string, number>();
  readonly #got = new Set<string>();
  readonly #largest: number;
  /** Messages that were received. */
  received = 0;

  constructor(seed: number, largest: number) {
    this.#seed = seed;
    this.#largest = largest;
  }

  add(number: number, sender: Sender): void {
    this.#senders.set(number, sender);
  }

  /** The message of a number: everybody can tell what is in it. */
  message(sender: number, n: number, topic = ""): Buffer[] {
    const dice = new Dice(this.#seed ^ (sender * 7919 + n * 104729));
    const parts = [Buffer.from(`${topic}#${sender}:${n}#`)];
    for (let more = dice.pick([0, 0, 0, 1, 1, 3]); more > 0; more--) {
      parts.push(
        Buffer.alloc(dice.chance(0.1) ? 0 : dice.scale(1, this.#largest), (sender * 31 + n * 7 + more) & 255),
      );
    }
    return parts;
  }

  /** A message is about to be sent. */
  sending(sender: number, n: number): void {
    this.#entries.set(`${sender}:${n}`, { accepted: false, rejected: false, received: 0 });
  }

  accepted(sender: number, n: number): void {
    this.#entry(`${sender}:${n}`).accepted = true;
  }

  rejected(sender: number, n: number): void {
    this.#entry(`${sender}:${n}`).rejected = true;
  }

  #entry(mark: string): Entry {
    const entry = this.#entries.get(mark);
    if (entry === undefined) throw new Error(`nobody has sent a message ${mark}`);
    return entry;
  }

  /**
   * A message has arrived. Over one connection they come in order; what was unread of an earlier one is read in turn
   * with what a new one brings.
   * @param peer the connection's number
   * @param copies whether each receiver gets one
   */
  arrived(
    receiver: number,
    peer: number,
    parts: readonly Uint8Array[],
    copies = false,
  ): { sender: number; n: number } {
    const head = Buffer.from(parts[0]).toString("latin1");
    const found = MARK.exec(head);
    if (found === null)
      throw new Error(`receiver ${receiver} got a message without a mark: ${head.slice(0, 40)}`);
    const [sender, n] = [Number(found[1]), Number(found[2])];
    const mark = `${sender}:${n}`;
    const sent = this.message(sender, n, head.slice(0, found.index));
    const whole = parts.length === sent.length && sent.every((part, i) => part.equals(parts[i]));
    if (!whole) {
      throw new Error(
        `message ${mark} is torn: ${parts.map(({ length }) => length)} bytes came, ${sent.map(({ length }) => length)} were sent`,
      );
    }
    if (this.#got.has(`${mark}>${receiver}`))
      throw new Error(`receiver ${receiver} got message ${mark} twice`);
    this.#got.add(`${mark}>${receiver}`);
    const pair = `${sender}>${receiver}@${peer}`;
    const last = this.#last.get(pair) ?? 0;
    if (n < last) throw new Error(`receiver ${receiver} got message ${mark} behind ${sender}:${last}`);
    this.#last.set(pair, n);
    const entry = this.#entry(mark);
    entry.received++;
    this.received++;
    if (!copies && entry.received > 1)
      throw new Error(`message ${mark} was received ${entry.received} times`);
    return { sender, n };
  }

  /** The end: nothing is under way any more. For messages that one receiver gets. */
  settle(network: SimulatedNetwork): void {
    const { taken, arrived, lost } = passed(network);
    for (const [mark, times] of taken) {
      if (times > 1 && this.#entries.has(mark)) throw new Error(`message ${mark} was sent ${times} times`);
    }
    for (const mark of arrived) {
      const entry = this.#entries.get(mark);
      if (entry !== undefined && entry.received === 0)
        throw new Error(`message ${mark} reached its receiver's connection, and was dropped there`);
    }
    const missing = new Map<number, string[]>();
    for (const [mark, { accepted, rejected, received }] of this.#entries) {
      if (rejected && (received > 0 || taken.has(mark)))
        throw new Error(`message ${mark} was sent, though its send was rejected`);
      if (!accepted || received > 0 || lost.has(mark)) continue;
      const sender = Number(mark.split(":")[0]);
      missing.set(sender, [...(missing.get(sender) ?? []), mark]);
    }
    const ended = network.connections.some((one) => one.client.closed || one.server.closed);
    for (const [number, marks] of missing) {
      const sender = this.#senders.get(number) as Sender;
      if (sender.losesQueues && ended) continue;
      if (marks.length > sender.dropped()) {
        throw new Error(
          `${marks.length} messages were lost that no kernel had taken, ${sender.dropped()} told as dropped: ${marks.slice(0, 5)}`,
        );
      }
    }
  }

  /** Messages of a sender that were accepted. */
  acceptedOf(sender: number): number[] {
    const all: number[] = [];
    for (const [mark, { accepted }] of this.#entries) {
      const [of, n] = mark.split(":").map(Number);
      if (of === sender && accepted) all.push(n);
    }
    return all;
  }
}

/** What the kernels have taken whole and how often, what has arrived whole, and what was lost between. */
function passed(network: SimulatedNetwork): {
  taken: Map<string, number>;
  arrived: Set<string>;
  lost: Set<string>;
} {
  const taken = new Map<string, number>();
  const arrived = new Set<string>();
  const lost = new Set<string>();
  for (const { client, server } of network.connections) {
    for (const { out, other } of [client, server]) {
      // What a peer sends behind its handshake is lost where it is refused then.
      const there = other.framed ? out.arrived.whole : [];
      for (const mark of out.taken.whole) taken.set(mark, (taken.get(mark) ?? 0) + 1);
      for (const mark of there) arrived.add(mark);
      for (const mark of out.taken.whole.slice(there.length)) lost.add(mark);
    }
  }
  return { taken, arrived, lost };
}
