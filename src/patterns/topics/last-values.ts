/**
 * The last message of each topic, in the order in which they were published, within limits. Readers go through the list
 * at their own pace: what changes meanwhile moves to its end, where each of them still comes by. Constant time for each
 * message. Knows no pipes.
 */
import { Buffer } from "../../base/platform.js";
import { heldBytes } from "../../engine/message-size.js";
import { topicKey } from "../../engine/topic-key.js";

/** Options of the store, read at each use. 0 is no limit. */
export interface LastValueLimits {
  readonly lastValueTopics: number;
  readonly lastValueBytes: number;
}

/** What an entry costs beside its message: objects, and the topic in the map. */
const ENTRY_COST = 256;

/** One message. */
export interface Kept {
  /** When it was published, as a number that grows. */
  readonly order: number;
  /** Its parts in memory of their own; null when it is not the last of its topic any more. */
  message: Buffer[] | null;
  readonly cost: number;
  before: Kept | null;
  after: Kept | null;
  /** Readers that come here next. */
  readers: number;
}

/** Where a reader is. Ends at the first message that is published after it. */
export class Reader {
  readonly #values: LastValues;
  /** The next to read; null at the end. */
  #at: Kept | null;

  constructor(values: LastValues) {
    this.#values = values;
    this.#at = null;
    this.rewind();
  }

  /** Back to the oldest. */
  rewind(): void {
    this.end();
    this.#stand(this.#values.oldest);
  }

  #stand(at: Kept | null): void {
    this.#at = at;
    if (at !== null) at.readers++;
  }

  /** The next one; null at the end. */
  get next(): Kept | null {
    while (this.#at !== null && this.#at.message === null) this.pass();
    return this.#at;
  }

  /** Goes on behind the next one. */
  pass(): void {
    const { after } = this.#at as Kept;
    this.#values.leave(this.#at as Kept);
    this.#stand(after);
  }

  /** Reads no more. */
  end(): void {
    if (this.#at !== null) this.#values.leave(this.#at);
    this.#at = null;
  }

  /** Everything that was published before this number has been read. */
  get position(): number {
    return this.next?.order ?? this.#values.published + 1;
  }
}

export class LastValues {
  readonly #limits: LastValueLimits;
  readonly #full: (limit: keyof LastValueLimits, value: number) => void;
  readonly #byTopic = new Map<string, Kept>();
  #oldest: Kept | null = null;
  #newest: Kept | null = null;
  #bytes = 0;
  /** The number of the message published last. */
  published = 0;
  /** Values that the limits left no room for. */
  evicted = 0;

  /** @param full a value was dropped because of a limit */
  constructor(limits: LastValueLimits, full: (limit: keyof LastValueLimits, value: number) => void) {
    this.#limits = limits;
    this.#full = full;
  }

  /** Number of topics with a value. */
  get topics(): number {
    return this.#byTopic.size;
  }

  get oldest(): Kept | null {
    return this.#oldest;
  }

  /** Whether the limits allow a message. */
  takes(message: Uint8Array[]): boolean {
    const { lastValueBytes } = this.#limits;
    return lastValueBytes === 0 || costOf(message) <= lastValueBytes;
  }

  /**
   * Keeps a copy of a message, unless a later one of its topic is kept. One that is too large ends the topic's value, which
   * would be outdated.
   * @param order its number: what `published` was set to when it was sent
   */
  keep(topic: string, message: Uint8Array[], order: number): void {
    const before = this.#byTopic.get(topic);
    if (before !== undefined) {
      if (before.order > order) return;
      this.#remove(topic, before);
    }
    const cost = costOf(message);
    if (!this.takes(message)) {
      this.evicted++;
      this.#full("lastValueBytes", cost);
      return;
    }
    const kept: Kept = {
      order,
      message: copied(message),
      cost,
      before: this.#newest,
      after: null,
      readers: 0,
    };
    if (this.#newest === null) this.#oldest = kept;
    else this.#newest.after = kept;
    this.#newest = kept;
    this.#byTopic.set(topic, kept);
    this.#bytes += kept.cost;
    this.fit();
  }

  /** Drops the oldest values until the limits hold. */
  fit(): void {
    const { lastValueTopics, lastValueBytes } = this.#limits;
    while (lastValueTopics > 0 && this.topics > lastValueTopics) this.#evict("lastValueTopics", this.topics);
    while (lastValueBytes > 0 && this.#bytes > lastValueBytes) this.#evict("lastValueBytes", this.#bytes);
  }

  #evict(limit: keyof LastValueLimits, value: number): void {
    let oldest = this.#oldest as Kept;
    while (oldest.message === null) oldest = oldest.after as Kept;
    this.#remove(topicKey(oldest.message) as string, oldest);
    this.evicted++;
    this.#full(limit, value);
  }

  /** Forgets the value of a topic; whether there was one. */
  forget(topic: string): boolean {
    const kept = this.#byTopic.get(topic);
    if (kept !== undefined) this.#remove(topic, kept);
    return kept !== undefined;
  }

  clear(): void {
    for (const [topic, kept] of this.#byTopic) this.#remove(topic, kept);
  }

  #remove(topic: string, kept: Kept): void {
    this.#byTopic.delete(topic);
    this.#bytes -= kept.cost;
    kept.message = null;
    if (kept.readers === 0) this.#unlink(kept);
  }

  /** A reader goes on. What has no value any more stays in the list only for who comes there next. */
  leave(kept: Kept): void {
    kept.readers--;
    if (kept.readers === 0 && kept.message === null) this.#unlink(kept);
  }

  #unlink({ before, after }: Kept): void {
    if (before === null) this.#oldest = after;
    else before.after = after;
    if (after === null) this.#newest = before;
    else after.before = before;
  }
}

function costOf(message: Uint8Array[]): number {
  return heldBytes(message) + message[0].length + ENTRY_COST;
}

/** All parts in one piece of memory, which nobody else has. */
export function copied(message: readonly Uint8Array[]): Buffer[] {
  let end = 0;
  for (const part of message) end += part.length;
  const memory = Buffer.allocUnsafeSlow(end);
  end = 0;
  return message.map((part) => {
    const start = end;
    end += part.length;
    memory.set(part, start);
    return memory.subarray(start, end) as Buffer;
  });
}
