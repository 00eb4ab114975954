/**
 * Topics as a compressed prefix tree, matched byte by byte (RFC 29, items J2, J3, J26). The code iterates and never
 * recurses, so that a long topic cannot exhaust the stack (CVE-2021-20236). The cost of a change depends only on the length
 * of its topic: nodes are split and joined without copying, because each refers to the text of a whole topic and stores
 * how much of it leads to the node. Knows nothing of subscribers.
 */
import { Buffer } from "../../base/platform.js";

/** With ten thousand topics, memory access dominates the cost of a match, so a step down the tree touches little memory. */
export interface TopicNode<H, A> {
  /** A topic that ends here or below, one character per byte. Its first `end` characters lead to this node. */
  text: string;
  end: number;
  /** The node whose topic the text is. */
  owner: TopicNode<H, A>;
  parent: TopicNode<H, A> | null;
  /** Children by first byte minus `base`, if the first bytes lie close together. */
  dense: (TopicNode<H, A> | undefined)[] | null;
  base: number;
  /** Children by first byte, if the first bytes lie far apart. */
  sparse: Map<number, TopicNode<H, A>> | null;
  /** Number of children. */
  children: number;
  /** The holders of the topic that ends here; null if no topic ends here. */
  holders: H | null;
  /** Cached answer of a match; null after a change. */
  answer: A | null;
  /** When the answer was cached. Only the code that reads answers uses it. */
  age: number;
}

/** Size limit of a dense table: this many places, plus four for each child. */
const DENSE_PLACES = 16;
const PLACES_PER_CHILD = 4;

function newNode<H, A>(
  text: string,
  end: number,
  owner: TopicNode<H, A> | null,
  parent: TopicNode<H, A> | null,
): TopicNode<H, A> {
  const node: TopicNode<H, A> = {
    text,
    end,
    owner: owner as TopicNode<H, A>,
    parent,
    dense: null,
    base: 0,
    sparse: null,
    children: 0,
    holders: null,
    answer: null,
    age: 0,
  };
  if (owner === null) node.owner = node;
  return node;
}

/** The child that begins with this byte. */
export function childOf<H, A>(node: TopicNode<H, A>, byte: number): TopicNode<H, A> | undefined {
  const { dense } = node;
  if (dense !== null) {
    const at = byte - node.base;
    return at >= 0 && at < dense.length ? dense[at] : undefined;
  }
  return node.sparse === null ? undefined : node.sparse.get(byte);
}

function* childrenOf<H, A>(node: TopicNode<H, A>): Generator<TopicNode<H, A>> {
  if (node.sparse !== null) yield* node.sparse.values();
  else if (node.dense !== null) for (const child of node.dense) if (child !== undefined) yield child;
}

/** Any child of a node. There must be one. */
function someChild<H, A>(node: TopicNode<H, A>): TopicNode<H, A> {
  const [child] = childrenOf(node);
  return child;
}

function firstByte<H, A>(node: TopicNode<H, A>, parent: TopicNode<H, A>): number {
  return node.text.charCodeAt(parent.end);
}

/** Adds a child by its first byte, replacing an existing one. */
function setChild<H, A>(node: TopicNode<H, A>, child: TopicNode<H, A>): void {
  const byte = firstByte(child, node);
  child.parent = node;
  if (childOf(node, byte) === undefined) node.children++;
  if (node.sparse !== null) {
    node.sparse.set(byte, child);
    return;
  }
  const { dense, base } = node;
  if (dense === null) {
    node.dense = [child];
    node.base = byte;
    return;
  }
  const first = Math.min(base, byte);
  const places = Math.max(base + dense.length, byte + 1) - first;
  if (places > Math.max(DENSE_PLACES, node.children * PLACES_PER_CHILD)) {
    node.sparse = new Map([...childrenOf(node), child].map((one) => [firstByte(one, node), one]));
    node.dense = null;
    return;
  }
  if (places > dense.length) {
    // Filled, because access to an array with holes is slower.
    const wider = new Array<TopicNode<H, A> | undefined>(places).fill(undefined);
    for (let i = 0; i < dense.length; i++) wider[base - first + i] = dense[i];
    node.dense = wider;
    node.base = first;
  }
  (node.dense as (TopicNode<H, A> | undefined)[])[byte - first] = child;
}

function deleteChild<H, A>(node: TopicNode<H, A>, byte: number): void {
  if (node.sparse !== null) node.sparse.delete(byte);
  else if (node.dense !== null) node.dense[byte - node.base] = undefined;
  node.children--;
  if (node.children > 0) return;
  node.dense = null;
  node.sparse = null;
}

