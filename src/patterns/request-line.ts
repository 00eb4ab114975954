/**
 * Whole requests, one after the other: the line in front of a REQ socket's send and receive. Knows neither pipes
 * nor frames; it is handed the two operations, and what abandons a request.
 */
import { Fifo } from "../engine/fifo.js";
import type { CallOptions } from "../engine/turns.js";
import { ZmqError } from "../errors.js";
import type { Message, OutMessage } from "../message.js";

/** What the line works with. */
export interface RequestOperations {
  send(message: OutMessage, options: CallOptions | undefined): Promise<void>;
  receive(options: CallOptions | undefined): Promise<Message>;
  /** The request in hand failed after it was sent. */
  abandon(): void;
}

interface Waiting {
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

  async request(message: OutMessage, options: CallOptions | undefined): Promise<Message> {
    const deadline =
      options?.timeout === undefined || options.timeout < 0 ? Infinity : performance.now() + options.timeout;
    if (this.#busy) await new Promise<void>((resolve) => this.#waiting.push({ begin: resolve }));
    this.#busy = true;
    let sent = false;
    try {
      if (this.#closed !== null) throw this.#closed;
      options?.signal?.throwIfAborted();
      await this.#operations.send(message, remaining(deadline, options));
      sent = true;
      return await this.#operations.receive(remaining(deadline, options));
    } catch (error) {
      if (sent && this.#closed === null) this.#operations.abandon();
      throw error;
    } finally {
      this.#busy = false;
      this.#waiting.shift()?.begin();
    }
  }

  /** Those in line fail with the error when their turn comes, which is now. */
  close(error: Error): void {
    this.#closed = error;
  }
}

function remaining(deadline: number, options: CallOptions | undefined): CallOptions | undefined {
  if (deadline === Infinity) return options;
  const timeout = Math.ceil(deadline - performance.now());
  if (timeout <= 0) throw new ZmqError("EAGAIN");
  return { timeout, signal: options?.signal };
}
