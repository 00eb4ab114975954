/**
 * Topics of subscribers as a compressed prefix tree, matched octet-wise (RFC 29, items J2, J3, J26). Iterated,
 * never recursed, so that a long topic costs memory for its octets and no stack (CVE-2021-20236). Knows nothing of
 * pipes: subscribers are any objects.
 */

/** With ten thousand topics a match waits for memory: so a step down the tree touches as little of it as may be. */
interface Node<T> {
  /** Octets on the edge that leads here. */
  label: Uint8Array;
  /** Of the label; most have one octet, and then the parent's table says all. */
  length: number;
  /** Children by first octet less `base`, where these lie close together. */
  dense: (Node<T> | undefined)[] | null;
  base: number;
  /** Children by first octet, where they do not. */
  sparse: Map<number, Node<T>> | null;
  /** Number of children. */
  children: number;
  subscribers: Set<T> | null;
  /** The same as an array; null until asked for after a change. */
  list: readonly T[] | null;
}

/** A dense table may have this many places, and four for each child. */
const DENSE_PLACES = 16;
const PLACES_PER_CHILD = 4;

function newNode<T>(label: Uint8Array): Node<T> {
  return {
    label,
    length: label.length,
    dense: null,
    base: 0,
    sparse: null,
    children: 0,
    subscribers: null,
    list: null,
  };
}

function childOf<T>(node: Node<T>, octet: number): Node<T> | undefined {
  const { dense } = node;
  if (dense !== null) {
    const at = octet - node.base;
    return at >= 0 && at < dense.length ? dense[at] : undefined;
  }
  return node.sparse === null ? undefined : node.sparse.get(octet);
}

function* childrenOf<T>(node: Node<T>): Generator<Node<T>> {
  if (node.sparse !== null) yield* node.sparse.values();
  else if (node.dense !== null) for (const child of node.dense) if (child !== undefined) yield child;
}

/** Enters a child by its label's first octet, in the place of another one if there is. */
function setChild<T>(node: Node<T>, child: Node<T>): void {
  const octet = child.label[0];
  if (childOf(node, octet) === undefined) node.children++;
  if (node.sparse !== null) {
    node.sparse.set(octet, child);
    return;
  }
  const { dense, base } = node;
  if (dense === null) {
    node.dense = [child];
    node.base = octet;
    return;
  }
  const first = Math.min(base, octet);
  const places = Math.max(base + dense.length, octet + 1) - first;
  if (places > Math.max(DENSE_PLACES, node.children * PLACES_PER_CHILD)) {
    node.sparse = new Map([...childrenOf(node), child].map((one) => [one.label[0], one]));
    node.dense = null;
    return;
  }
  if (places > dense.length) {
    // Filled, because an array with holes is looked up more slowly.
    const wider = new Array<Node<T> | undefined>(places).fill(undefined);
    for (let i = 0; i < dense.length; i++) wider[base - first + i] = dense[i];
    node.dense = wider;
    node.base = first;
  }
  (node.dense as (Node<T> | undefined)[])[octet - first] = child;
}

function deleteChild<T>(node: Node<T>, octet: number): void {
  if (node.sparse !== null) node.sparse.delete(octet);
  else if (node.dense !== null) node.dense[octet - node.base] = undefined;
  node.children--;
  if (node.children > 0) return;
  node.dense = null;
  node.sparse = null;
}

/** @param end where the topic ends within the octets */
function commonPrefix(label: Uint8Array, topic: Uint8Array, at: number, end = topic.length): number {
  const most = Math.min(label.length, end - at);
  let i = 0;
  while (i < most && label[i] === topic[at + i]) i++;
  return i;
}

/** Subscribers that the answers kept by `match` may name together. */
const KEPT_ANSWERS = 65536;
const NOBODY: readonly never[] = Object.freeze([]);

export class SubscriptionTrie<T> {
  #root: Node<T> = newNode(new Uint8Array(0));
  /**
   * Answers of `match` where topics of several lengths match, by the last node on the way: they hold until a
   * subscription comes or goes.
   */
  readonly #answers = new Map<Node<T>, readonly T[]>();
  #answersSize = 0;

