/**
 * A growable circular buffer, which every queue of messages uses. Constant time at both ends, no allocation per element.
 */

/** Small: each connection has one, and most are idle. */
const INITIAL_CAPACITY = 4;
/** Above this capacity, a queue frees its memory when it becomes empty. */
const RETAINED_CAPACITY = 4096;

export class Fifo<T> {
  #items: (T | undefined)[] = new Array(INITIAL_CAPACITY);
  #mask = INITIAL_CAPACITY - 1;
  #head = 0;
  #length = 0;

  /** Elements in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Append at the tail. */
  push(item: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#items[(this.#head + this.#length) & this.#mask] = item;
    this.#length++;
  }

  /** Remove the head, or undefined when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    if (this.#length === 0 && this.#mask >= RETAINED_CAPACITY) this.clear();
    return item;
  }

  /** The head without removing it, or undefined when empty. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#head];
  }

  /** Drop everything. */
  clear(): void {
    this.#items = new Array(INITIAL_CAPACITY);
    this.#mask = INITIAL_CAPACITY - 1;
    this.#head = 0;
    this.#length = 0;
  }

  /** Keep only the elements that pass, in order. */
  retain(keep: (item: T) => boolean): void {
    const count = this.#length;
    for (let i = 0; i < count; i++) {
      const item = this.shift() as T;
      if (keep(item)) this.push(item);
    }
  }

  *[Symbol.iterator](): Generator<T, void> {
    for (let i = 0; i < this.#length; i++) yield this.#items[(this.#head + i) & this.#mask] as T;
  }

  #grow(): void {
    const grown: (T | undefined)[] = new Array((this.#mask + 1) * 2);
    for (let i = 0; i < this.#length; i++) grown[i] = this.#items[(this.#head + i) & this.#mask];
    this.#items = grown;
    this.#mask = grown.length - 1;
    this.#head = 0;
  }
}
