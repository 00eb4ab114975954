/**
 * Maps topics to their subscribers, and subscribers to their topics. The bytes of a topic are stored once, however many
 * subscribers it has. A subscriber stands for a value of any type, such as a pipe.
 */
import type { Buffer } from "../../base/platform.js";
import { agrees, childOf, type TopicNode, TopicTree } from "./topic-tree.js";

type Node<P> = TopicNode<Subscriber<P> | Set<Subscriber<P>>, readonly P[]>;

/** One subscriber, for as long as it is connected. Only the trie uses the fields. */
export class Subscriber<P> {
  readonly value: P;
  /** The nodes at which its topics end. */
  readonly topics = new Set<Node<P>>();
  /** It has left: its remaining topics are being removed, and no answer contains it. */
  gone = false;
  /** After it has left: topics that must still be removed. */
  rest: Iterator<Node<P>> | null = null;

  constructor(value: P) {
    this.value = value;
  }
}

/** Most subscribers in all cached answers of `match` together. */
const KEPT_ANSWERS = 65536;
const NOBODY: readonly never[] = Object.freeze([]);

function* eachOf<P>(holders: Subscriber<P> | Set<Subscriber<P>> | null): Generator<P> {
  if (holders instanceof Set) {
    for (const one of holders) if (!one.gone) yield one.value;
  } else if (holders !== null && !holders.gone) yield holders.value;
}

export class SubscriptionTrie<P> extends TopicTree<Subscriber<P> | Set<Subscriber<P>>, readonly P[]> {
  /**
   * Cached answers of `match` for subjects that match topics of several lengths, by the last matching node. Cleared when a
   * subscription is added or removed.
   */
  readonly #answers = new Map<Node<P>, readonly P[]>();
  #answersSize = 0;
  /** Cached answers of single nodes that are older than this may contain a subscriber that has left. */
  #age = 0;
  #size = 0;

  /** Number of different topics. */
  get size(): number {
    return this.#size;
  }

  /** Adds a subscriber to a topic; returns how many the topic has now, or 0 if this one was there already. */
  add(topic: Uint8Array, subscriber: Subscriber<P>): number {
    const node = this.insert(topic);
    if (subscriber.topics.has(node)) return 0;
    subscriber.topics.add(node);
    this.#changed(node);
    const { holders } = node;
    if (holders === null) {
      node.holders = subscriber;
      this.#size++;
      return 1;
    }
    if (holders instanceof Set) return holders.add(subscriber).size;
    node.holders = new Set([holders, subscriber]);
    return 2;
  }

  /** Whether a subscriber has a topic. */
  holds(topic: Uint8Array, subscriber: Subscriber<P>): boolean {
    const node = this.find(topic);
    return node !== undefined && subscriber.topics.has(node);
  }

  /** Removes a subscriber from a topic; returns how many are left, or -1 if this one was not there. */
  remove(topic: Uint8Array, subscriber: Subscriber<P>): number {
    const node = this.find(topic);
    if (node === undefined || !subscriber.topics.delete(node)) return -1;
    const left = this.#drop(node, subscriber);
    if (left === 0) this.release(node);
    return left;
  }

  /** A subscriber has left: no later answer contains it. `clear` removes its topics. */
  leave(subscriber: Subscriber<P>): void {
    subscriber.gone = true;
    subscriber.rest = subscriber.topics.values();
    this.#forgetAnswers();
    this.#age++;
  }

  /**
   * Removes topics of a subscriber that has left.
   * @param budget approximate number of tree nodes that it may visit
   * @param removed called for each topic; `left` is the number of its remaining subscribers
   * @returns the rest of the budget; above 0 when all topics are removed
   */
  clear(subscriber: Subscriber<P>, budget: number, removed?: (topic: Buffer, left: number) => void): number {
    const rest = subscriber.rest as Iterator<Node<P>>;
    let most = budget;
    while (most > 0) {
      const { value: node, done } = rest.next();
      if (done) return most;
      const topic = removed === undefined ? undefined : this.topicOf(node);
      const left = this.#drop(node, subscriber);
      most -= left === 0 ? this.release(node) : 1;
      if (topic !== undefined) removed?.(topic, left);
    }
    return most;
  }

  /** Removes a subscriber from a node; returns how many are left. */
  #drop(node: Node<P>, subscriber: Subscriber<P>): number {
    this.#changed(node);
    const { holders } = node;
    if (holders instanceof Set) {
      holders.delete(subscriber);
      if (holders.size === 1) [node.holders] = holders;
      return holders.size;
    }
    node.holders = null;
    this.#size--;
    return 0;
  }

  #changed(node: Node<P>): void {
    node.answer = null;
    this.#forgetAnswers();
  }

  #forgetAnswers(): void {
    if (this.#answers.size === 0) return;
    this.#answers.clear();
    this.#answersSize = 0;
  }

  /** The values of all subscribers of topics with which the subject starts, each once. The returned array never changes. */
  match(subject: Uint8Array): readonly P[] {
    let node: Node<P> = this.root;
    let at = 0;
    let last: Node<P> | null = node.holders === null ? null : node;
    let several = false;
    while (at < subject.length) {
      const next = childOf(node, subject[at]);
      if (next === undefined) break;
      const { end } = next;
      if (end - at > 1 && !agrees(next.text, subject, at + 1, end)) break;
      at = end;
      node = next;
      if (node.holders === null) continue;
      several = last !== null;
      last = node;
    }
    if (last === null) return NOBODY;
    if (several) return this.#answers.get(last) ?? this.#answer(last);
    if (last.answer === null || last.age !== this.#age) {
      last.answer = [...eachOf(last.holders)];
      last.age = this.#age;
    }
    return last.answer;
  }

  /** Whether one subscriber has a topic with which the subject starts. */
  matchesOne(subject: Uint8Array, { topics }: Subscriber<P>): boolean {
    let node: Node<P> = this.root;
    while (!topics.has(node)) {
      if (node.end === subject.length) return false;
      const next = childOf(node, subject[node.end]);
      if (next === undefined || !agrees(next.text, subject, node.end, next.end)) return false;
      node = next;
    }
    return true;
  }

  /** Combines the answers of all matching nodes on the path to the last one. */
  #answer(last: Node<P>): readonly P[] {
    const way: Node<P>[] = [];
    for (let node: Node<P> | null = last; node !== null; node = node.parent) way.push(node);
    const found = new Set<P>();
    for (let i = way.length - 1; i >= 0; i--) for (const one of eachOf(way[i].holders)) found.add(one);
    const answer = [...found];
    if (this.#answersSize + answer.length >= KEPT_ANSWERS) this.#forgetAnswers();
    this.#answersSize += answer.length + 1;
    this.#answers.set(last, answer);
    return answer;
  }
}
