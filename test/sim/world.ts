/**
 * Virtual time for everything in a simulation: timers, turns of the event loop and arrivals are steps, done one after the
 * other in an order that the seed decides. Only tick callbacks and promise jobs are Node's own: after each step they run
 * until none is left, and so they repeat, too.
 */
import type { Timer } from "../../src/base/deadline.js";
import type { World } from "../../src/base/runtime.js";
import type { Dice } from "./dice.js";

interface Step extends Timer {
  at: number;
  order: number;
  run: (() => void) | null;
}

/** What Node needs to run all tick callbacks and promise jobs that a step has left. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class SimulatedWorld implements World {
  readonly #dice: Dice;
  #now = 0;
  /** Time in which the loop had nothing to do. */
  #idle = 0;
  #order = 0;
  /** A heap by time, and among equals by order. */
  readonly #steps: Step[] = [];
  #polled: (() => void)[] = [];
  /** Steps done so far. */
  steps = 0;
  /** What happened, the newest last; kept short unless everything is wanted. */
  readonly log: string[] = [];
  /** An assertion of zwire that has failed. */
  failure: Error | undefined;
  logLimit = 80;
  /** Called now and then, between steps. */
  inspect: () => void = () => {};

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  now(): number {
    return this.#now;
  }

  idle(): number {
    return this.#idle;
  }

  nextTick(run: () => void): void {
    process.nextTick(run);
  }

  random(): number {
    return this.#dice.next();
  }

  random32(): number {
    return this.#dice.int(0, 0xffffffff);
  }

  bug(error: Error): void {
    this.failure ??= error;
  }

  timer(ms: number, run: () => void): Timer {
    const step: Step = { at: this.#now + ms, order: this.#order++, run, ref() {}, unref() {} };
    const heap = this.#steps;
    let place = heap.push(step) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (before(heap[above], step)) break;
      heap[place] = heap[above];
      place = above;
    }
    heap[place] = step;
    return step;
  }

  clear(timer: Timer): void {
    (timer as Step).run = null;
  }

  polled(run: () => void): void {
    this.#polled.push(run);
  }

  polledAnyway(run: () => void): void {
    this.polled(run);
  }

  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.timer(ms, resolve));
  }

  /** The program computes for so long. */
  block(ms: number): void {
    this.#now += ms;
  }

  note(what: string): void {
    this.log.push(`${this.#now.toFixed(2)} ${what}`);
    if (this.log.length > 2 * this.logLimit) this.log.splice(0, this.log.length - this.logLimit);
  }

  #next(): (() => void) | null {
    // A turn: what has waited for the poll, or what is due. Which of them comes first varies.
    const heap = this.#steps;
    while (heap.length > 0 && heap[0].run === null) this.#pop();
    if (this.#polled.length > 0 && (heap.length === 0 || heap[0].at > this.#now || this.#dice.chance(0.5)))
      return this.#polled.shift() as () => void;
    if (heap.length === 0) return null;
    const step = this.#pop();
    if (step.at > this.#now) {
      this.#idle += step.at - this.#now;
      this.#now = step.at;
    }
    const { run } = step;
    step.run = null;
    return run;
  }

  #pop(): Step {
    const heap = this.#steps;
    const first = heap[0];
    const last = heap.pop() as Step;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1], heap[below])) below++;
      if (before(last, heap[below])) break;
      heap[place] = heap[below];
      place = below;
    }
    heap[place] = last;
    return first;
  }

  /** Runs steps until the promise settles. Rejects when nothing more happens, or after `limitMs`. */
  async run(program: Promise<void>, limitMs: number): Promise<void> {
    let done = false;
    let failure: unknown;
    program.then(
      () => (done = true),
      (error: unknown) => {
        done = true;
        failure = error ?? new Error("rejected with nothing");
      },
    );
    await settled();
    while (!done) {
      const step = this.#next();
      if (step === null) throw new Error("the program waits, and nothing more happens");
      if (this.#now > limitMs) throw new Error(`the program is not done after ${limitMs} ms`);
      step();
      await settled();
      if (this.failure !== undefined) throw this.failure;
      if (++this.steps % 16 === 0) this.inspect();
    }
    if (failure !== undefined) throw failure;
  }
}

function before(a: Step, b: Step): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
