/**
 * Topics of subscribers as a compressed prefix tree, matched octet-wise (RFC 29, items J2, J3, J26). Iterated,
 * never recursed, so that a long topic costs memory for its octets and no stack (CVE-2021-20236). Knows nothing of
 * pipes: subscribers are any objects.
 */

interface Node<T> {
  /** Octets on the edge that leads here. */
  label: Uint8Array;
  children: Map<number, Node<T>> | null;
  subscribers: Set<T> | null;
}

function newNode<T>(label: Uint8Array): Node<T> {
  return { label, children: null, subscribers: null };
}

function commonPrefix(label: Uint8Array, topic: Uint8Array, at: number): number {
  const most = Math.min(label.length, topic.length - at);
  let i = 0;
  while (i < most && label[i] === topic[at + i]) i++;
  return i;
}

export class SubscriptionTrie<T> {
  #root: Node<T> = newNode(new Uint8Array(0));

  /** Add a subscriber to a topic; answers how many it has now, 0 when this one is there already. */
  add(topic: Uint8Array, subscriber: T): number {
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
    upper.children = new Map([[node.label[0], node]]);
    return upper;
  }

  /** Remove a subscriber from a topic; answers how many are left, -1 when this one was not there. */
  remove(topic: Uint8Array, subscriber: T): number {
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
        parent.children?.set(label[0], only);
      }
      return;
    }
  }

  /** Calls `visit` for each subscriber of each topic that the subject starts with; one subscriber may come twice. */
  match(subject: Uint8Array, visit: (subscriber: T) => void): void {
    let node: Node<T> | undefined = this.#root;
    let at = 0;
    while (node !== undefined) {
      if (node.subscribers !== null) for (const subscriber of node.subscribers) visit(subscriber);
      if (node.children === null || at === subject.length) return;
      node = node.children.get(subject[at]);
      if (node === undefined || commonPrefix(node.label, subject, at) < node.label.length) return;
      at += node.label.length;
    }
  }

  /** Whether any topic matches. */
  matches(subject: Uint8Array): boolean {
    let node: Node<T> | undefined = this.#root;
    let at = 0;
    while (node !== undefined) {
      if (node.subscribers !== null) return true;
      if (node.children === null || at === subject.length) return false;
      node = node.children.get(subject[at]);
      if (node === undefined || commonPrefix(node.label, subject, at) < node.label.length) return false;
      at += node.label.length;
    }
    return false;
  }
}
