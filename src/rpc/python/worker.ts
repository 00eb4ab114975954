/**
 * One Python worker: its process, and the next process when that has ended.
 */
import { type NamedTable, rowOf } from "../../base/machine.js";
import { Client } from "../client/client.js";
import type { Environment } from "../clock.js";
import { PythonError } from "./command.js";
import type { PythonRestart, PythonWorker } from "./options.js";
import { endedEarly, type PythonCommand, type PythonEnd, PythonProcess } from "./process.js";

type WorkerState = PythonWorker["state"];
/** `ended`: it will be started again. `gone`: it will not. */
type WorkerEvent = "answered" | "ended" | "gone" | "again";

const TABLE: NamedTable<WorkerState, WorkerEvent, never> = {
  starting: {
    answered: ["ready"],
    ended: ["waiting"],
    gone: ["gone"],
  },
  ready: {
    ended: ["waiting"],
    gone: ["gone"],
  },
  waiting: {
    again: ["starting"],
    gone: ["gone"],
  },
  // The pool may close while a restart is under way.
  gone: {
    answered: ["gone"],
    gone: ["gone"],
  },
};

export class Worker implements PythonWorker {
  readonly index: number;
  restarts = 0;
  process: PythonProcess | undefined;
  readonly #command: PythonCommand;
  readonly #environment: Environment;
  #state: WorkerState = "starting";
  /** Times of its latest restarts. */
  #recent: number[] = [];

  constructor(index: number, command: PythonCommand, environment: Environment) {
    this.index = index;
    this.#command = command;
    this.#environment = environment;
  }

  get state(): WorkerState {
    return this.#state;
  }

  get endpoint(): string {
    return this.#command.endpoint;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  #step(event: WorkerEvent): void {
    [this.#state] = rowOf(TABLE, this.#state, event);
  }

  /**
   * Starts a process and waits until it answers a ping.
   * @throws PythonError if it ends before, or is not ready in time: then nothing of it is left
   */
  async start(timeout: number, killTimeout: number): Promise<void> {
    const started = new PythonProcess(this.#command, this.#environment);
    this.process = started;
    const probe = new Client(this.endpoint, { timeout });
    try {
      const answered = probe.call("_zerorpc_ping");
      const first = await Promise.race([answered.then(() => null), started.ended]);
      if (first !== null) {
        answered.cancel();
        answered.catch(() => {}); // the error below tells of it
        throw endedEarly(this.#command.script, first, "before it answered");
      }
      this.#step("answered");
    } catch (error) {
      await started.stop(killTimeout);
      if (error instanceof PythonError) throw error;
      const text = `${this.#command.script} did not answer within ${timeout} ms. It must serve on the endpoint in the environment variable ZWIRE_RPC_ENDPOINT (with zwire_rpc: server.run() without an endpoint). If it needs more time, set the option readyTimeout`;
      throw new PythonError("ENOTREADY", text, started.stderr, { cause: error });
    } finally {
      await probe.close();
    }
  }

  /** As `start`, after an end and the delay that follows it. */
  startAgain(timeout: number, killTimeout: number): Promise<void> {
    this.#step("again");
    this.restarts++;
    this.#recent.push(this.#environment.now());
    return this.start(timeout, killTimeout);
  }

  /** The process has ended. Returns the milliseconds to wait before the next start, or null if there is none. */
  ended(restart: boolean | PythonRestart): number | null {
    const delay = restart === false ? null : this.#delay(restart === true ? {} : restart);
    this.#step(delay === null ? "gone" : "ended");
    return delay;
  }

  #delay({ max = 5, window = 60_000, delay = 100, maxDelay = 5000 }: PythonRestart): number | null {
    const since = this.#environment.now() - window;
    this.#recent = this.#recent.filter((time) => time > since);
    if (this.#recent.length >= max) return null;
    return Math.min(maxDelay, delay * 2 ** this.#recent.length);
  }

  /** Ends the process for good. */
  async stop(killTimeout: number): Promise<void> {
    await this.process?.stop(killTimeout);
    this.#step("gone");
  }

  /** The worker as it is now. */
  view(): PythonWorker {
    const { index, pid, state, restarts, endpoint } = this;
    return { index, pid, state, restarts, endpoint };
  }

  /** The error when no worker is left and this was the last one. */
  lastEnd(end: PythonEnd): PythonError {
    return endedEarly(`worker ${this.index}`, end, "and no worker is left");
  }
}
