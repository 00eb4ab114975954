/**
 * The time, as clients and servers are handed it: the system's, or a test's own.
 */

/** Tells the time and calls back later. */
export interface Clock {
  /** Milliseconds of some monotonic clock. */
  now(): number;
  /**
   * Call `due` after so many milliseconds, once; the result undoes it.
   * @param keepAlive whether the process stays alive for it; it does not by default
   */
  after(milliseconds: number, due: () => void, keepAlive?: boolean): () => void;
}

/** Longest time that a timer of Node can wait. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, due, keepAlive = false) {
    const timer = setTimeout(due, Math.min(milliseconds, LONGEST));
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};
