/**
 * Waits until a predicate holds, such as "three peers are connected".
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

  /** Call when the state has changed: resolves every wait whose predicate holds. */
  notify(): void {
    for (const wait of this.#waits) {
      if (!wait.holds()) continue;
      this.#waits.delete(wait);
      wait.cleanup?.();
      wait.resolve();
    }
  }

  /** Rejects all waits, and all later ones. */
  close(error: Error): void {
    this.#closed = error;
    for (const wait of this.#waits) {
      wait.cleanup?.();
      wait.reject(error);
    }
    this.#waits.clear();
  }
}
