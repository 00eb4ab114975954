/**
 * Who is subscribed to what: topics with their subscribers, and each subscriber with its topics. A topic costs its bytes
 * once, however many hold it. Knows nothing of pipes: what a subscriber stands for is any value.
 */
import type { Buffer } from "../../base/platform.js";
import { agrees, childOf, type TopicNode, TopicTree } from "./topic-tree.js";

type Node<P> = TopicNode<Subscriber<P> | Set<Subscriber<P>>, readonly P[]>;

/** One subscriber for as long as it is connected. Its fields are the trie's own bookkeeping. */
export class Subscriber<P> {
  readonly value: P;
  /** Where its topics end. */
  readonly topics = new Set<Node<P>>();
  /** It has left: what it holds still is on its way out, and no answer names it. */
  gone = false;
  /** Of one that left: topics that are still to be removed. */
  rest: Iterator<Node<P>> | null = null;

  constructor(value: P) {
    this.value = value;
  }
}

/** Subscribers that the answers kept by `match` may name together. */
const KEPT_ANSWERS = 65536;
const NOBODY: readonly never[] = Object.freeze([]);

function* eachOf<P>(holders: Subscriber<P> | Set<Subscriber<P>> | null): Generator<P> {
  if (holders instanceof Set) {
    for (const one of holders) if (!one.gone) yield one.value;
  } else if (holders !== null && !holders.gone) yield holders.value;
}

export class SubscriptionTrie<P> extends TopicTree<Subscriber<P> | Set<Subscriber<P>>, readonly P[]> {
  /**
   * Answers of `match` where topics of several lengths match, by the last node on the way: they hold until a
   * subscription comes or goes.
   */
  readonly #answers = new Map<Node<P>, readonly P[]>();
  #answersSize = 0;
  /** Answers of single nodes that are older than this name somebody who has left. */
  #age = 0;
  #size = 0;

  /** Different topics. */
  get size(): number {
    return this.#size;
  }

  /** Add a subscriber to a topic; answers how many it has now, 0 when this one is there already. */
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

  /** Remove a subscriber from a topic; answers how many are left, -1 when this one was not there. */
  remove(topic: Uint8Array, subscriber: Subscriber<P>): number {
    const node = this.find(topic);
    if (node === undefined || !subscriber.topics.delete(node)) return -1;
    const left = this.#drop(node, subscriber);
    if (left === 0) this.release(node);
    return left;
  }

  /** A subscriber has left: no answer names it from now on. Its topics are removed by `clear`. */
  leave(subscriber: Subscriber<P>): void {
    subscriber.gone = true;
    subscriber.rest = subscriber.topics.values();
    this.#forgetAnswers();
    this.#age++;
  }

  /**
   * Remove topics of a subscriber that has left.
   * @param budget what it may cost: nodes of the tree, about
   * @param removed called for each topic; `left` is how many hold it still
   * @returns what is left of the budget; more than 0 when all is removed
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

  /** Takes a holder off a node; answers how many are left. */
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

  /** What each subscriber of a topic that the subject starts with stands for, once. The answer never changes. */
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

  /** Of all nodes on the way to the last one that counts. */
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
