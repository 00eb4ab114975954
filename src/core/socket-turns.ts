/**
 * Implements Turns for the queues of a socket: turns of the event loop, timeouts and abort signals. Tests of the engine use
 * another implementation, with simulated time.
 */

import { ZmqError } from "../base/errors.js";
import type { Runtime } from "../base/runtime.js";
import type { Turns } from "../base/waiting.js";

interface Signalled {
  readonly waiting: Set<() => void>;
  readonly listener: () => void;
}

export class SocketTurns implements Turns {
  /** The runtime of the socket's context. */
  runtime: Runtime;
  /** The last error of a connect, which becomes the cause of a timeout's error. */
  lastFailure: Error | undefined;
  /** Adds to the error of a wait that took so many milliseconds; null for libzmq's text alone. */
  describe: ((ms: number) => string | undefined) | null = null;
  /** Called with 1 when an operation begins to wait, and with -1 when it ends. */
  onWait: ((change: 1 | -1) => void) | null = null;
  readonly #waited = (): void => this.onWait?.(-1);
  readonly #signals = new Map<AbortSignal, Signalled>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** All operations that wait for the next turn share one promise, across sockets. */
  nextTurn(): Promise<void> {
    return this.runtime.nextTurn();
  }

  defer(run: () => void): void {
    this.runtime.later(run);
  }

  late(): boolean {
    return this.runtime.loop.late();
  }

  whenCaughtUp(done: () => void): void {
    this.runtime.loop.whenCaughtUp(done);
  }

  expire(
    ms: number,
    signal: AbortSignal | undefined,
    expired: (reason: unknown) => void,
  ): (() => void) | null {
    this.onWait?.(1);
    if (ms < 0 && signal === undefined) return this.onWait === null ? null : this.#waited;
    const end = (reason: unknown): void => {
      cleanup();
      expired(reason);
    };
    const late = (): void => end(this.timedOut(ms));
    const deadline = ms >= 0 ? this.runtime.loop.deadline(ms, late) : undefined;
    const unsubscribe = signal === undefined ? null : this.#onAbort(signal, () => end(signal.reason));
    const cleanup = (): void => {
      deadline?.cancel();
      unsubscribe?.();
      this.#waited();
    };
    return cleanup;
  }

  timedOut(ms: number, before?: string): ZmqError {
    const texts = [before, this.describe?.(ms)].filter((text) => text !== undefined);
    const detail = texts.length === 0 ? undefined : texts.join(": ");
    return new ZmqError("EAGAIN", { cause: this.lastFailure, detail });
  }

  /** One listener per signal, because a program may pass the same signal to many operations. */
  #onAbort(signal: AbortSignal, aborted: () => void): () => void {
    let entry = this.#signals.get(signal);
    if (entry === undefined) {
      const waiting = new Set<() => void>();
      const listener = (): void => {
        for (const one of [...waiting]) one();
      };
      entry = { waiting, listener };
      this.#signals.set(signal, entry);
      signal.addEventListener("abort", listener, { once: true });
    }
    const { waiting, listener } = entry;
    waiting.add(aborted);
    return () => {
      waiting.delete(aborted);
      if (waiting.size > 0) return;
      this.#signals.delete(signal);
      signal.removeEventListener("abort", listener);
    };
  }
}
