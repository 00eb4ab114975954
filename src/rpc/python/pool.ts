/**
 * Python workers, and a client that distributes calls to them.
 */
import { EventEmitter } from "node:events";
import { rm } from "node:fs/promises";
import { Client } from "../client/client.js";
import type { Environment } from "../clock.js";
import type { Remote, RemoteControl } from "../types.js";
import { PythonError } from "./command.js";
import {
  KILL_TIMEOUT,
  type PythonExit,
  type PythonOptions,
  type PythonWorker,
  READY_TIMEOUT,
} from "./options.js";
import type { PythonEnd } from "./process.js";
import type { Worker } from "./worker.js";

interface PythonEvents {
  /** A worker ended although the pool was not closed. */
  exit: [PythonExit];
  /** A worker was restarted, and answers calls. */
  restart: [PythonWorker];
  /** The last worker has ended and is not restarted. From now on, calls reject with LostRemote. */
  gone: [PythonError];
}

/** Python workers and the client that calls them. Made by `spawnPython`. */
// biome-ignore lint/suspicious/noExplicitAny: without types of the service its methods are anything
export class PythonPool<A = any> extends EventEmitter<PythonEvents> {
  /** The functions of the workers: `await pool.api.add(1, 2)`. */
  readonly api: Remote<A> & RemoteControl<Client>;
  readonly #workers: Worker[];
  readonly #folder: string;
  readonly #options: PythonOptions;
  readonly #environment: Environment;
  readonly #waits = new Set<AbortController>();
  #closing: Promise<void> | undefined;

  /** @internal @throws TypeError or RangeError for wrong options of the client */
  constructor(workers: Worker[], folder: string, options: PythonOptions, environment: Environment) {
    super();
    this.#environment = environment;
    this.#workers = workers;
    this.#folder = folder;
    this.#options = options;
    const endpoints = workers.map((worker) => worker.endpoint);
    this.api = new Client(endpoints, options.client).api<A>();
    for (const worker of workers) this.#keep(worker);
  }

  /** The current state of the workers. */
  get workers(): PythonWorker[] {
    return this.#workers.map((worker) => worker.view());
  }

  /**
   * Closes the client, ends the processes (SIGTERM, then SIGKILL after `killTimeout`) and removes their files. Pending
   * calls reject with LostRemote. May be called again: it returns the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const wait of this.#waits) wait.abort();
    await this.api.$close();
    const { killTimeout = KILL_TIMEOUT } = this.#options;
    await Promise.all(this.#workers.map((worker) => worker.stop(killTimeout)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Restarts a worker each time it ends, until its restarts are used up or the pool closes. */
  async #keep(worker: Worker): Promise<void> {
    const { restart = false, readyTimeout = READY_TIMEOUT, killTimeout = KILL_TIMEOUT } = this.#options;
    for (;;) {
      const { pid } = worker;
      const end = await worker.process!.ended;
      if (this.#closing !== undefined) return;
      const delay = worker.ended(restart);
      this.emit("exit", { ...end, worker: worker.index, pid, restarting: delay !== null });
      if (delay === null) return this.#giveUp(worker, end);
      await this.#wait(delay);
      if (this.#closing !== undefined) return;
      try {
        await worker.startAgain(readyTimeout, killTimeout);
      } catch (error) {
        if (!(error instanceof PythonError)) throw error;
        continue; // the new process has ended, too: go on with its end
      }
      if (this.#closing === undefined) this.emit("restart", worker.view());
    }
  }

  async #giveUp(worker: Worker, end: PythonEnd): Promise<void> {
    if (this.#workers.some((other) => other.state !== "gone")) return;
    const error = worker.lastEnd(end);
    await this.api.$close();
    this.emit("gone", error);
  }

  /** Waits, but ends early when the pool closes. */
  #wait(milliseconds: number): Promise<void> {
    const stop = new AbortController();
    this.#waits.add(stop);
    return new Promise((resolve) => {
      const over = (): void => {
        cancel();
        this.#waits.delete(stop);
        resolve();
      };
      const cancel = this.#environment.afterAlive(milliseconds, over);
      stop.signal.addEventListener("abort", over);
    });
  }
}
