/**
 * `spawnPython`: Python programs as workers of this process, and a client that spreads calls over them. Joins processes
 * (python-process.ts) and a client; knows nothing of events and channels.
 */
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "../client/client.js";
import type { ClientOptions, Remote, RemoteControl } from "../types.js";
import { findPython, PythonError } from "./command.js";
import { endedEarly, type PythonCommand, type PythonEnd, PythonProcess } from "./process.js";

/** Where zwire_rpc.py lies, so that a program can import it without having a copy. */
const MODULES = fileURLToPath(new URL("../../../examples/python", import.meta.url));

/** When a worker that has ended is started again. */
export interface PythonRestart {
  /** Starts within `window`, per worker; one more end and it is given up. Default 5. */
  readonly max?: number;
  /** Milliseconds. A worker that has lived as long begins anew with its count and its delay. Default 60000. */
  readonly window?: number;
  /** Milliseconds before the first restart; doubled for each further one. Default 100. */
  readonly delay?: number;
  /** Longest delay in milliseconds. Default 5000. */
  readonly maxDelay?: number;
}

/** Options of `spawnPython`. */
export interface PythonOptions {
  /** Command or path of the Python. Default: the first of python3 (on PATH), /usr/bin/python3, python that has pyzmq and msgpack. */
  readonly python?: string;
  /** Arguments for Python itself, before the script: `["-X", "utf8"]`. */
  readonly pythonArgs?: readonly string[];
  /** Arguments for the script. */
  readonly args?: readonly string[];
  /** Working directory. Default ours. */
  readonly cwd?: string;
  /** Environment variables on top of ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Processes. Each call goes to one of them. Default 1. */
  readonly workers?: number;
  /** Milliseconds until every worker must have answered. Default 10000. */
  readonly readyTimeout?: number;
  /** Start a worker again when it ends; true for the defaults of PythonRestart. Default false. */
  readonly restart?: boolean | PythonRestart;
  /** Milliseconds between SIGTERM and SIGKILL when closing. Default 3000. */
  readonly killTimeout?: number;
  /** Takes what workers print. Default: their stdout and stderr are ours. */
  readonly onOutput?: (text: string, stream: "stdout" | "stderr", worker: number) => void;
  /** Options of the client. */
  readonly client?: Omit<ClientOptions, "bind">;
}

/** A worker as it stands. */
export interface PythonWorker {
  /** From 0 on. */
  readonly index: number;
  /** Undefined while no process runs. */
  readonly pid: number | undefined;
  readonly state: "starting" | "ready" | "waiting" | "gone";
  /** How often it was started again. */
  readonly restarts: number;
  readonly endpoint: string;
}

/** A worker that ended without being told to. */
export interface PythonExit extends PythonEnd {
  readonly worker: number;
  readonly pid: number | undefined;
  /** Whether it will be started again. */
  readonly restarting: boolean;
}

interface PythonEvents {
  /** A worker ended without being told to. */
  exit: [PythonExit];
  /** A worker was started again and answers. */
  restart: [PythonWorker];
  /** The last worker is gone for good; calls reject with LostRemote from here on. */
  gone: [PythonError];
}

/** One worker's life: its process, and the next one. */
class Worker implements PythonWorker {
  readonly index: number;
  state: PythonWorker["state"] = "starting";
  restarts = 0;
  process: PythonProcess | undefined;
  /** Times of its latest restarts. */
  recent: number[] = [];
  readonly #command: PythonCommand;

  constructor(index: number, command: PythonCommand) {
    this.index = index;
    this.#command = command;
  }

