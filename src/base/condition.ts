/**
 * Waiting for a state of a socket, such as "three peers are connected". Knows only predicates.
 */
import type { CallOptions, Turns } from "./waiting.js";

interface Wait {
  holds: () => boolean;
  resolve: () => void;
  reject: (reason: unknown) => void;
  cleanup: (() => void) | null;
}

export class Condition {
  readonly #waits = new Set<Wait>();
  readonly #turns: Turns;
  #closed: Error | null = null;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Resolves when the predicate holds; rejects with EAGAIN on timeout, the signal's reason on abort. */
  until(holds: () => boolean, options: CallOptions | undefined): Promise<void> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wait: Wait = { holds, resolve, reject, cleanup: null };
      wait.cleanup = this.#turns.expire(options?.timeout ?? -1, options?.signal, (reason) => {
        this.#waits.delete(wait);
        reject(reason);
      });
      this.#waits.add(wait);
    });
  }

  /** The state has changed: settle who waited for it. */
  notify(): void {
    for (const wait of this.#waits) {
      if (!wait.holds()) continue;
      this.#waits.delete(wait);
      wait.cleanup?.();
      wait.resolve();
    }
  }

  /** Reject all waits and those to come. */
  close(error: Error): void {
    this.#closed = error;
    for (const wait of this.#waits) {
      wait.cleanup?.();
      wait.reject(error);
    }
    this.#waits.clear();
  }
}
