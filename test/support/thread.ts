/**
 * A worker thread with zwire sockets that a test drives by name; see children/inproc-worker.mjs.
 */
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";
import { childPath } from "./child.js";

/** A thread and what is asked of it. */
export class Thread {
  readonly worker: Worker;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  /** What ended it, if it was an error. */
  error: Error | undefined;
  readonly #answers = new Map<number, (answer: { result?: unknown; error?: string }) => void>();
  #asked = 0;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.on("error", (error) => {
      this.error = error as Error;
    });
    worker.on("message", ({ id, ...answer }) => {
      this.#answers.get(id)?.(answer);
      this.#answers.delete(id);
    });
    this.ended = new Promise((resolve) => worker.once("exit", resolve));
    void this.ended.then((code) => {
      for (const answer of this.#answers.values())
        answer({ error: `the thread ended (${code}): ${this.error}` });
    });
  }

  /** Does a task there. Rejects with an Error whose message is the error's code. */
  ask(task: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result);
        else reject(Object.assign(new Error(error), { code: error }));
      });
      this.worker.postMessage({ id, task, args });
    });
  }
}

/** Starts a thread; it is terminated when the test ends. */
export function startThread(): Thread {
  const worker = new Worker(childPath("inproc-worker.mjs"));
  onTestFinished(async () => {
    await worker.terminate();
  });
  return new Thread(worker);
}
