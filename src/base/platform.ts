/**
 * The one place where the rooms above the transports meet the platform they run on: memory, time, turns of the event
 * loop, randomness, warnings. A browser gets another file with the same exports. Nothing here keeps state.
 */
import { isUtf8 } from "node:buffer";
import { randomBytes, randomInt } from "node:crypto";
import { EventEmitter } from "node:events";
import { isIPv4, isIPv6 } from "node:net";
import { constants } from "node:os";
import { debuglog, inspect } from "node:util";

export { Buffer } from "node:buffer";
export { debuglog, EventEmitter, inspect, isIPv4, isIPv6, isUtf8, randomBytes, randomInt };

/** Numbers of the platform's errors by their names, such as `EAGAIN`. */
export const errnoNumbers: Readonly<Record<string, number>> = constants.errno;

// Looked up at each call: a test may put simulated time in their place.

/** Runs a function when the present call stack is done, before any input or timer. */
export function nextTick(run: () => void): void {
  process.nextTick(run);
}

/** Runs a function on the next turn of the event loop, behind its input. */
export function setImmediate(run: () => void): NodeJS.Immediate {
  return globalThis.setImmediate(run);
}

/** Runs a function after a number of milliseconds. */
export function setTimeout(run: () => void, ms: number): NodeJS.Timeout {
  return globalThis.setTimeout(run, ms);
}

/** Undoes setTimeout. */
export function clearTimeout(timer: NodeJS.Timeout | undefined): void {
  globalThis.clearTimeout(timer);
}

/** Runs a function every so many milliseconds. */
export function setInterval(run: () => void, ms: number): NodeJS.Timeout {
  return globalThis.setInterval(run, ms);
}

/** Undoes setInterval. */
export function clearInterval(timer: NodeJS.Timeout | undefined): void {
  globalThis.clearInterval(timer);
}

/** Milliseconds by a clock that only goes forward. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since 1970, by a clock that somebody may set back. */
export function wallClockMs(): number {
  return Date.now();
}

/** Milliseconds that the event loop has spent with nothing to do; 0 where nobody counts them. */
export function idleMs(): number {
  return performance.nodeTiming?.idleTime ?? 0;
}

/** A number from 0 to below 1 that nobody needs to be unable to foresee. */
export function random(): number {
  return Math.random();
}

/** Whether failed assertions are thrown as well: in zwire's own tests (ZWIRE_BUGS=throw). */
export function bugsAreThrown(): boolean {
  return process.env.ZWIRE_BUGS === "throw";
}

/** Warns the program, as Node does: on standard error, and to who listens to "warning". */
export function emitWarning(
  text: string | Error,
  options?: { readonly code?: string; readonly detail?: string },
): void {
  if (options === undefined) process.emitWarning(text);
  else process.emitWarning(text, options);
}

/** Calls a function when the event loop has run empty; work that it adds goes on. */
export function whenLoopEmpty(run: () => void): void {
  process.on("beforeExit", run);
}
