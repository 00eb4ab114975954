/** Steps through messages, with options for each wait. */
import { ZmqError } from "../base/errors.js";

const DONE = { value: undefined, done: true } as const;

export class Messages<M> implements AsyncIterableIterator<M> {
  readonly #receive: (signal: AbortSignal) => Promise<M>;
  readonly #left = new AbortController();

  /** @param receive waits for the next message, until the signal aborts */
  constructor(receive: (signal: AbortSignal) => Promise<M>) {
    this.#receive = receive;
  }

  /** The next message; ends when the socket closes, or the iteration has been left. */
  async next(): Promise<IteratorResult<M, undefined>> {
    const { signal } = this.#left;
    if (signal.aborted) return DONE;
    try {
      return { value: await this.#receive(signal), done: false };
    } catch (error) {
      if (signal.aborted || (error instanceof ZmqError && error.code === "EBADF")) return DONE;
      throw error;
    }
  }

  /** A step that waits ends without a message. */
  return(): Promise<IteratorResult<M, undefined>> {
    this.#left.abort();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
