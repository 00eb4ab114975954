/**
 * Runs the timeouts of all connections on one timer. A timer for each would cost memory, and of ten thousand connections
 * most are idle. A heap ordered by time. When many timeouts are due together, each turn of the event loop handles a part.
 */
import type { Deadline, EventLoop } from "./deadline.js";

/** Due appointments handled in one turn of the event loop: each may make a system call. */
const PER_TURN = 128;

/** Something to call at a certain time. The agenda maintains `at` and `place`. */
export interface Appointment {
  /** When it is due, in the clock's milliseconds. */
  at: number;
  /** Index in the heap; -1 when it is not scheduled. */
  place: number;
  due(): void;
}

export class Agenda {
  readonly #loop: EventLoop;
  readonly #heap: Appointment[] = [];
  #timer: Deadline | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Number of scheduled appointments. */
  get size(): number {
    return this.#heap.length;
  }

  /** Calls `one.due()` after `ms`, once the loop has read what had arrived. Replaces an earlier time of the same one. */
  after(ms: number, one: Appointment): void {
    this.cancel(one);
    const { clock } = this.#loop;
    one.at = clock.now() + ms;
    one.place = this.#heap.push(one) - 1;
    this.#up(one.place);
    this.#arm();
  }

  /** Undoes `after`. */
  cancel(one: Appointment): void {
    const { place } = one;
    if (place === -1) return;
    one.place = -1;
    const last = this.#heap.pop() as Appointment;
    if (last === one) return;
    this.#put(last, place);
    this.#up(place);
    this.#down(last.place);
  }

  /** Cancelling does not stop the timer: when it fires, it handles what is due, if anything. */
  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = first.at;
    // Time for the loop to read need not be added: the deadline lets the loop read before it fires.
    this.#timer = this.#loop
      .deadline(Math.ceil(first.at - this.#loop.clock.now()), () => this.#look())
      .unref();
  }

  #look(): void {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#loop.clock.now();
    for (let left = PER_TURN; left > 0; left--) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) break;
      this.cancel(first);
      first.due();
    }
    this.#arm();
  }

  #put(one: Appointment, place: number): void {
    this.#heap[place] = one;
    one.place = place;
  }

  #up(from: number): void {
    const heap = this.#heap;
    const one = heap[from];
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (heap[above].at <= one.at) break;
      this.#put(heap[above], place);
      place = above;
    }
    this.#put(one, place);
  }

  #down(from: number): void {
    const heap = this.#heap;
    const one = heap[from];
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1].at < heap[below].at) below++;
      if (heap[below].at >= one.at) break;
      this.#put(heap[below], place);
      place = below;
    }
    this.#put(one, place);
  }
}
