/** A simulated event loop: time passes, timers fire and the loop polls only when a test says so. */
import type { Timer } from "../../src/base/deadline.js";
import type { World } from "../../src/base/runtime.js";

interface Entry extends Timer {
  at: number;
  run: () => void;
}

export class ManualLoop implements World {
  #now = 0;
  readonly #timers = new Set<Entry>();
  #polled: (() => void)[] = [];
  #idle = 0;
  /** What has come from outside and lies unread: the next poll delivers it. */
  readonly inbox: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  timer(ms: number, run: () => void): Timer {
    // As Node's timers do with what they cannot wait for.
    const wait = ms > 2 ** 31 - 1 ? 1 : ms;
    const entry = { at: this.#now + wait, run, ref() {}, unref() {} };
    this.#timers.add(entry);
    return entry;
  }

  clear(timer: Timer): void {
    this.#timers.delete(timer as Entry);
  }

  polled(run: () => void): void {
    this.#polled.push(run);
  }

  polledAnyway(run: () => void): void {
    this.polled(run);
  }

  nextTick(run: () => void): void {
    process.nextTick(run);
  }

  random(): number {
    return 0.5;
  }

  random32(): number {
    return 1;
  }

  bug(error: Error): void {
    throw error;
  }

  idle(): number {
    return this.#idle;
  }

  /** Nothing happens for a while: the loop waits in its poll. */
  rest(ms: number): void {
    this.#now += ms;
    this.#idle += ms;
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** The program computes: time passes, and the loop stands still. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** One turn of the loop: timers first, then the poll, then what waited for it. */
  turn(): void {
    for (const entry of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (entry.at <= this.#now && this.#timers.delete(entry)) entry.run();
    }
    for (const arrive of this.inbox.splice(0)) arrive();
    const due = this.#polled;
    this.#polled = [];
    for (const run of due) run();
  }

  /** The loop turns every millisecond. */
  run(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.block(1);
      this.turn();
    }
  }
}
