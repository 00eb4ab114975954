/**
 * Published messages to every pipe with a matching subscription (RFC 29; items J1 to J5, J8, J19, J24). One flag
 * per peer and topic, as libzmq's publisher keeps it (§2 row 4). Never blocks unless asked to. Knows pipes and the
 * subscription trie.
 */
import type { Pipe, PipeOwner } from "../engine/pipe.js";
import { SharedBatch, type SharedLimits } from "../engine/shared-batch.js";
import type { OutMessage } from "../message.js";
import { FanOut } from "./fan-out.js";
import type { Overflow, OverflowOptions } from "./overflow.js";
import { SubscriptionTrie } from "./subscription-trie.js";

/** Bounds on what one peer may make us remember. */
const MAX_SUBSCRIPTIONS = 1_000_000;
const MAX_SUBSCRIPTION_BYTES = 256 * 1024 * 1024;
/** What a topic costs, roughly: its octets as they are, as a map's key and as labels in the tree; node, set and entry. */
const costOf = (topic: Buffer): number => 3 * topic.length + 256;

interface Subscriptions {
  topics: Map<string, Buffer>;
  bytes: number;
}

/**
 * What became of a subscription: the first of its topic, one more pipe for it, held by this pipe already, or more than
 * one peer may hold.
 */
export type Subscribed = "first" | "further" | "known" | "refused";

/** Options of the publisher, read afresh each time. */
export interface DistributorOptions extends SharedLimits, OverflowOptions {
  /** Send to the peers whose subscriptions do not match (J24). */
  readonly invertMatching: boolean;
}

export class Distributor {
  readonly #trie = new SubscriptionTrie<Pipe>();
  readonly #pipes = new Map<Pipe, Subscriptions>();
  readonly #shared: SharedBatch;
  readonly #fanOut: FanOut;
  readonly #overflow: Overflow;
  readonly #options: DistributorOptions;
  /** Pipes with at least one subscription. */
  subscribers = 0;

  /** @param owner the socket: what its pipes hold together */
  constructor(options: DistributorOptions, owner: Pick<PipeOwner, "unsent">, overflow: Overflow) {
    this.#options = options;
    this.#overflow = overflow;
    this.#shared = new SharedBatch(options, owner.unsent);
    this.#fanOut = new FanOut(owner.unsent, overflow);
  }

  add(pipe: Pipe): void {
    this.#pipes.set(pipe, { topics: new Map(), bytes: 0 });
  }

  remove(pipe: Pipe): void {
    this.clear(pipe);
    this.#pipes.delete(pipe);
  }

  /**
   * Forget a pipe's subscriptions: its peer left, and tells us anew if it comes back (J10).
   * @param gone called for each of its topics; `last` when nobody else holds it (J15)
   */
  clear(pipe: Pipe, gone?: (topic: Buffer, last: boolean) => void): void {
    this.#shared.reset();
    const known = this.#pipes.get(pipe);
    if (known === undefined || known.topics.size === 0) return;
    this.subscribers--;
    this.#pipes.set(pipe, { topics: new Map(), bytes: 0 });
    for (const topic of known.topics.values()) {
      const left = this.#trie.remove(topic, pipe);
      gone?.(topic, left === 0);
    }
  }

  /** Register a topic. */
  subscribe(pipe: Pipe, topic: Buffer): Subscribed {
    const known = this.#pipes.get(pipe);
    if (known === undefined) return "known";
    const key = topic.toString("latin1");
    if (known.topics.has(key)) return "known";
    const cost = costOf(topic);
    if (known.topics.size >= MAX_SUBSCRIPTIONS || known.bytes + cost > MAX_SUBSCRIPTION_BYTES)
      return "refused";
    const own = Buffer.from(topic);
    known.topics.set(key, own);
    known.bytes += cost;
    if (known.topics.size === 1) this.subscribers++;
    return this.#trie.add(own, pipe) === 1 ? "first" : "further";
  }

  /** Cancel a topic; one never subscribed is ignored. Answers whether nobody holds it any more. */
  cancel(pipe: Pipe, topic: Buffer): boolean {
    const known = this.#pipes.get(pipe);
    if (known === undefined || !known.topics.delete(topic.toString("latin1"))) return false;
    known.bytes -= costOf(topic);
    if (known.topics.size === 0) this.subscribers--;
    return this.#trie.remove(topic, pipe) === 0;
  }

  /** Send one copy to each matching peer; false only where a send waits for one that is full. */
  send(message: OutMessage): boolean {
    const matched = this.#match(Array.isArray(message) ? message[0] : message);
    const shared = this.#shared;
    if (shared.members !== null) {
      if (shared.members === matched && shared.append(message)) return true;
      shared.settle();
    }
    if (matched.length === 0 || shared.begin(matched, message)) return true;
    if (!this.#fanOut.send(message, matched)) return false;
    shared.passed(matched);
    this.#overflow.evict();
    return true;
  }

  /** False where sends wait and any peer is full: the next message might match it. */
  get hasRoom(): boolean {
    return !this.#overflow.waits || [...this.#pipes.keys()].every((pipe) => pipe.hasRoom());
  }

  #match(topic: Uint8Array): readonly Pipe[] {
    const matched = this.#trie.match(topic);
    if (!this.#options.invertMatching) return matched;
    const excluded = new Set(matched);
    return [...this.#pipes.keys()].filter((pipe) => !excluded.has(pipe));
  }
}
