/**
 * The topics of a subscribing socket, each with a count of its subscriptions (items J7, J9, J12). Knows no pipes.
 */
import type { Buffer } from "../../base/platform.js";
import { type TopicNode, TopicTree } from "./topic-tree.js";

export class TopicSet extends TopicTree<number> {
  #size = 0;
  /** The nodes at which topics end, in the order of the first subscription. */
  readonly #ends = new Set<TopicNode<number, never>>();

  /** Number of subscriptions in effect. Several may have the same topic. */
  get size(): number {
    return this.#size;
  }

  /** Counts one subscription; true if it is the topic's first. Copies the bytes. */
  add(bytes: Uint8Array): boolean {
    const node = this.insert(bytes);
    const count = node.holders ?? 0;
    node.holders = count + 1;
    this.#size++;
    this.#ends.add(node);
    return count === 0;
  }

  /** Counts one cancellation; true if it was the topic's last; false also for a topic that is not subscribed (J12). */
  remove(bytes: Uint8Array): boolean {
    const node = this.find(bytes);
    if (node === undefined || node.holders === null) return false;
    this.#size--;
    if (node.holders > 1) {
      node.holders--;
      return false;
    }
    node.holders = null;
    this.#ends.delete(node);
    this.release(node);
    return true;
  }

  /** Whether exactly this topic is subscribed. */
  has(bytes: Uint8Array): boolean {
    const node = this.find(bytes);
    return node !== undefined && node.holders !== null;
  }

  /** Each topic once. */
  *[Symbol.iterator](): Generator<Buffer> {
    for (const node of this.#ends) yield this.topicOf(node);
  }
}
