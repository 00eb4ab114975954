/**
 * Deadlines of many calls with few different timeouts. Calls with the same timeout expire in the order in which they
 * began, so each timeout has a list and one timer, and a call that is answered in time costs only two links. Callers
 * choose the timeouts, so only a few empty lists are kept for the next call.
 */
import type { Clock } from "./clock.js";

/** Up to this many lists are kept when they are empty. */
const MOST_LANES = 64;

/** A deadline that can be cancelled. */
export class Deadline {
  readonly at: number;
  readonly due: () => void;
  previous: Deadline | null = null;
  next: Deadline | null = null;
  #list: Lane | null;

  constructor(list: Lane, at: number, due: () => void) {
    this.#list = list;
    this.at = at;
    this.due = due;
  }

  /** The deadline will not fire. Does nothing if it has. */
  cancel(): void {
    this.#list?.remove(this);
    this.#list = null;
  }

  /** The time is up. */
  fire(): void {
    this.cancel();
    this.due();
  }
}

/** Deadlines with the same timeout, the next one first. */
class Lane {
  readonly #clock: Clock;
  readonly #length: number;
  /** Called when nothing is left. Returns true if the lane is to be dropped. */
  readonly #empty: (lane: Lane, timeIsUp: boolean) => boolean;
  #first: Deadline | null = null;
  #last: Deadline | null = null;
  #stop: () => void;

  constructor(clock: Clock, length: number, empty: (lane: Lane, timeIsUp: boolean) => boolean) {
    this.#clock = clock;
    this.#length = length;
    this.#empty = empty;
    this.#stop = this.#wait(length);
  }

  add(due: () => void): Deadline {
    const deadline = new Deadline(this, this.#clock.now() + this.#length, due);
    deadline.previous = this.#last;
    if (this.#last === null) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    return deadline;
  }

  remove(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    deadline.previous = null;
    deadline.next = null;
    if (this.#first === null && this.#empty(this, false)) this.#stop();
  }

  /** The timer goes on when its deadline is cancelled. When it fires, it looks for the next one. */
  #wait(milliseconds: number): () => void {
    return this.#clock.after(milliseconds, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    // What is due in less than a millisecond is due now: a timer cannot wait for less.
    while (this.#first !== null && this.#first.at - now < 1) this.#first.fire();
    if (this.#first !== null) this.#stop = this.#wait(this.#first.at - now);
    else this.#empty(this, true);
  }

  /** None of them fires any more. */
  stop(): void {
    this.#stop();
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #lanes = new Map<number, Lane>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timeouts that have a list and a timer now. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Calls back once after so many milliseconds, unless cancelled. Does not keep the process alive. */
  after(milliseconds: number, due: () => void): Deadline {
    let lane = this.#lanes.get(milliseconds);
    if (lane === undefined) {
      lane = new Lane(this.#clock, milliseconds, (empty, timeIsUp) => {
        if (!timeIsUp && this.#lanes.size <= MOST_LANES) return false;
        // The callback of a deadline may have made a new list for this timeout.
        if (this.#lanes.get(milliseconds) === empty) this.#lanes.delete(milliseconds);
        return true;
      });
      this.#lanes.set(milliseconds, lane);
    }
    return lane.add(due);
  }

  /** No deadline fires any more, and no timer is left. */
  close(): void {
    for (const lane of this.#lanes.values()) lane.stop();
    this.#lanes.clear();
  }
}
