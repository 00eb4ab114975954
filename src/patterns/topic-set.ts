/**
 * A subscriber's own topics, each with the number of times it was asked for (items J7, J9, J12). Knows no pipes.
 */

interface Topic {
  readonly octets: Buffer;
  /** How often it was subscribed to and not cancelled. */
  count: number;
}

export class TopicSet {
  readonly #topics = new Map<string, Topic>();

  /** Count one subscription; true when it is the topic's first. The octets are copied. */
  add(octets: Uint8Array): boolean {
    const copy = Buffer.from(octets);
    const key = keyOf(copy);
    const topic = this.#topics.get(key);
    if (topic === undefined) this.#topics.set(key, { octets: copy, count: 1 });
    else topic.count++;
    return topic === undefined;
  }

  /** Count one cancellation; true when it was the topic's last, false also for one never subscribed to (J12). */
  remove(octets: Uint8Array): boolean {
    const key = keyOf(octets);
    const topic = this.#topics.get(key);
    if (topic === undefined || --topic.count > 0) return false;
    this.#topics.delete(key);
    return true;
  }

  has(octets: Uint8Array): boolean {
    return this.#topics.has(keyOf(octets));
  }

  /** Each topic once. */
  *[Symbol.iterator](): Generator<Buffer> {
    for (const { octets } of this.#topics.values()) yield octets;
  }
}

function keyOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer as ArrayBuffer, octets.byteOffset, octets.length).toString("latin1");
}
