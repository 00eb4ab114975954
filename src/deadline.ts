/**
 * Deadlines on an event loop that may be busy. Timers run before the loop reads: where the program has computed for a
 * second, a deadline of half a second fires although the answer has lain in the kernel for long. So nothing is decided
 * until the loop has read, and where it was late, until handshakes that have begun could go on. The one place for this:
 * whatever ends a wait or a connection after some time asks for a `Deadline` here. Knows no sockets.
 */

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
}

/** The longest wait for what is too long, and none for what is no wait at all. */
export function timerMs(ms: number): number {
  return ms > 0 ? Math.min(ms, LONGEST_MS) : 0;
}

const systemClock: LoopClock = {
  now: () => performance.now(),
  timer: (ms, run) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
  polled: (run) => void setImmediate(run), // immediates run behind the poll, timers before it
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

  constructor(clock: LoopClock) {
    this.clock = clock;
  }

  /** Calls back after `ms` (clamped to what a timer can wait), once the loop has read what came before. */
  deadline(ms: number, due: () => void): Deadline {
    return new Deadline(this, ms, due);
  }

  /** A connection has come, or its handshake has got further: more may follow at once. */
  handshakeMoved(): void {
    this.#moved = this.clock.now();
  }

  /**
   * The loop was busy: let it read, twice, and longer while handshakes go on, but for at most CATCH_UP_MS. A connection
   * that is silent is not waited for.
   */
  catchUp(done: () => void): void {
    const { clock } = this;
    const end = clock.now() + CATCH_UP_MS;
    let polls = 0;
    const step = (): void => {
      const now = clock.now();
      if (++polls >= POLLS && (now >= end || now - this.#moved >= QUIET_MS)) done();
      else if (polls < POLLS) clock.polled(step);
      else clock.timer(1, () => clock.polled(step)); // the peers need the processor, too
    };
    clock.polled(step);
  }
}

/** The event loop of this thread. */
export const eventLoop = new EventLoop(systemClock);