  get endpoint(): string {
    return this.#command.endpoint;
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /**
   * Starts a process and waits until it answers a ping.
   * @throws PythonError when it ends before, or is not ready in time: then nothing of it is left
   */
  async start(timeout: number, killTimeout: number): Promise<void> {
    this.state = "starting";
    const started = new PythonProcess(this.#command);
    this.process = started;
    const probe = new Client(this.endpoint, { timeout });
    try {
      const answered = probe.call("_zerorpc_ping");
      const first = await Promise.race([answered.then(() => null), started.ended]);
      if (first !== null) {
        answered.cancel();
        answered.catch(() => {}); // told by the process's end
        throw endedEarly(this.#command.script, first, "before it answered");
      }
      this.state = "ready";
    } catch (error) {
      await started.stop(killTimeout);
      if (error instanceof PythonError) throw error;
      const text = `${this.#command.script} did not answer within ${timeout} ms. It must serve on the endpoint in the environment variable ZWIRE_RPC_ENDPOINT (zwire_rpc: server.run() without an endpoint); more time: readyTimeout`;
      throw new PythonError("ENOTREADY", text, started.stderr, { cause: error });
    } finally {
      await probe.close();
    }
  }

  view(): PythonWorker {
    const { index, pid, state, restarts, endpoint } = this;
    return { index, pid, state, restarts, endpoint };
  }
}

/** Python workers and the client that calls them. Made by `spawnPython`. */
// biome-ignore lint/suspicious/noExplicitAny: without types of the service its methods are anything
export class PythonPool<A = any> extends EventEmitter<PythonEvents> {
  /** The functions of the workers: `await pool.api.add(1, 2)`. */
  readonly api: Remote<A> & RemoteControl<Client>;
  readonly #workers: Worker[];
  readonly #folder: string;
  readonly #options: PythonOptions;
  readonly #waits = new Set<AbortController>();
  #closing: Promise<void> | undefined;

  /** @internal @throws TypeError or RangeError for wrong options of the client */
  constructor(workers: Worker[], folder: string, options: PythonOptions) {
    super();
    this.#workers = workers;
    this.#folder = folder;
    this.#options = options;
    const endpoints = workers.map((worker) => worker.endpoint);
    this.api = new Client(endpoints, options.client).api<A>();
    for (const worker of workers) this.#keep(worker);
  }

  /** The workers as they stand. */
  get workers(): PythonWorker[] {
    return this.#workers.map((worker) => worker.view());
  }

  /**
   * Closes the client, ends the processes (SIGTERM, then SIGKILL after `killTimeout`) and removes their files. Calls under
   * way reject with LostRemote.
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
    await Promise.all(this.#workers.map((worker) => worker.process?.stop(killTimeout)));
    for (const worker of this.#workers) worker.state = "gone";
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Watches over a worker until it is gone for good or the pool closes. */
  async #keep(worker: Worker): Promise<void> {
    for (;;) {
      const { pid } = worker;
      const end = await worker.process!.ended;
      if (this.#closing !== undefined) return;
      const delay = this.#delayBefore(worker);
      worker.state = delay === null ? "gone" : "waiting";
      this.emit("exit", { ...end, worker: worker.index, pid, restarting: delay !== null });
      if (delay === null) return this.#giveUp(worker, end);
      await this.#wait(delay);
      if (this.#closing !== undefined) return;
      await this.#again(worker);
    }
  }

  async #again(worker: Worker): Promise<void> {
    worker.restarts++;
    worker.recent.push(Date.now());
    const { readyTimeout = READY_TIMEOUT, killTimeout = KILL_TIMEOUT } = this.#options;
    try {
      await worker.start(readyTimeout, killTimeout);
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
      return; // it has ended, which is what #keep looks at next
    }
    if (this.#closing === undefined) this.emit("restart", worker.view());
  }

  /** Milliseconds until the next start, or null for none. */
  #delayBefore(worker: Worker): number | null {
    const { restart = false } = this.#options;
    if (restart === false) return null;
    const { max = 5, window = 60_000, delay = 100, maxDelay = 5000 } = restart === true ? {} : restart;
    const since = Date.now() - window;
    worker.recent = worker.recent.filter((time) => time > since);
    if (worker.recent.length >= max) return null;
    return Math.min(maxDelay, delay * 2 ** worker.recent.length);
  }

  async #giveUp(worker: Worker, end: PythonEnd): Promise<void> {
    if (this.#workers.some((other) => other.state !== "gone")) return;
    const error = endedEarly(`worker ${worker.index}`, end, "and no worker is left");
    await this.api.$close();
    this.emit("gone", error);
  }

  /** Ends early when the pool closes. */
  #wait(milliseconds: number): Promise<void> {
    const stop = new AbortController();
    this.#waits.add(stop);
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#waits.delete(stop);
        resolve();
      };
      const timer = setTimeout(over, milliseconds);
      stop.signal.addEventListener("abort", over);
    });
  }
}

