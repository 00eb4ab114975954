/**
 * The deadlines of many calls with few different lengths: calls of one length end in the order in which they began, so
 * each length has a list and one timer, and a call that is answered in time costs two links. Knows no calls.
 */
import type { Clock } from "./clock.js";

/** A deadline that may be called off. */
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

  /** It will not come; nothing happens when it has. */
  cancel(): void {
    this.#list?.remove(this);
    this.#list = null;
  }

  /** It has come. */
  fire(): void {
    this.cancel();
    this.due();
  }
}

/** Deadlines of one length, the first to come in front. */
class Lane {
  readonly #clock: Clock;
  readonly #length: number;
  /** Called when nothing is left. */
  readonly #empty: () => void;
  #first: Deadline | null = null;
  #last: Deadline | null = null;

  constructor(clock: Clock, length: number, empty: () => void) {
    this.#clock = clock;
    this.#length = length;
    this.#empty = empty;
    this.#wait(length);
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
  }

  /** The timer runs on when its deadline was called off: what it finds then is the next one, or nothing. */
  #wait(milliseconds: number): void {
    this.#clock.after(milliseconds, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    // Those that come in less than a millisecond are due: a timer cannot wait for less.
    while (this.#first !== null && this.#first.at - now < 1) this.#first.fire();
    if (this.#first === null) this.#empty();
    else this.#wait(this.#first.at - now);
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #lanes = new Map<number, Lane>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back after so many milliseconds, once, unless it is called off. Does not keep the process alive. */
  after(milliseconds: number, due: () => void): Deadline {
    let lane = this.#lanes.get(milliseconds);
    if (lane === undefined) {
      lane = new Lane(this.#clock, milliseconds, () => this.#lanes.delete(milliseconds));
      this.#lanes.set(milliseconds, lane);
    }
    return lane.add(due);
  }
}
