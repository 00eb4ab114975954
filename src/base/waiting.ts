/**
 * What the queues need of time, handed in by the socket so that the engine knows no clock and tests can simulate
 * one: the next turn of the event loop, and an end to waiting.
 */

/** Settle on a later turn after this many operations that did not wait (fairness to timers and other sockets). */
export const OPERATIONS_PER_TURN = 512;

/**
 * So many bytes count as one more operation: a turn takes no more than 4 MiB of large messages. A sender whose peer
 * keeps up is never stopped by the kernel: with 1 MiB messages its timers waited for 512 of them.
 */
export const BYTES_PER_OPERATION = 8192;

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds to wait; -1 for ever, 0 not at all. Default: the socket's sendTimeout or receiveTimeout. */
  readonly timeout?: number;
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Checks the options of one call.
 * @throws TypeError or RangeError naming the field
 */
export function checkCallOptions(options: CallOptions | undefined): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  const { timeout, signal } = options;
  if (timeout !== undefined) {
    if (typeof timeout !== "number") throw new TypeError(`timeout must be a number; got ${typeof timeout}`);
    if (!(timeout >= -1 && timeout <= 0x7fffffff)) {
      throw new RangeError(`timeout must be from -1 to 2147483647 ms; got ${timeout}`);
    }
  }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError("signal must be an AbortSignal");
}

export interface Turns {
  /** Resolves on a later turn of the event loop. */
  nextTurn(): Promise<void>;
  /** Runs a function on a later turn of the event loop. */
  defer(run: () => void): void;
  /** Whether the event loop has stood still for so long that peers who dialled meanwhile are still to be let in. */
  late(): boolean;
  /** After `late()` said so: calls back once they are. */
  whenCaughtUp(done: () => void): void;
  /**
   * Calls `expired` with an EAGAIN error after `timeoutMs` (-1: never) or with the signal's reason on abort.
   * @returns undoes both; null when there is nothing to undo
   */
  expire(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    expired: (reason: unknown) => void,
  ): (() => void) | null;
}
