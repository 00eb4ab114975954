/**
 * Enforces `maxQueuedBytes`: the bytes that all pipes of a socket hold together, for each direction separately. A
 * high-water mark limits the queue of one peer; this limits the sum, when many peers each stay below their mark. Hot path:
 * adding and removing is arithmetic.
 */

/** Bytes that a pipe may always hold, so that peers with full queues do not stop the well-behaved ones. */
export const FREE_BYTES = 65536;

/** The socket's limit, read at each use, so that a change takes effect at once. 0 means no limit. */
export interface BudgetLimits {
  readonly maxQueuedBytes: number;
}

/** A pipe that waits, because all pipes together hold too much. */
export interface Waiting {
  /** There may be room again. */
  budgetFell(): void;
}

/** The budget of one direction of a socket. */
export class Budget {
  /** Bytes held now. Pipes change it directly: a call cost a tenth of a message between two sockets of a thread. */
  held = 0;
  readonly #limits: BudgetLimits;
  readonly #waiting = new Set<Waiting>();
  /** When pipes hold only incomplete messages, the one that may read on: one message must be able to complete. */
  #favoured: Waiting | null = null;
  /** The limit has been reported, and there has been no room since. */
  #told = false;
  /** Messages whose place in a queue a newer one of their topic has taken. */
  conflated = 0;
  /** A pipe waits, or the limit has been reported: whoever removes bytes must call `fell`. */
  watched = false;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  add(bytes: number): void {
    this.held += bytes;
  }

  remove(bytes: number): void {
    this.held -= bytes;
    if (this.watched) this.fell();
  }

  /** Whether the limit is reached. */
  get full(): boolean {
    const { maxQueuedBytes } = this.#limits;
    return maxQueuedBytes > 0 && this.held >= maxQueuedBytes;
  }

  /** Whether there is room again: at half of the limit, as for a high-water mark (G8). */
  get low(): boolean {
    const { maxQueuedBytes } = this.#limits;
    return maxQueuedBytes === 0 || this.held <= maxQueuedBytes / 2;
  }

  /** Call after removing bytes: wakes waiting pipes if there is room again. */
  fell(): void {
    if (!this.low) return;
    this.#told = false;
    this.watched = false;
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const one of waiting) one.budgetFell();
  }

  /** Calls `budgetFell` once there may be room. */
  wait(one: Waiting): void {
    this.#waiting.add(one);
    this.watched = true;
  }

  /** Whether this pipe may read on to the end of its message although the limit is reached. */
  favours(one: Waiting): boolean {
    this.#favoured ??= one;
    return this.#favoured === one;
  }

  /** The pipe's connection is gone. */
  forget(one: Waiting): void {
    this.#waiting.delete(one);
    this.done(one);
  }

  /** The pipe has no incomplete message any more. */
  done(one: Waiting): void {
    if (this.#favoured !== one) return;
    this.#favoured = null;
    this.#wake();
  }

  /** Whether to report the limit now: once, until there is room again. */
  tells(): boolean {
    const first = !this.#told;
    this.#told = true;
    this.watched = true;
    return first;
  }
}
