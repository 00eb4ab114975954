/**
 * Runs whole requests one after the other: a queue in front of the send and receive of a REQ socket. A request without a
 * reply is given up, and may be sent again (the Lazy Pirate of the guide of ZeroMQ). Knows neither pipes nor frames; the
 * socket hands in both operations, a way to abandon a request, and time.
 */

import { ZmqError } from "../base/errors.js";
import { Fifo } from "../base/fifo.js";
import { copied, independent, type Message, type OutMessage } from "../base/message.js";
import type { CallOptions, RequestCallOptions, Turns } from "../base/waiting.js";

/** The operations that the line uses. */
export interface RequestOperations {
  send(message: OutMessage, options: CallOptions | undefined): Promise<void>;
  receive(options: CallOptions | undefined): Promise<Message>;
  /** The present request failed after it was sent. */
  abandon(): void;
  readonly turns: Pick<Turns, "expire" | "timedOut">;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

interface Waiting {
  /** False once begun, timed out or aborted. */
  live: boolean;
  begin: () => void;
}

/** Longest wait of a timer: whoever may wait longer has no limit. */
const LONGEST_MS = 2 ** 31 - 1;
/** Timers may fire so much before the clock says that their time has come, and calls begin so much later. */
const EARLY_MS = 1;

export class RequestLine {
  readonly #operations: RequestOperations;
  readonly #waiting = new Fifo<Waiting>();
  #busy = false;
  #closed: Error | null = null;

  constructor(operations: RequestOperations) {
    this.#operations = operations;
  }

  /** Requests in the line, including the present one. */
  get length(): number {
    return this.#waiting.length + (this.#busy ? 1 : 0);
  }

  /** @param options checked; with `retries`, `timeout` is that of each try */
  async request(request: OutMessage, options: RequestCallOptions | undefined): Promise<Message> {
    const { timeout = -1, retries = 0, signal } = options ?? {};
    const limit = timeout < 0 ? Infinity : timeout * (retries + 1);
    const deadline = this.#operations.now() + limit;
    let message = request;
    if (this.#busy || retries > 0) message = independent(request);
    if (this.#busy) await this.#turn(limit > LONGEST_MS ? -1 : limit, signal);
    this.#busy = true;
    try {
      if (retries === 0) return await this.#ask(message, options, deadline);
      return await this.#askAgain(message, { timeout, retries, signal }, deadline);
    } finally {
      this.#next();
    }
  }

  /** One try. */
  async #ask(message: OutMessage, options: CallOptions | undefined, deadline: number): Promise<Message> {
    let sent = false;
    try {
      if (this.#closed !== null) throw this.#closed;
      options?.signal?.throwIfAborted();
      await this.#operations.send(message, this.#remaining(deadline, options));
      sent = true;
      // Even if the time has passed, look once for a reply: this process itself may have been late.
      return await this.#operations.receive(this.#remaining(deadline, options, 1));
    } catch (error) {
      if (sent && this.#closed === null) this.#operations.abandon();
      throw error;
    }
  }

  /** Several tries: as many as have their full time before the deadline, but at least one. */
  async #askAgain(
    message: OutMessage,
    { timeout, retries, signal }: { timeout: number; retries: number; signal: AbortSignal | undefined },
    deadline: number,
  ): Promise<Message> {
    const { turns, now } = this.#operations;
    const began = now();
    const each = Math.min(timeout, deadline - began);
    const most = Math.min(retries + 1, Math.max(1, Math.floor((deadline - began + EARLY_MS) / timeout)));
    // Over inproc the receiver gets our memory, and may change it before the next try.
    const kept = copied(message);
    for (let tries = 1; ; tries++) {
      const end = now() + each;
      try {
        const sent = tries === 1 ? message : copied(kept);
        return await this.#ask(sent, { timeout: each, signal }, end);
      } catch (error) {
        const timedOut = error instanceof ZmqError && error.code === "EAGAIN" && now() + EARLY_MS >= end;
        if (!timedOut || signal?.aborted) throw error;
        if (this.#closed !== null) throw this.#closed;
        if (tries < most) continue;
        const text = `no reply to ${tries} ${tries === 1 ? "try" : "tries"} of ${Math.round(each)} ms`;
        throw turns.timedOut(Math.round(now() - began), text);
      }
    }
  }

  /** Waits until all earlier requests are done. The line stays busy, so that no other request can come between. */
  #turn(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const entry: Waiting = { live: true, begin: resolve };
      const cleanup = this.#operations.turns.expire(timeout, signal, (reason) => {
        if (!entry.live) return;
        entry.live = false;
        reject(reason);
      });
      entry.begin = () => {
        cleanup?.();
        resolve();
      };
      this.#waiting.push(entry);
    });
  }

  /** Begins the next request in line. The line stays busy meanwhile, so that no other request can come between. */
  #next(): void {
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      if (!entry.live) continue;
      entry.live = false;
      entry.begin();
      return;
    }
    this.#busy = false;
  }

  /** From now on, each request fails with the error when its turn comes. */
  close(error: Error): void {
    this.#closed = error;
  }

  #remaining(deadline: number, options: CallOptions | undefined, least = 0): CallOptions | undefined {
    if (deadline === Infinity) return options;
    const timeout = Math.max(least, Math.ceil(deadline - this.#operations.now()));
    if (timeout <= 0) throw this.#operations.turns.timedOut(options?.timeout ?? 0);
    return { timeout, signal: options?.signal };
  }
}
