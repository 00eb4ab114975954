/**
 * The subscriptions of a socket's peers (RFC 29; items J8, J15, J26), within the limits of its options. Stores one flag per
 * peer and topic, as libzmq's publisher does (J8). Removes the subscriptions of a peer that left in slices, so that other
 * peers are served meanwhile.
 */
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { Subscriber, SubscriptionTrie } from "./subscription-trie.js";

/** Options that limit the subscriptions of peers, read at each use. */
export interface TopicLimits {
  /** Topics of all peers; 0 for no limit. */
  readonly maxTopics: number;
  /** Topics of one peer; 0 for no limit. */
  readonly maxTopicsPerPeer: number;
  /** Bytes of one topic. */
  readonly maxTopicLength: number;
}

/** A topic counts as one, plus one for each so many bytes, so that a limit on topics also limits memory. */
const BYTES_PER_COUNT = 256;
const countOf = (topic: Uint8Array): number => 1 + Math.floor(topic.length / BYTES_PER_COUNT);

/** Tree nodes visited for removals in one turn of the event loop: this takes a millisecond or two. */
const CLEARED_PER_TURN = 4000;

/**
 * The result of a subscription: the first of its topic, one more pipe for the topic, already held by this pipe, or above
 * the limits.
 */
export type Subscribed = "first" | "further" | "known" | "refused";

/** Whether a pipe has a topic that it had not before. */
export function isNew(subscribed: Subscribed): boolean {
  return subscribed === "first" || subscribed === "further";
}

/** Called when a subscription is ignored, with the exceeded option and the number that exceeds it. */
export type OnTopicLimit = (pipe: Pipe, limit: keyof TopicLimits, value: number) => void;

/** Called about the topics of a peer that left. */
export interface Ended {
  /** One of its topics was removed; `last` if no other peer has it (J15). */
  topic(topic: Buffer, last: boolean): void;
  /** A slice of topics has been removed. */
  told(): void;
}

class Member extends Subscriber<Pipe> {
  /** The sum that its topics count. */
  count = 0;
  /** Limits whose excess was reported for this peer: each is reported once. */
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
  /** The sum that the topics of all peers count. */
  #count = 0;
  /** Peers that left, with topics that must still be removed. */
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

  /** Number of different topics. */
  get topics(): number {
    return this.#trie.size;
  }

  /** All pipes, with or without subscriptions. */
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

  /** Forgets a pipe's subscriptions: its peer left, and subscribes again if it returns (J10). */
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

  /** Removes the rest of the former peers' subscriptions of a pipe at once, before those of its new peer arrive. */
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
    ended?.told(); // last: it may run code of the program, which may call this object
    return left;
  }

  /** Adds a topic for a pipe. */
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

  /** Cancels a topic; ignores one that was not subscribed. Returns whether no peer has the topic any more. */
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

  /** Pipes with a topic with which the subject starts, each once. The returned array never changes. */
  match(subject: Uint8Array): readonly Pipe[] {
    return this.#trie.match(subject);
  }

  /** Whether one pipe has a topic with which the subject starts. */
  matches(pipe: Pipe, subject: Uint8Array): boolean {
    const member = this.#members.get(pipe);
    return member !== undefined && this.#trie.matchesOne(subject, member);
  }

  /** The socket is closed: stops removing and reporting. */
  close(): void {
    this.#closed = true;
    this.#leaving = [];
    this.#members.clear();
  }
}
