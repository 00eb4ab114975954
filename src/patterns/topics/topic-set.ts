/**
 * A subscriber's own topics, each with the number of times it was asked for (items J7, J9, J12). Knows no pipes.
 */
import type { Buffer } from "../../base/platform.js";
import { type TopicNode, TopicTree } from "./topic-tree.js";

export class TopicSet extends TopicTree<number> {
  #size = 0;
  /** Where topics end, in the order in which they were first asked for. */
  readonly #ends = new Set<TopicNode<number, never>>();

  /** Subscriptions that were not cancelled, each of one topic. */
  get size(): number {
    return this.#size;
  }

  /** Count one subscription; true when it is the topic's first. The bytes are copied. */
  add(bytes: Uint8Array): boolean {
    const node = this.insert(bytes);
    const count = node.holders ?? 0;
    node.holders = count + 1;
    this.#size++;
    this.#ends.add(node);
    return count === 0;
  }

  /** Count one cancellation; true when it was the topic's last, false also for one never subscribed to (J12). */
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

  /** Whether a topic is held, byte for byte. */
  has(bytes: Uint8Array): boolean {
    const node = this.find(bytes);
    return node !== undefined && node.holders !== null;
  }

  /** Each topic once. */
  *[Symbol.iterator](): Generator<Buffer> {
    for (const node of this.#ends) yield this.topicOf(node);
  }
}
