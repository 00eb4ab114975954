/**
 * Many waits of many connections with one timer, because a timer for each costs memory and ten thousand connections are
 * idle most of the time. A heap by time; what is due together is done in portions, a turn of the event loop for each.
 */
import type { Deadline, EventLoop } from "./deadline.js";

/** Waits that are over and attended to in one turn: each may be a system call. */
const PER_TURN = 128;

/** Somebody who waits. The agenda keeps `at` and `place`. */
export interface Appointment {
  /** When it is due. */
  at: number;
  /** Where in the heap; -1 when it does not wait. */
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

  /** Those who wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** Call `due` of one in so many milliseconds, when the loop has read what came before; it forgets an earlier wait. */
  after(ms: number, one: Appointment): void {
    this.cancel(one);
    const { clock } = this.#loop;
    one.at = clock.now() + ms;
    one.place = this.#heap.push(one) - 1;
    this.#up(one.place);
    this.#arm();
  }

  /** Undo `after`. */
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

  /** A timer that runs on for one who has cancelled finds others, or nobody. */
  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = first.at;
    // Not longer than it has to be: the loop reads before it fires.
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
