/**
 * Whole requests, one after the other: the line in front of a REQ socket's send and receive. Knows neither pipes
 * nor frames; it is handed the two operations, what abandons a request, and time.
 */

import { ZmqError } from "../base/errors.js";
import { Fifo } from "../base/fifo.js";
import { type Message, type OutMessage, unshared } from "../base/message.js";
import type { CallOptions, Turns } from "../base/waiting.js";

/** What the line works with. */
export interface RequestOperations {
  send(message: OutMessage, options: CallOptions | undefined): Promise<void>;
  receive(options: CallOptions | undefined): Promise<Message>;
  /** The request in hand failed after it was sent. */
  abandon(): void;
  /** As Turns.expire. */
  expire: Turns["expire"];
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
}

interface Waiting {
  /** False once begun, timed out or aborted. */
  live: boolean;
  begin: () => void;
}

export class RequestLine {
  readonly #operations: RequestOperations;
  readonly #waiting = new Fifo<Waiting>();
  #busy = false;
  #closed: Error | null = null;

  constructor(operations: RequestOperations) {
    this.#operations = operations;
  }

  /** Requests in line, the one in hand included. */
  get length(): number {
    return this.#waiting.length + (this.#busy ? 1 : 0);
  }

  async request(request: OutMessage, options: CallOptions | undefined): Promise<Message> {
    const deadline =
      options?.timeout === undefined || options.timeout < 0
        ? Infinity
        : this.#operations.now() + options.timeout;
    let message = request;
    if (this.#busy) {
      message = unshared(request);
      await this.#turn(options);
    }
    this.#busy = true;
    let sent = false;
    try {
      if (this.#closed !== null) throw this.#closed;
      options?.signal?.throwIfAborted();
      await this.#operations.send(message, this.#remaining(deadline, options));
      sent = true;
      // Late through our own doing, perhaps: what lies unread is looked at once.
      return await this.#operations.receive(this.#remaining(deadline, options, 1));
    } catch (error) {
      if (sent && this.#closed === null) this.#operations.abandon();
      throw error;
    } finally {
      this.#next();
    }
  }

  /** Waits until those before are done; the line is busy then. */
  #turn(options: CallOptions | undefined): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const entry: Waiting = { live: true, begin: resolve };
      const cleanup = this.#operations.expire(options?.timeout ?? -1, signal, (reason) => {
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

  /** Hands the line over: it stays busy meanwhile, so that nobody gets between. */
  #next(): void {
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      if (!entry.live) continue;
      entry.live = false;
      entry.begin();
      return;
    }
    this.#busy = false;
  }

  /** Those in line fail with the error when their turn comes, which is now. */
  close(error: Error): void {
    this.#closed = error;
  }

  #remaining(deadline: number, options: CallOptions | undefined, least = 0): CallOptions | undefined {
    if (deadline === Infinity) return options;
    const timeout = Math.max(least, Math.ceil(deadline - this.#operations.now()));
    if (timeout <= 0) throw new ZmqError("EAGAIN");
    return { timeout, signal: options?.signal };
  }
}