  /** Add a subscriber to a topic; answers how many it has now, 0 when this one is there already. */
  add(topic: Uint8Array, subscriber: T): number {
    let node = this.#root;
    let at = 0;
    while (at < topic.length) {
      const next = childOf(node, topic[at]);
      if (next === undefined) {
        // A copy: the topic may be a view that would pin a whole received chunk.
        const leaf = newNode<T>(topic.slice(at));
        setChild(node, leaf);
        node = leaf;
        break;
      }
      const shared = commonPrefix(next.label, topic, at);
      node = shared < next.label.length ? this.#split(node, next, shared) : next;
      at += shared;
    }
    node.subscribers ??= new Set();
    const before = node.subscribers.size;
    node.subscribers.add(subscriber);
    this.#changed(node);
    return node.subscribers.size > before ? node.subscribers.size : 0;
  }

  #split(parent: Node<T>, node: Node<T>, at: number): Node<T> {
    const upper = newNode<T>(node.label.slice(0, at));
    setChild(parent, upper);
    node.label = node.label.slice(at);
    node.length = node.label.length;
    setChild(upper, node);
    return upper;
  }

  /** Remove a subscriber from a topic; answers how many are left, -1 when this one was not there. */
  remove(topic: Uint8Array, subscriber: T): number {
    const path: Node<T>[] = [this.#root];
    let at = 0;
    while (at < topic.length) {
      const node = childOf(path[path.length - 1], topic[at]);
      if (node === undefined || commonPrefix(node.label, topic, at) < node.label.length) return -1;
      at += node.label.length;
      path.push(node);
    }
    const node = path[path.length - 1];
    if (!node.subscribers?.delete(subscriber)) return -1;
    this.#changed(node);
    const left = node.subscribers.size;
    if (left === 0) node.subscribers = null;
    this.#prune(path);
    return left;
  }

  /** Drop empty leaves and join a node that only leads to one other. */
  #prune(path: Node<T>[]): void {
    for (let i = path.length - 1; i > 0; i--) {
      const node = path[i];
      const parent = path[i - 1];
      if (node.subscribers !== null) return;
      if (node.children === 0) {
        deleteChild(parent, node.label[0]);
        continue;
      }
      if (node.children === 1) {
        const [only] = childrenOf(node);
        const label = new Uint8Array(node.label.length + only.label.length);
        label.set(node.label);
        label.set(only.label, node.label.length);
        only.label = label;
        only.length = label.length;
        setChild(parent, only);
      }
      return;
    }
  }

  #changed(node: Node<T>): void {
    node.list = null;
    if (this.#answers.size === 0) return;
    this.#answers.clear();
    this.#answersSize = 0;
  }

  /** Each subscriber of a topic that the subject starts with, once. The answer never changes. */
  match(subject: Uint8Array): readonly T[] {
    let node = this.#root;
    let at = 0;
    let last: Node<T> | null = node.subscribers === null ? null : node;
    let several = false;
    while (at < subject.length) {
      const next = childOf(node, subject[at]);
      if (next === undefined) break;
      const { length } = next;
      if (length > 1 && commonPrefix(next.label, subject, at) < length) break;
      at += length;
      node = next;
      if (node.subscribers === null) continue;
      several = last !== null;
      last = node;
    }
    if (last === null) return NOBODY;
    if (several) return this.#answers.get(last) ?? this.#answer(last, subject);
    last.list ??= [...(last.subscribers as Set<T>)];
    return last.list;
  }

  /** Of all nodes on the way to the last one that counts. */
  #answer(last: Node<T>, subject: Uint8Array): readonly T[] {
    const found = new Set(this.#root.subscribers);
    for (let node = this.#root, at = 0; node !== last; at += node.length) {
      node = childOf(node, subject[at]) as Node<T>;
      if (node.subscribers !== null) for (const subscriber of node.subscribers) found.add(subscriber);
    }
    const answer = [...found];
    if (this.#answersSize + answer.length >= KEPT_ANSWERS) {
      this.#answers.clear();
      this.#answersSize = 0;
    }
    this.#answersSize += answer.length + 1;
    this.#answers.set(last, answer);
    return answer;
  }

  /** Whether any topic matches the subject: all octets, or those of a message within more. */
  matches(octets: Uint8Array, from = 0, length: number = octets.length): boolean {
    let node: Node<T> = this.#root;
    let at = from;
    const end = from + length;
    while (node.subscribers === null) {
      if (at === end) return false;
      const next = childOf(node, octets[at]);
      if (next === undefined) return false;
      const { length: label } = next;
      if (label > 1 && commonPrefix(next.label, octets, at, end) < label) return false;
      at += label;
      node = next;
    }
    return true;
  }
}
