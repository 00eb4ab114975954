/**
 * The threads of the process that use inproc: a table in shared memory, which the main thread makes and all workers
 * inherit. With it, a new thread knows which threads to ask for names that were bound before.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from "node:worker_threads";

/** How many threads fit into the table. A thread that finds no room is not in it. */
const TABLE_THREADS = 255;

/** Each word is 0 or the number of a thread + 1. Word 0 becomes 1 as soon as a thread has found no room. */
export class ThreadTable {
  readonly #words: Int32Array;

  private constructor(words: Int32Array) {
    this.#words = words;
  }

  /**
   * The table of the process. Undefined in a worker if the main thread had not loaded zwire when it made the worker.
   */
  static find(key: string): ThreadTable | undefined {
    const given = getEnvironmentData(key);
    if (given instanceof Int32Array) return new ThreadTable(given);
    if (!isMainThread) return undefined;
    const words = new Int32Array(new SharedArrayBuffer((1 + TABLE_THREADS) * 4));
    setEnvironmentData(key, words as never);
    return new ThreadTable(words);
  }

  /**
   * Writes this thread into the table. False if it, or once another thread, found no room: then the table is not
   * complete.
   */
  enter(): boolean {
    const words = this.#words;
    for (let i = 1; i < words.length; i++) {
      const word = Atomics.compareExchange(words, i, 0, threadId + 1);
      if (word === 0 || word === threadId + 1) return Atomics.load(words, 0) === 0;
    }
    Atomics.store(words, 0, 1);
    return false;
  }

  /** The other threads in the table. Some may have ended. */
  others(): number[] {
    return [...this.#words.subarray(1)]
      .filter((word) => word !== 0 && word !== threadId + 1)
      .map((word) => word - 1);
  }

  /** Removes a thread that has ended. */
  remove(thread: number): void {
    const at = this.#words.indexOf(thread + 1, 1);
    if (at > 0) Atomics.compareExchange(this.#words, at, thread + 1, 0);
  }
}
