/**
 * Time, turns of the event loop and random numbers for clients and servers: those of the system, or simulated by a test.
 */
import { type Buffer, randomBytes, wallClockMs } from "../base/platform.js";
import { systemRuntime } from "../base/runtime.js";

/** Tells the time and calls back later. */
export interface Clock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /**
   * Calls `due` once after so many milliseconds, clamped to what a timer can wait; the result undoes it. If the event
   * loop was busy, it first reads what has arrived meanwhile. Does not keep the process alive.
   */
  after(milliseconds: number, due: () => void): () => void;
}

/** Everything else that a simulation replaces. */
export interface Environment extends Clock {
  /** Milliseconds since 1970. Somebody may set this clock back. */
  date(): number;
  /** As `after`, but keeps the process alive until then. */
  afterAlive(milliseconds: number, due: () => void): () => void;
  /** Calls `run` when the present call stack is done. */
  nextTick(run: () => void): void;
  /** Calls `run` on a later turn of the event loop, behind the input of that turn. */
  later(run: () => void): void;
  /** Random bytes that a peer cannot predict. */
  randomBytes(count: number): Buffer;
}

export const systemEnvironment: Environment = {
  now: () => systemRuntime.now(),
  date: () => wallClockMs(),
  after(milliseconds, due) {
    const deadline = systemRuntime.loop.deadline(milliseconds, due).unref();
    return () => deadline.cancel();
  },
  afterAlive(milliseconds, due) {
    const deadline = systemRuntime.loop.deadline(milliseconds, due);
    return () => deadline.cancel();
  },
  nextTick: (run) => systemRuntime.nextTick(run),
  later: (run) => systemRuntime.later(run),
  randomBytes: (count) => randomBytes(count),
};
