/**
 * Time as a socket's queues see it: turns of the event loop, timeouts and abort signals. The one implementation of
 * what the engine is handed; tests hand it simulated time instead.
 */

import { ZmqError } from "../base/errors.js";
import type { Runtime } from "../base/runtime.js";
import type { Turns } from "../base/waiting.js";

interface Signalled {
  readonly waiting: Set<() => void>;
  readonly listener: () => void;
}

export class SocketTurns implements Turns {
  /** Of the socket's context. */
  runtime: Runtime;
  /** The last failure to connect: the cause given to what times out. */
  lastFailure: Error | undefined;
  /** Told 1 when an operation begins to wait and -1 when it no longer does. */
  onWait: ((change: 1 | -1) => void) | null = null;
  readonly #waited = (): void => this.onWait?.(-1);
  readonly #signals = new Map<AbortSignal, Signalled>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** One promise for all who wait for the next turn, of whatever socket. */
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
    const late = (): void => end(new ZmqError("EAGAIN", { cause: this.lastFailure }));
    const deadline = ms >= 0 ? this.runtime.loop.deadline(ms, late) : undefined;
    const unsubscribe = signal === undefined ? null : this.#onAbort(signal, () => end(signal.reason));
    const cleanup = (): void => {
      deadline?.cancel();
      unsubscribe?.();
      this.#waited();
    };
    return cleanup;
  }

  /** One listener per signal, however many operations wait with it: a program may pass one signal to everything. */
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
