/**
 * What the pipes of one socket hold together, in bytes, each direction by itself, against `maxQueuedBytes`. Marks bound
 * what one peer makes us hold; many peers, each below its mark, are bounded here. Knows pipes only by what they ask
 * it. Hot path: adding and taking is arithmetic.
 */

/** Bytes that a pipe may hold whatever others do: those who take part properly are not stopped by those who do not. */
export const FREE_BYTES = 65536;

/** The socket's limit, read afresh: a change takes effect at once. 0 = none. */
export interface BudgetLimits {
  readonly maxQueuedBytes: number;
}

/** A pipe that is held back because of others. */
export interface Waiting {
  /** There may be room again. */
  budgetFell(): void;
}

/** One direction of a socket. */
export class Budget {
  /** Bytes held now. Added to by who holds them: a call was a tenth of a message between two sockets of a thread. */
  held = 0;
  readonly #limits: BudgetLimits;
  readonly #waiting = new Set<Waiting>();
  /** Of those who hold the beginning of a message and nothing else, the one that may go on: so that one will end. */
  #favoured: Waiting | null = null;
  /** The limit has been told of, and not been left behind since. */
  #told = false;
  /** Somebody waits, or the limit has been told of: `fell` is to be called when bytes have been taken off. */
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

  /** Whether there is room again: half of the limit, as of a mark (G8). */
  get low(): boolean {
    const { maxQueuedBytes } = this.#limits;
    return maxQueuedBytes === 0 || this.held <= maxQueuedBytes / 2;
  }

  /** Less is held than before. */
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

  /** Call `budgetFell` when there may be room. */
  wait(one: Waiting): void {
    this.#waiting.add(one);
    this.watched = true;
  }

  /** Whether this one may read on to the end of its message although the limit is reached. */
  favours(one: Waiting): boolean {
    this.#favoured ??= one;
    return this.#favoured === one;
  }

  /** Its connection is gone. */
  forget(one: Waiting): void {
    this.#waiting.delete(one);
    this.done(one);
  }

  /** It has no message under way any more. */
  done(one: Waiting): void {
    if (this.#favoured !== one) return;
    this.#favoured = null;
    this.#wake();
  }

  /** Whether the limit is to be told of: once until there is room again. */
  tells(): boolean {
    const first = !this.#told;
    this.#told = true;
    this.watched = true;
    return first;
  }
}
