/**
 * The time, as clients and servers are handed it: the system's, or a test's own.
 */

/** Tells the time and calls back later. */
export interface Clock {
  /** Milliseconds of some monotonic clock. */
  now(): number;
  /** Call `due` after so many milliseconds, once; the result undoes it. Does not keep the process alive. */
  after(milliseconds: number, due: () => void): () => void;
}

/** Longest time that a timer of Node can wait. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, due) {
    const timer = setTimeout(due, Math.min(milliseconds, LONGEST));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
