/**
 * How operations wait: the options of a call (timeout, signal), and the turns of the event loop on which waits continue.
 * The socket passes a `Turns` to its queues, so that the engine uses no clock itself and tests can simulate one.
 */
import { type Call, from } from "./caller.js";
import type { ZmqError } from "./errors.js";
import { meant } from "./nearest.js";

/**
 * After so many operations that did not wait, the next settles on a later turn of the event loop. Otherwise a loop of
 * operations would starve timers and other sockets.
 */
export const OPERATIONS_PER_TURN = 512;

/**
 * So many bytes count as one more operation, so that a turn takes at most 4 MiB of large messages. If the peer keeps up,
 * the kernel never makes the sender wait: with 1 MiB messages, timers would otherwise wait for 512 of them.
 */
export const BYTES_PER_OPERATION = 8192;

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds to wait; -1 waits without limit, 0 not at all. Default: the socket's sendTimeout or receiveTimeout. */
  readonly timeout?: number;
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What any call that waits may be given. */
const WAITING: readonly string[] = ["timeout", "signal"];

/**
 * Checks the options of one call.
 * @param call the method that was given them: the stack of an error begins at its caller
 * @param more names of options that the call has beside those of CallOptions
 * @throws TypeError or RangeError naming the field
 */
export function checkCallOptions(
  options: CallOptions | undefined,
  call: Call,
  more: readonly string[] = [],
): void {
  if (options === undefined) return;
  checkNames(options, call, more.length === 0 ? WAITING : [...more, ...WAITING]);
  const { timeout, signal } = options;
  if (timeout !== undefined) {
    if (typeof timeout !== "number")
      throw from(call, new TypeError(`timeout must be a number; got ${typeof timeout}`));
    if (!(timeout >= -1 && timeout <= 0x7fffffff))
      throw from(call, new RangeError(`timeout must be from -1 to 2147483647 ms; got ${timeout}`));
  }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw from(call, new TypeError("signal must be an AbortSignal"));
}

/**
 * Refuses options that a call does not have: a misspelt one would be ignored.
 * @throws TypeError with the name that was meant
 */
export function checkNames(options: object, call: Call, names: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw from(call, new TypeError("options must be an object"));
  for (const name in options) {
    if (names.includes(name)) continue;
    const advice = meant(name, names) || `; it has ${names.join(", ")}`;
    throw from(call, new TypeError(`${call.name}() has no option "${name}"${advice}`));
  }
}

/** Options of a call that asks and waits for the answer. */
export interface RequestCallOptions extends CallOptions {
  /**
   * How often to send the request again if no reply has come within `timeout`, which then is that of each try: 0 to
   * 2147483647, or Infinity. Default 0.
   */
  readonly retries?: number;
}

/**
 * Checks the options of a call that asks.
 * @param otherwise the milliseconds that a try has without `timeout`; -1 for no limit
 * @throws TypeError or RangeError naming the field
 */
export function checkRequestOptions(
  options: RequestCallOptions | undefined,
  otherwise: number,
  call: Call,
): void {
  checkCallOptions(options, call, ["retries"]);
  const { retries = 0, timeout = otherwise } = options ?? {};
  if (typeof retries !== "number") throw new TypeError(`retries must be a number; got ${typeof retries}`);
  const whole = Number.isInteger(retries) && retries >= 0 && retries <= 0x7fffffff;
  if (!whole && retries !== Number.POSITIVE_INFINITY) {
    throw new RangeError(`retries must be an integer from 0 to 2147483647, or Infinity; got ${retries}`);
  }
  if (retries > 0 && timeout <= 0) {
    throw new RangeError(`retries need a timeout of at least 1 ms for each try; got ${timeout}`);
  }
}

export interface Turns {
  /** Resolves on a later turn of the event loop. */
  nextTurn(): Promise<void>;
  /** Runs a function on a later turn of the event loop. */
  defer(run: () => void): void;
  /** Whether the program has computed for so long that peers that dialled meanwhile still wait for their handshakes. */
  late(): boolean;
  /** Call only after `late()` returned true. Calls `done` once the event loop has caught up. */
  whenCaughtUp(done: () => void): void;
  /**
   * Calls `expired` with an EAGAIN error after `timeoutMs` (-1: never) or with the signal's reason on abort.
   * @returns a function that undoes both; null when there is nothing to undo
   */
  expire(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    expired: (reason: unknown) => void,
  ): (() => void) | null;
  /**
   * The EAGAIN error of a wait that took so many milliseconds.
   * @param before what its text says first
   */
  timedOut(timeoutMs: number, before?: string): ZmqError;
}
