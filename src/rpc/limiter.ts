/**
 * How many handlers run at the same time, and the bounded queue of those that wait. Knows nothing of what it starts.
 */

/** @typeParam T what stands for a call */
export class Limiter<T> {
  readonly #most: number;
  readonly #mostWaiting: number;
  /** In order of arrival, with what starts them. */
  readonly #waiting = new Map<T, () => void>();
  #running = 0;
  #idle: (() => void) | null = null;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Start now or when there is a place; false when too many wait. */
  enter(call: T, start: () => void): boolean {
    if (this.#running >= this.#most) {
      if (this.#waiting.size >= this.#mostWaiting) return false;
      this.#waiting.set(call, start);
      return true;
    }
    this.#running++;
    start();
    return true;
  }

  /** A call is not wanted any more: it never starts if it waits, and else nothing changes. */
  withdraw(call: T): void {
    this.#waiting.delete(call);
  }

  /** Call back when nothing runs, now or later. */
  whenIdle(idle: () => void): void {
    if (this.#running === 0) idle();
    else this.#idle = idle;
  }

  /** One that was started is done. */
  release(): void {
    this.#running--;
    for (const [call, start] of this.#waiting) {
      if (this.#running >= this.#most) return;
      this.#waiting.delete(call);
      this.#running++;
      start();
    }
    if (this.#running === 0) this.#idle?.();
  }

  /** Take out all that wait: they will not start. */
  takeWaiting(): T[] {
    const calls = [...this.#waiting.keys()];
    this.#waiting.clear();
    return calls;
  }
}
