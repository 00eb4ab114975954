/**
 * Deadlines on an event loop that may be busy. Timers run before the loop reads: where the program has computed for a
 * second, a deadline of half a second fires although the answer has lain in the kernel for long. So nothing is decided
 * until the loop has read, and where it was late, until handshakes that have begun could go on. The one place for this:
 * whatever ends a wait or a connection after some time asks for a `Deadline` here. Knows no sockets.
 */
import { clearTimeout, idleMs, monotonicMs, setImmediate, setTimeout } from "./platform.js";

/** Longest wait of a timer; Node fires at once what is to wait longer. */
export const LONGEST_MS = 2 ** 31 - 1;

/** A deadline that fires so much later than it was due says that the loop was busy. */
const LATE_MS = 5;
/** Polls that a busy loop owes those who wait: one to read what has come, and one for what answers to that. */
const POLLS = 2;
/** A handshake that moved so lately may be over soon: the peer answers, or tells its subscriptions. */
const QUIET_MS = 20;
/** However much is going on, nobody waits longer for it. */
const CATCH_UP_MS = 100;
/** A program that computes for so long in one go keeps peers waiting who dial meanwhile. */
const BUSY_MS = 50;
/** So many questions of a turn are answered by the clock, and then ever fewer of them. */
const LOOKS = 4;

/** A timer that is running. */
export interface Timer {
  ref(): void;
  unref(): void;
}

/** Time and turns of an event loop: the system's, or a test's own. */
export interface LoopClock {
  /** Milliseconds of some monotonic clock. */
  now(): number;
  /** Call a function after `ms`, at most LONGEST_MS. */
  timer(ms: number, run: () => void): Timer;
  /** Undo `timer`. */
  clear(timer: Timer): void;
  /** Call a function when the loop has polled for I/O, and told of all that it found. */
  polled(run: () => void): void;
  /** As `polled`, and the process does not stay alive for it. */
  polledAnyway(run: () => void): void;
  /** Milliseconds that the loop has spent with nothing to do. */
  idle(): number;
}

/** The longest wait for what is too long, and none for what is no wait at all. */
export function timerMs(ms: number): number {
  return ms > 0 ? Math.min(ms, LONGEST_MS) : 0;
}

/** The platform's. */
export const systemClock: LoopClock = {
  now: () => monotonicMs(),
  timer: (ms, run) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
  polled: (run) => void setImmediate(run), // immediates run behind the poll, timers before it
  polledAnyway: (run) => void setImmediate(run).unref(),
  idle: () => idleMs(), // where nobody counts, the program counts as busy
};

/** One deadline. It keeps the process alive until it has come or was cancelled, unless `unref()`ed. */
export class Deadline {
  readonly #loop: EventLoop;
  readonly #at: number;
  readonly #timer: Timer;
  /** null once it has come, or was cancelled. */
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

  /** It will not come, also where its timer has fired and the loop reads. Nothing happens when it has come. */
  cancel(): void {
    this.#due = null;
    this.#loop.clock.clear(this.#timer);
  }

  /** Keep the process alive until then. */
  ref(): this {
    this.#timer.ref();
    return this;
  }

  /** Let the process end before. */
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
  /** When the loop is known to have polled, and how long it had been idle by then. */
  #polledAt: number;
  #idleThen: number;
  /** Somebody is to tell when it polls next. */
  #asked = false;
  /** Questions that need no look at the clock, and looks since the last poll. */
  #unlooked = 0;
  #looks = 0;
  #behind = false;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: LoopClock) {
    this.clock = clock;
    this.#polledAt = clock.now();
    this.#idleThen = clock.idle();
  }

  /** Calls back after `ms` (clamped to what a timer can wait), once the loop has read what came before. */
  deadline(ms: number, due: () => void): Deadline {
    return new Deadline(this, ms, due);
  }

  /** A connection has come, or its handshake has got further: more may follow at once. */
  handshakeMoved(): void {
    this.#moved = this.clock.now();
    this.#moves++;
  }

  /**
   * The loop was busy: let it read, twice, and longer while handshakes go on, but for at most CATCH_UP_MS. A connection
   * that is silent is not waited for.
   */
  catchUp(done: () => void): void {
    const { clock } = this;
    const end = clock.now() + CATCH_UP_MS;
    let polls = 0;
    // Time alone does not tell of quiet: the process may have been off the processor since the last of it.
    let moves = this.#moves;
    let quiet = 0;
    const step = (): void => {
      const now = clock.now();
      quiet = moves === this.#moves ? quiet + 1 : 0;
      moves = this.#moves;
      if (++polls >= POLLS && (now >= end || (quiet >= POLLS && now - this.#moved >= QUIET_MS))) done();
      else if (polls < POLLS) clock.polled(step);
      else clock.timer(1, () => clock.polled(step)); // the peers need the processor, too
    };
    clock.polled(step);
  }

  /**
   * Whether the program has computed for so long that peers who dialled meanwhile are still to be let in. It catches up
   * from then on, and the answer stays the same until it has. Cheap enough to be asked for each message: once a loop over
   * many runs, the clock is not looked at for each.
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

  /** After `late()` said so: call back once it is late no more. */
  whenCaughtUp(done: () => void): void {
    this.#waiting.push(done);
  }
}
