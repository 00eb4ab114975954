/**
 * The deadlines of many calls with few different lengths: calls of one length end in the order in which they began, so
 * each length has a list and one timer, and a call that is answered in time costs two links. Callers choose the lengths,
 * so no more than a few lists that are empty are kept for the next call. Knows no calls.
 */
import type { Clock } from "./clock.js";

/** From so many lengths on, the list of one goes with its last deadline; before, it waits for the next one. */
const MOST_LANES = 64;

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
  /** Called when nothing is left; true when the lane is not wanted any more. */
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

  /** The timer runs on when its deadline was called off: what it finds then is the next one, or nothing. */
  #wait(milliseconds: number): () => void {
    return this.#clock.after(milliseconds, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    // Those that come in less than a millisecond are due: a timer cannot wait for less.
    while (this.#first !== null && this.#first.at - now < 1) this.#first.fire();
    if (this.#first !== null) this.#stop = this.#wait(this.#first.at - now);
    else this.#empty(this, true);
  }

  /** None of them comes any more. */
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

  /** Lengths that have a list and a timer now. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** Calls back after so many milliseconds, once, unless it is called off. Does not keep the process alive. */
  after(milliseconds: number, due: () => void): Deadline {
    let lane = this.#lanes.get(milliseconds);
    if (lane === undefined) {
      lane = new Lane(this.#clock, milliseconds, (empty, timeIsUp) => {
        if (!timeIsUp && this.#lanes.size <= MOST_LANES) return false;
        // What fell due may have begun another of this length.
        if (this.#lanes.get(milliseconds) === empty) this.#lanes.delete(milliseconds);
        return true;
      });
      this.#lanes.set(milliseconds, lane);
    }
    return lane.add(due);
  }

  /** No deadline comes any more, and no timer is left. */
  close(): void {
    for (const lane of this.#lanes.values()) lane.stop();
    this.#lanes.clear();
  }
}