const READY_TIMEOUT = 10_000;
const KILL_TIMEOUT = 3000;

function check(script: unknown, options: PythonOptions): void {
  if (typeof script !== "string" || script === "")
    throw new TypeError("script must be the path of a Python program");
  const { workers = 1 } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > 256) {
    throw new RangeError("workers must be an integer from 1 to 256");
  }
  for (const name of ["readyTimeout", "killTimeout"] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 0 && value <= 2 ** 31 - 1)) {
      throw new RangeError(`${name} must be milliseconds from 0 to 2^31-1`);
    }
  }
}

/**
 * Starts a Python program that serves functions, waits until it answers, and calls it. The program gets an endpoint of
 * its own in the environment variable ZWIRE_RPC_ENDPOINT (an ipc socket in a directory that only this user can enter), and
 * `import zwire_rpc` works in it. It ends with this process, however that ends.
 *
 * ```js
 * await using python = await spawnPython("worker.py", { workers: 2, restart: true });
 * console.log(await python.api.add(1, 2));
 * ```
 * @throws PythonError when there is no Python, or the program does not come up: its message has the end of stderr
 */
// biome-ignore lint/suspicious/noExplicitAny: without types of the service its methods are anything
export async function spawnPython<A = any>(
  script: string,
  options: PythonOptions = {},
): Promise<PythonPool<A>> {
  check(script, options);
  if (process.platform === "win32") {
    throw new PythonError(
      "ENOTSUP",
      "spawnPython needs ipc endpoints, which Windows lacks: start the program yourself, on tcp",
    );
  }
  const path = resolve(options.cwd ?? ".", script);
  if (!existsSync(path)) throw new PythonError("ENOENT", `${path} does not exist`);
  const python = options.python ?? (await findPython());
  const folder = await mkdtemp(join(tmpdir(), "zwire-py-")); // mode 0700
  const { workers: count = 1, readyTimeout = READY_TIMEOUT, killTimeout = KILL_TIMEOUT } = options;
  const workers = Array.from({ length: count }, (_, index) => {
    const onOutput =
      options.onOutput &&
      ((text: string, stream: "stdout" | "stderr") => options.onOutput!(text, stream, index));
    return new Worker(index, {
      python,
      pythonArgs: options.pythonArgs ?? [],
      script: path,
      args: options.args ?? [],
      cwd: options.cwd,
      env: options.env ?? {},
      modules: MODULES,
      endpoint: `ipc://${join(folder, String(index))}`,
      onOutput,
    });
  });
  let pool: PythonPool<A> | undefined;
  try {
    await startAll(workers, readyTimeout, killTimeout);
    pool = new PythonPool<A>(workers, folder, options);
    // Or the first calls would all go to the worker that is connected first.
    await pool.api.$client.connected({ timeout: readyTimeout, all: true });
    return pool;
  } catch (error) {
    if (pool !== undefined) await pool.close();
    await Promise.all(workers.map((worker) => worker.process?.stop(killTimeout)));
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Waits for all, so that no process is left when one fails. */
async function startAll(workers: Worker[], readyTimeout: number, killTimeout: number): Promise<void> {
  const results = await Promise.allSettled(workers.map((worker) => worker.start(readyTimeout, killTimeout)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