/** Whether the subject and the text have the same bytes in a range. */
export function agrees(text: string, subject: Uint8Array, from: number, to: number): boolean {
  if (to > subject.length) return false;
  let i = from;
  while (i < to && text.charCodeAt(i) === subject[i]) i++;
  return i === to;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

/**
 * @typeParam H holders of a topic
 * @typeParam A answer cached with a topic
 */
export class TopicTree<H, A = never> {
  protected readonly root: TopicNode<H, A> = newNode("", 0, null, null);
  #work = 0;

  /** The cost of all changes so far: nodes visited, and bytes copied. */
  get work(): number {
    return this.#work;
  }

  /** The node where a topic ends; creates it if missing. The caller sets its holders. */
  protected insert(topic: Uint8Array): TopicNode<H, A> {
    let node = this.root;
    let at = 0;
    while (at < topic.length) {
      this.#work++;
      const next = childOf(node, topic[at]);
      if (next === undefined) {
        // A copy, because the topic may be a view that would keep a whole received chunk in memory.
        const leaf = newNode<H, A>(bufferOf(topic).toString("latin1"), topic.length, null, node);
        this.#work += topic.length;
        setChild(node, leaf);
        return leaf;
      }
      const most = Math.min(next.end, topic.length);
      let shared = at;
      while (shared < most && next.text.charCodeAt(shared) === topic[shared]) shared++;
      node = shared < next.end ? this.#split(node, next, shared) : next;
      at = shared;
    }
    return node;
  }

  #split(parent: TopicNode<H, A>, node: TopicNode<H, A>, end: number): TopicNode<H, A> {
    const upper = newNode(node.text, end, node.owner, parent);
    setChild(parent, upper);
    setChild(upper, node);
    return upper;
  }

  /** The node where a topic ends. */
  protected find(topic: Uint8Array): TopicNode<H, A> | undefined {
    let node = this.root;
    while (node.end < topic.length) {
      this.#work++;
      const next = childOf(node, topic[node.end]);
      if (next === undefined || !agrees(next.text, topic, node.end, next.end)) return undefined;
      node = next;
    }
    return node;
  }

  /** Removes a topic that has no holders. Its node stays if it has several children. Returns the cost. */
  protected release(node: TopicNode<H, A>): number {
    const before = this.#work++;
    const { parent } = node;
    if (parent === null) return 1;
    let kept = node;
    if (node.children === 0) {
      deleteChild(parent, firstByte(node, parent));
      kept = parent;
    }
    if (kept.parent !== null && kept.children === 1 && kept.holders === null) kept = this.#join(kept);
    if (node.owner === node) this.#replaceText(node, kept);
    return this.#work - before;
  }

  /** Replaces a node that has only one child by that child. */
  #join(node: TopicNode<H, A>): TopicNode<H, A> {
    const parent = node.parent as TopicNode<H, A>;
    setChild(parent, someChild(node));
    return parent;
  }

  /** Gives nodes on the path that refer to the text of a removed topic another text, so that its memory is freed. */
  #replaceText(gone: TopicNode<H, A>, from: TopicNode<H, A>): void {
    for (let node = from; node.parent !== null; node = node.parent) {
      this.#work++;
      if (node.owner !== gone) continue;
      if (node.children > 0) {
        const child = someChild(node);
        node.text = child.text;
        node.owner = child.owner;
      } else {
        // Copied through a buffer, because a slice of a string keeps the whole string in memory.
        node.text = Buffer.from(node.text.slice(0, node.end), "latin1").toString("latin1");
        node.owner = node;
        this.#work += node.end;
      }
    }
  }

  /** The topic that ends at a node. */
  protected topicOf(node: TopicNode<H, A>): Buffer {
    return Buffer.from(node.text.slice(0, node.end), "latin1");
  }

  /** Whether any topic matches the subject: all bytes, or those of a message within more. */
  matches(bytes: Uint8Array, from = 0, length: number = bytes.length): boolean {
    let node: TopicNode<H, A> = this.root;
    while (node.holders === null) {
      const at = node.end;
      if (at === length) return false;
      const next = childOf(node, bytes[from + at]);
      if (next === undefined) return false;
      const { end } = next;
      if (end - at > 1) {
        if (end > length) return false;
        const { text } = next;
        for (let i = at + 1; i < end; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
      }
      node = next;
    }
    return true;
  }
}
