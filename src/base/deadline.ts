/**
 * Deadlines on an event loop that may be busy. Timers run before the loop reads. If the program computes for a second, a
 * timer of half a second fires although the awaited answer is already in the kernel. A `Deadline` therefore first lets the
 * loop read, and if the loop was late, also lets begun handshakes continue. Everything that ends a wait or a connection
 * after some time must use a `Deadline`. Knows no sockets.
 */
import { clearTimeout, idleMs, monotonicMs, setImmediate, setTimeout } from "./platform.js";

/** Longest wait of a timer. Node fires a timer with a longer one at once. */
export const LONGEST_MS = 2 ** 31 - 1;

/** If a timer fires so much too late, the loop was busy. */
const LATE_MS = 5;
/** Polls of a busy loop before a deadline decides: one reads what has arrived, one reads the answers to that. */
const POLLS = 2;
/** After a step of a handshake, wait so long for the next: the peer may be about to answer or to send subscriptions. */
const QUIET_MS = 20;
/** Longest time to catch up, however many handshakes are running. */
const CATCH_UP_MS = 100;
/** If the program computes for so long without a pause, peers that dialled meanwhile are still waiting. */
const BUSY_MS = 50;
/** So many calls of `late()` in a turn read the clock; after that fewer and fewer of them do. */
const LOOKS = 4;

/** A running timer. */
export interface Timer {
  ref(): void;
  unref(): void;
}

/** Time and turns of an event loop: those of the system, or simulated by a test. */
export interface LoopClock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls a function after `ms`, at most LONGEST_MS. */
  timer(ms: number, run: () => void): Timer;
  /** Undoes `timer`. */
  clear(timer: Timer): void;
  /** Calls a function after the loop has polled for I/O and run the callbacks of what it found. */
  polled(run: () => void): void;
  /** As `polled`, but does not keep the process alive. */
  polledAnyway(run: () => void): void;
  /** Milliseconds that the loop has spent idle. */
  idle(): number;
}

/** Clamps a wait to what a timer can do: from 0 to LONGEST_MS. */
export function timerMs(ms: number): number {
  return ms > 0 ? Math.min(ms, LONGEST_MS) : 0;
}

/** The platform's clock. */
export const systemClock: LoopClock = {
  now: () => monotonicMs(),
  timer: (ms, run) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
  polled: (run) => void setImmediate(run), // immediates run after the poll, timers before it
  polledAnyway: (run) => void setImmediate(run).unref(),
  idle: () => idleMs(), // on runtimes that do not count it this is 0: the program then counts as busy
};

/** One deadline. It keeps the process alive until it has fired or was cancelled, unless `unref()`ed. */
export class Deadline {
  readonly #loop: EventLoop;
  readonly #at: number;
  readonly #timer: Timer;
  /** null once it has fired or was cancelled. */
  #due: (() => void) | null;

  /** @internal use EventLoop.deadline() */
  constructor(loop: EventLoop, ms: number, due: () => void) {
    const wait = timerMs(ms);
    this.#loop = loop;
    this.#due = due;
    this.#at = loop.clock.now() + wait;
    this.#timer = loop.clock.timer(wait, () => this.#fired());
  }

  #fired(): void {
    if (this.#due === null) return;
    const decide = (): void => {
      const due = this.#due;
      this.#due = null;
      due?.();
    };
    const { clock } = this.#loop;
    if (clock.now() - this.#at < LATE_MS) clock.polled(decide);
    else this.#loop.catchUp(decide);
  }

  /** Cancels the deadline, even if its timer has fired and the loop is reading. Does nothing after it has fired. */
  cancel(): void {
    this.#due = null;
    this.#loop.clock.clear(this.#timer);
  }

  /** Keeps the process alive until the deadline. */
  ref(): this {
    this.#timer.ref();
    return this;
  }

  /** Lets the process end before the deadline. */
  unref(): this {
    this.#timer.unref();
    return this;
  }
}

/** The event loop of a thread. */
export class EventLoop {
  readonly clock: LoopClock;
  #moved = Number.NEGATIVE_INFINITY;
  #moves = 0;
  /** When the loop last polled, as far as known, and its idle time at that moment. */
  #polledAt: number;
  #idleThen: number;
  /** A callback after the next poll is scheduled. */
  #asked = false;
  /** Calls of `late()` left that do not read the clock, and reads of the clock since the last poll. */
  #unlooked = 0;
  #looks = 0;
  #behind = false;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: LoopClock) {
    this.clock = clock;
    this.#polledAt = clock.now();
    this.#idleThen = clock.idle();
  }

  /** Calls `due` after `ms` (clamped to what a timer can wait), once the loop has read what had arrived. */
  deadline(ms: number, due: () => void): Deadline {
    return new Deadline(this, ms, due);
  }

  /** A connection was made or its handshake made a step: more may follow at once. */
  handshakeMoved(): void {
    this.#moved = this.clock.now();
    this.#moves++;
  }

  /**
   * After the loop was busy: lets it read twice, and longer while handshakes make steps, but for at most CATCH_UP_MS. Does
   * not wait for silent connections.
   */
  catchUp(done: () => void): void {
    const { clock } = this;
    const end = clock.now() + CATCH_UP_MS;
    let polls = 0;
    // Count polls without a step as well: elapsed time alone may only mean that the process did not get the processor.
    let moves = this.#moves;
    let quiet = 0;
    const step = (): void => {
      const now = clock.now();
      quiet = moves === this.#moves ? quiet + 1 : 0;
      moves = this.#moves;
      if (++polls >= POLLS && (now >= end || (quiet >= POLLS && now - this.#moved >= QUIET_MS))) done();
      else if (polls < POLLS) clock.polled(step);
      else clock.timer(1, () => clock.polled(step)); // a pause, because peers on this machine need the processor, too
    };
    clock.polled(step);
  }

  /**
   * Whether the program has computed for so long that peers that dialled meanwhile still wait for their handshakes. If so,
   * it starts to catch up, and stays true until that is done. Cheap enough to call for each message: in a loop over many
   * messages, most calls do not read the clock.
   */
  late(): boolean {
    return --this.#unlooked < 0 && this.#look();
  }

  #look(): boolean {
    this.#unlooked = 0;
    if (this.#behind) return true;
    const { clock } = this;
    const past = clock.now() - this.#polledAt;
    if (past >= BUSY_MS && past - (clock.idle() - this.#idleThen) >= BUSY_MS) {
      this.#behind = true;
      this.catchUp(() => this.#caughtUp());
      return true;
    }
    if (++this.#looks > LOOKS) this.#unlooked = 2 ** (this.#looks - LOOKS);
    if (!this.#asked) {
      this.#asked = true;
      clock.polledAnyway(() => {
        this.#asked = false;
        this.#mark();
      });
    }
    return false;
  }

  #caughtUp(): void {
    this.#behind = false;
    this.#mark();
    for (const done of this.#waiting.splice(0)) done();
  }

  #mark(): void {
    if (this.#behind) return;
    this.#polledAt = this.clock.now();
    this.#idleThen = this.clock.idle();
    this.#unlooked = 0;
    this.#looks = 0;
  }

  /** Call only after `late()` returned true. Calls `done` once the loop has caught up. */
  whenCaughtUp(done: () => void): void {
    this.#waiting.push(done);
  }
}
