/** Steps through messages, with options for each wait. */
import { ZmqError } from "../base/errors.js";
import type { Loop } from "../engine/loops.js";

const DONE = { value: undefined, done: true } as const;

export class Messages<M> implements AsyncIterableIterator<M>, Loop {
  readonly #receive: (signal: AbortSignal) => Promise<M>;
  readonly #left = new AbortController();
  /** Whether the program has a message and has not asked for the next. */
  busy = false;

  /** @param receive waits for the next message, until the signal aborts */
  constructor(receive: (signal: AbortSignal) => Promise<M>) {
    this.#receive = receive;
  }

  /** The next message; ends when the socket closes, or the iteration has been left. */
  async next(): Promise<IteratorResult<M, undefined>> {
    const { signal } = this.#left;
    if (signal.aborted) return DONE;
    this.busy = false;
    try {
      const value = await this.#receive(signal);
      this.busy = true;
      return { value, done: false };
    } catch (error) {
      if (signal.aborted || (error instanceof ZmqError && error.code === "EBADF")) return DONE;
      throw error;
    }
  }

  /** A step that waits ends without a message. */
  return(): Promise<IteratorResult<M, undefined>> {
    this.busy = false;
    this.#left.abort();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
