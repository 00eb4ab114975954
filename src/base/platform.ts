/**
 * The only file above the transports that uses the platform: memory, time, turns of the event loop, randomness, warnings.
 * A browser build can replace it by a file with the same exports. It keeps no state.
 */
import { isUtf8 } from "node:buffer";
import { randomBytes, randomInt } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import { isIPv4, isIPv6 } from "node:net";
import { constants, hostname } from "node:os";
import { basename } from "node:path";
import { debuglog, inspect } from "node:util";
import { threadId } from "node:worker_threads";

export { Buffer } from "node:buffer";
export { channel, debuglog, EventEmitter, inspect, isIPv4, isIPv6, isUtf8, randomBytes, randomInt };

/** An error of the system: its `code` is the name of its number, such as `EAGAIN`. */
export type SystemError = NodeJS.ErrnoException;

/** The platform's error numbers by name, such as `EAGAIN`. */
export const errnoNumbers: Readonly<Record<string, number>> = constants.errno;

// The functions below look up the global at each call, because a test may replace it by simulated time.

/** Runs a function when the current call stack is done, before any input or timer. */
export function nextTick(run: () => void): void {
  process.nextTick(run);
}

/** Runs a function on the next turn of the event loop, after its input. */
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

/** Runs a function every `ms` milliseconds. */
export function setInterval(run: () => void, ms: number): NodeJS.Timeout {
  return globalThis.setInterval(run, ms);
}

/** Undoes setInterval. */
export function clearInterval(timer: NodeJS.Timeout | undefined): void {
  globalThis.clearInterval(timer);
}

/** Milliseconds of a monotonic clock. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds since 1970. This clock may be set back. */
export function wallClockMs(): number {
  return Date.now();
}

/** Milliseconds that the event loop has spent idle; 0 on runtimes that do not count them. */
export function idleMs(): number {
  return performance.nodeTiming?.idleTime ?? 0;
}

/** A number from 0 to below 1. Predictable: do not use it for secrets. */
export function random(): number {
  return Math.random();
}

/** Whether failed assertions are thrown as well: in zwire's own tests (ZWIRE_BUGS=throw). */
export function bugsAreThrown(): boolean {
  return process.env.ZWIRE_BUGS === "throw";
}

/** Emits a warning as Node does: on standard error, and to listeners of the process event "warning". */
export function emitWarning(
  text: string | Error,
  options?: { readonly code?: string; readonly detail?: string },
): void {
  if (options === undefined) process.emitWarning(text);
  else process.emitWarning(text, options);
}

/** Calls a function when the event loop is empty. The function may add work, which then runs. */
export function whenLoopEmpty(run: () => void): void {
  process.on("beforeExit", run);
}

/**
 * Node's TLS. It is loaded when it is first needed: that takes several milliseconds, and most programs use none.
 * @throws Error on a runtime that does not have it
 */
export function nodeTls(): typeof import("node:tls") {
  const tls = process.getBuiltinModule?.("node:tls");
  if (tls === undefined) throw new Error("this runtime has no node:tls");
  return tls;
}

/** The user of this process; undefined where the system has none. */
export function userId(): number | undefined {
  return process.geteuid?.();
}

/** Whether another thread can write to this memory. */
export function isSharedMemory(memory: unknown): memory is SharedArrayBuffer {
  return memory instanceof SharedArrayBuffer;
}

/** What this process is called, for those who watch it from outside. */
export function thisProcess(): {
  readonly pid: number;
  readonly thread: number;
  readonly host: string;
  readonly script: string;
  readonly uptime: number;
} {
  return {
    pid: process.pid,
    thread: threadId,
    host: hostname(),
    script: basename(process.argv[1] ?? ""),
    uptime: Math.round(process.uptime() * 1000),
  };
}
