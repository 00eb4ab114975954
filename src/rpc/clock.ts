/**
 * The time, as clients and servers are handed it: the system's, or a test's own.
 */

import { systemRuntime } from "../base/runtime.js";

/** Tells the time and calls back later. */
export interface Clock {
  /** Milliseconds of some monotonic clock. */
  now(): number;
  /**
   * Call `due` after so many milliseconds, clamped to what a timer can wait, once; the result undoes it. Where the event loop
   * was busy it reads first what has come meanwhile. Does not keep the process alive.
   */
  after(milliseconds: number, due: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => systemRuntime.now(),
  after(milliseconds, due) {
    const deadline = systemRuntime.loop.deadline(milliseconds, due).unref();
    return () => deadline.cancel();
  },
};
