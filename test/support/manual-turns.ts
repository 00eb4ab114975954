/** Simulated time for the queues of the engine: nothing happens until a test says so. */

import { ZmqError } from "../../src/base/errors.js";
import type { Turns } from "../../src/base/waiting.js";

export class ManualTurns implements Turns {
  now = 0;
  /** The program has computed for long. */
  isLate = false;
  readonly #behind: (() => void)[] = [];
  #deferred: (() => void)[] = [];
  #timers = new Set<{ at: number; fire: () => void }>();

  nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#deferred.push(resolve));
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  late(): boolean {
    return this.isLate;
  }

  whenCaughtUp(done: () => void): void {
    this.#behind.push(done);
  }

  /** The event loop has let in who waited. */
  catchUp(): void {
    this.isLate = false;
    for (const done of this.#behind.splice(0)) done();
  }

  expire(
    ms: number,
    signal: AbortSignal | undefined,
    expired: (reason: unknown) => void,
  ): (() => void) | null {
    const timer = {
      at: ms < 0 ? Number.POSITIVE_INFINITY : this.now + ms,
      fire: () => end(new ZmqError("EAGAIN")),
    };
    const abort = (): void => end(signal?.reason);
    const cleanup = (): void => {
      this.#timers.delete(timer);
      signal?.removeEventListener("abort", abort);
    };
    const end = (reason: unknown): void => {
      cleanup();
      expired(reason);
    };
    this.#timers.add(timer);
    signal?.addEventListener("abort", abort);
    return cleanup;
  }

  timedOut(ms: number, before = ""): ZmqError {
    return new ZmqError("EAGAIN", { detail: `${before} ${ms} ms` });
  }

  /** Timers that have not been undone. */
  get pending(): number {
    return this.#timers.size;
  }

  /** A turn of the event loop goes by. */
  turn(): void {
    const due = this.#deferred;
    this.#deferred = [];
    for (const run of due) run();
  }

  advance(ms: number): void {
    this.now += ms;
    for (const timer of [...this.#timers]) if (timer.at <= this.now) timer.fire();
  }
}
