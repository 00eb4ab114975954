/**
 * Topics of subscribers as a compressed prefix tree, matched octet-wise (RFC 29, items J2, J3, J26). Iterated,
 * never recursed, so that a long topic costs memory for its octets and no stack (CVE-2021-20236). Knows nothing of
 * pipes: subscribers are any objects.
 */

interface Node<T> {
  /** Octets on the edge that leads here. */
  label: Uint8Array;
  /** Of the label; most have one octet, and then the child's key says all. */
  length: number;
  children: Map<number, Node<T>> | null;
  subscribers: Set<T> | null;
}

function newNode<T>(label: Uint8Array): Node<T> {
  return { label, length: label.length, children: null, subscribers: null };
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

export class SubscriptionTrie<T> {
  #root: Node<T> = newNode(new Uint8Array(0));
  /**
   * Answers of `match` by the last node on the way: they hold until a subscription comes or goes. Finding and counting
   * each subscriber once took a publisher to 32 peers more time than its messages did.
   */
  readonly #answers = new Map<Node<T>, readonly T[]>();
  #answersSize = 0;

  /** Add a subscriber to a topic; answers how many it has now, 0 when this one is there already. */
  add(topic: Uint8Array, subscriber: T): number {
    this.#forgetAnswers();
    let node = this.#root;
    let at = 0;
    while (at < topic.length) {
      node.children ??= new Map();
      const next = node.children.get(topic[at]);
      if (next === undefined) {
        // A copy: the topic may be a view that would pin a whole received chunk.
        const leaf = newNode<T>(topic.slice(at));
        node.children.set(topic[at], leaf);
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
    return node.subscribers.size > before ? node.subscribers.size : 0;
  }

  #split(parent: Node<T>, node: Node<T>, at: number): Node<T> {
    const upper = newNode<T>(node.label.slice(0, at));
    parent.children?.set(node.label[0], upper);
    node.label = node.label.slice(at);
    node.length = node.label.length;
    upper.children = new Map([[node.label[0], node]]);
    return upper;
  }

  /** Remove a subscriber from a topic; answers how many are left, -1 when this one was not there. */
  remove(topic: Uint8Array, subscriber: T): number {
    this.#forgetAnswers();
    const path: Node<T>[] = [this.#root];
    let at = 0;
    while (at < topic.length) {
      const node = path[path.length - 1].children?.get(topic[at]);
      if (node === undefined || commonPrefix(node.label, topic, at) < node.label.length) return -1;
      at += node.label.length;
      path.push(node);
    }
    const node = path[path.length - 1];
    if (!node.subscribers?.delete(subscriber)) return -1;
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
      if (node.children === null || node.children.size === 0) {
        parent.children?.delete(node.label[0]);
        continue;
      }
      if (node.children.size === 1) {
        const [only] = node.children.values();
        const label = new Uint8Array(node.label.length + only.label.length);
        label.set(node.label);
        label.set(only.label, node.label.length);
        only.label = label;
        only.length = label.length;
        parent.children?.set(label[0], only);
      }
      return;
    }
  }

  /** Each subscriber of a topic that the subject starts with, once. The answer never changes. */
  match(subject: Uint8Array): readonly T[] {
    let node = this.#root;
    let at = 0;
    while (node.children !== null && at < subject.length) {
      const next = node.children.get(subject[at]);
      if (next === undefined) break;
      const { length } = next;
      if (length > 1 && commonPrefix(next.label, subject, at) < length) break;
      at += length;
      node = next;
    }
    return this.#answers.get(node) ?? this.#answer(node, subject, at);
  }

  /** @param length octets of the subject that lead to the node */
  #answer(last: Node<T>, subject: Uint8Array, length: number): readonly T[] {
    const found = new Set<T>();
    let node = this.#root;
    for (let at = 0; ; at += node.label.length) {
      if (node.subscribers !== null) for (const subscriber of node.subscribers) found.add(subscriber);
      if (at === length) break;
      node = node.children?.get(subject[at]) as Node<T>;
      if (node === undefined) throw new Error("assertion: a way that was gone before");
    }
    const answer = [...found];
    if (this.#answersSize + answer.length >= KEPT_ANSWERS) this.#forgetAnswers();
    this.#answersSize += answer.length + 1;
    this.#answers.set(last, answer);
    return answer;
  }

  #forgetAnswers(): void {
    if (this.#answers.size === 0) return;
    this.#answers.clear();
    this.#answersSize = 0;
  }

  /** Whether any topic matches the subject: all octets, or those of a message within more. */
  matches(octets: Uint8Array, from = 0, length: number = octets.length): boolean {
    let node: Node<T> = this.#root;
    let at = from;
    const end = from + length;
    for (;;) {
      if (node.subscribers !== null) return true;
      if (node.children === null || at === end) return false;
      const next = node.children.get(octets[at]);
      if (next === undefined || commonPrefix(next.label, octets, at, end) < next.length) return false;
      at += next.length;
      node = next;
    }
  }
}
