/**
 * The subscriptions of a socket's peers (RFC 29; items J8, J15, J26), within the limits of its options. One flag per peer
 * and topic, as libzmq's publisher keeps it (J8). Those of a peer that left are removed a slice at a time, so that
 * the others are served meanwhile. Knows pipes and the subscription trie.
 */
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { Subscriber, SubscriptionTrie } from "./subscription-trie.js";

/** Options that bound what peers make us remember, read afresh each time. */
export interface TopicLimits {
  /** Topics of all peers; 0 for no limit. */
  readonly maxTopics: number;
  /** Topics of one peer; 0 for no limit. */
  readonly maxTopicsPerPeer: number;
  /** Bytes of one topic. */
  readonly maxTopicLength: number;
}

/** A topic counts once, and once more for each so many bytes: then a number of topics is a bound on memory, too. */
const BYTES_PER_COUNT = 256;
const countOf = (topic: Uint8Array): number => 1 + Math.floor(topic.length / BYTES_PER_COUNT);

/** What is removed in one turn of the event loop, in nodes of the tree: a millisecond or two. */
const CLEARED_PER_TURN = 4000;

/**
 * What became of a subscription: the first of its topic, one more pipe for it, held by this pipe already, or more than
 * the limits allow.
 */
export type Subscribed = "first" | "further" | "known" | "refused";

/** Is told that a subscription is ignored: the option that says so, and the number that exceeds it. */
export type OnTopicLimit = (pipe: Pipe, limit: keyof TopicLimits, value: number) => void;

/** Is told of the topics of a peer that left. */
export interface Ended {
  /** One of its topics is removed; `last` when nobody else holds it (J15). */
  topic(topic: Buffer, last: boolean): void;
  /** Several have been, for now. */
  told(): void;
}

class Member extends Subscriber<Pipe> {
  /** What its topics count. */
  count = 0;
  /** Limits that it was told to have exceeded: once is enough. */
  readonly exceeded = new Set<keyof TopicLimits>();
  ended: Ended | undefined = undefined;
}

/** Runs a function on a later turn of the event loop. */
export interface LaterTurns {
  defer(run: () => void): void;
}

export class Subscriptions {
  readonly #trie = new SubscriptionTrie<Pipe>();
  readonly #members = new Map<Pipe, Member>();
  readonly #limits: TopicLimits;
  readonly #turns: LaterTurns;
  readonly #onLimit: OnTopicLimit;
  /** What the topics of all peers count. */
  #count = 0;
  /** Of peers that left, with topics still to be removed. */
  #leaving: Member[] = [];
  #budget = CLEARED_PER_TURN;
  #scheduled = false;
  #closed = false;
  /** Pipes with at least one subscription. */
  subscribers = 0;

  constructor(limits: TopicLimits, turns: LaterTurns, onLimit: OnTopicLimit) {
    this.#limits = limits;
    this.#turns = turns;
    this.#onLimit = onLimit;
  }

  /** Different topics that somebody is subscribed to. */
  get topics(): number {
    return this.#trie.size;
  }

  /** All pipes, with subscriptions or without. */
  get pipes(): IterableIterator<Pipe> {
    return this.#members.keys();
  }

  add(pipe: Pipe): void {
    this.#members.set(pipe, new Member(pipe));
  }

  remove(pipe: Pipe): void {
    this.clear(pipe);
    this.#members.delete(pipe);
  }

  /** Forget a pipe's subscriptions: its peer left, and tells us anew if it comes back (J10). */
  clear(pipe: Pipe, ended?: Ended): void {
    const member = this.#members.get(pipe);
    if (member === undefined || this.#closed) return;
    this.#members.set(pipe, new Member(pipe));
    if (member.topics.size === 0) return;
    this.subscribers--;
    member.ended = ended;
    this.#trie.leave(member);
    this.#leaving.push(member);
    this.#clearSome();
  }

  /** What a pipe's former peers held is removed at once: a new peer is there, and what it says comes after. */
  settle(pipe: Pipe): void {
    for (const member of this.#leaving.filter(({ value }) => value === pipe)) {
      this.#clearMember(member, Number.POSITIVE_INFINITY);
    }
  }

  #clearSome(): void {
    while (this.#budget > 0 && this.#leaving.length > 0) {
      this.#budget = this.#clearMember(this.#leaving[0], this.#budget);
    }
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#turns.defer(() => {
      this.#scheduled = false;
      this.#budget = CLEARED_PER_TURN;
      if (this.#leaving.length > 0) this.#clearSome();
    });
  }

  #clearMember(member: Member, budget: number): number {
    const { ended } = member;
    const removed = ended && ((topic: Buffer, others: number) => ended.topic(topic, others === 0));
    const left = this.#trie.clear(member, budget, removed);
    if (left > 0) {
      this.#leaving.splice(this.#leaving.indexOf(member), 1);
      this.#count -= member.count;
    }
    ended?.told(); // last: it may call into the program, and the program us
    return left;
  }

  /** Register a topic. */
  subscribe(pipe: Pipe, topic: Uint8Array): Subscribed {
    const member = this.#members.get(pipe);
    if (member === undefined || this.#closed) return "known";
    const { maxTopics, maxTopicsPerPeer, maxTopicLength } = this.#limits;
    if (topic.length > maxTopicLength) return this.#refuse(member, "maxTopicLength", topic.length);
    const count = countOf(topic);
    const own = member.count + count;
    const all = this.#count + count;
    const full = maxTopics > 0 && all > maxTopics;
    if (full || (maxTopicsPerPeer > 0 && own > maxTopicsPerPeer)) {
      if (this.#trie.holds(topic, member)) return "known";
      return full ? this.#refuse(member, "maxTopics", all) : this.#refuse(member, "maxTopicsPerPeer", own);
    }
    const holders = this.#trie.add(topic, member);
    if (holders === 0) return "known";
    member.count = own;
    this.#count = all;
    if (member.topics.size === 1) this.subscribers++;
    return holders === 1 ? "first" : "further";
  }

  #refuse(member: Member, limit: keyof TopicLimits, value: number): "refused" {
    if (!member.exceeded.has(limit)) {
      member.exceeded.add(limit);
      this.#onLimit(member.value, limit, value);
    }
    return "refused";
  }

  /** Cancel a topic; one never subscribed is ignored. Answers whether nobody holds it any more. */
  cancel(pipe: Pipe, topic: Uint8Array): boolean {
    const member = this.#members.get(pipe);
    if (member === undefined || this.#closed) return false;
    const left = this.#trie.remove(topic, member);
    if (left === -1) return false;
    const count = countOf(topic);
    member.count -= count;
    this.#count -= count;
    if (member.topics.size === 0) this.subscribers--;
    return left === 0;
  }

  /** Pipes with a topic that the subject starts with, each once. The answer never changes. */
  match(subject: Uint8Array): readonly Pipe[] {
    return this.#trie.match(subject);
  }

  /** The socket is closed: nothing is to be told or removed any more. */
  close(): void {
    this.#closed = true;
    this.#leaving = [];
    this.#members.clear();
  }
}
