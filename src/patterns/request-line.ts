/**
 * Runs whole requests one after the other: a queue in front of the send and receive of a REQ socket. Knows neither pipes nor
 * frames; the socket hands in both operations, a way to abandon a request, and time.
 */

import { ZmqError } from "../base/errors.js";
import { Fifo } from "../base/fifo.js";
import { independent, type Message, type OutMessage } from "../base/message.js";
import type { CallOptions, Turns } from "../base/waiting.js";

/** The operations that the line uses. */
export interface RequestOperations {
  send(message: OutMessage, options: CallOptions | undefined): Promise<void>;
  receive(options: CallOptions | undefined): Promise<Message>;
  /** The present request failed after it was sent. */
  abandon(): void;
  /** As Turns.expire. */
  expire: Turns["expire"];
  /** Milliseconds of a clock that never goes back. */
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

  /** Requests in the line, including the present one. */
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
      message = independent(request);
      await this.#turn(options);
    }
    this.#busy = true;
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
    } finally {
      this.#next();
    }
  }

  /** Waits until all earlier requests are done. The line stays busy, so that no other request can come between. */
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
    if (timeout <= 0) throw new ZmqError("EAGAIN");
    return { timeout, signal: options?.signal };
  }
}
