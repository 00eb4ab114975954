/**
 * Which threads of the process use inproc: a table in shared memory, made by the main thread and handed down to all
 * workers. A thread that has it knows whom to ask for names that were bound before.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from "node:worker_threads";

/** Threads that the table has room for. A thread that finds no room counts as unknown. */
const TABLE_THREADS = 255;

/** Threads by number + 1; word 0 is set once there was no room for all. */
export class ThreadTable {
  readonly #words: Int32Array;

  private constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The process's table; undefined in a worker whose main thread had not loaded zwire when the worker was made. */
  static find(key: string): ThreadTable | undefined {
    const given = getEnvironmentData(key);
    if (given instanceof Int32Array) return new ThreadTable(given);
    if (!isMainThread) return undefined;
    const words = new Int32Array(new SharedArrayBuffer((1 + TABLE_THREADS) * 4));
    setEnvironmentData(key, words as never);
    return new ThreadTable(words);
  }

  /** Writes this thread into the table; false when there is, or once was, no room for all. */
  enter(): boolean {
    const words = this.#words;
    for (let i = 1; i < words.length; i++) {
      const word = Atomics.compareExchange(words, i, 0, threadId + 1);
      if (word === 0 || word === threadId + 1) return Atomics.load(words, 0) === 0;
    }
    Atomics.store(words, 0, 1);
    return false;
  }

  /** The other threads that are in it. Some may have ended. */
  others(): number[] {
    return [...this.#words.subarray(1)]
      .filter((word) => word !== 0 && word !== threadId + 1)
      .map((word) => word - 1);
  }

  /** A thread has ended. */
  remove(thread: number): void {
    const at = this.#words.indexOf(thread + 1, 1);
    if (at > 0) Atomics.compareExchange(this.#words, at, thread + 1, 0);
  }
}
