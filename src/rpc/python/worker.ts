/**
 * One Python worker: its process, and the next process after that one has ended.
 */
import { type NamedTable, rowOf } from "../../base/machine.js";
import { Client } from "../client/client.js";
import type { Environment } from "../clock.js";
import { PythonError } from "./command.js";
import type { PythonRestart, PythonWorker } from "./options.js";
import { endedEarly, type PythonCommand, type PythonEnd, PythonProcess } from "./process.js";

type WorkerState = PythonWorker["state"];
/** `ended`: the process has ended, and another one will be started. `gone`: no other one will be. */
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
  // "answered" may come late, because the pool may close during a restart.
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
  /** When its recent restarts were. */
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
   * @throws PythonError if it ends before, or does not answer in time; the process has ended then
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
        answered.catch(() => {}); // reported by the error below
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

  /** Starts the next process, after the delay that `ended` returned. */
  startAgain(timeout: number, killTimeout: number): Promise<void> {
    this.#step("again");
    this.restarts++;
    this.#recent.push(this.#environment.now());
    return this.start(timeout, killTimeout);
  }

  /**
   * To be called when the process has ended. Returns the milliseconds to wait before the next start, or null for no
   * restart.
   */
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

  /** The current state of the worker. */
  view(): PythonWorker {
    const { index, pid, state, restarts, endpoint } = this;
    return { index, pid, state, restarts, endpoint };
  }

  /** The error if this was the last worker. */
  lastEnd(end: PythonEnd): PythonError {
    return endedEarly(`worker ${this.index}`, end, "and no worker is left");
  }
}
