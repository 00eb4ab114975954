/**
 * Options of `spawnPython` with their defaults, and the types that describe its workers.
 */
import type { ClientOptions } from "../types.js";
import type { PythonEnd } from "./process.js";

/** When to restart a worker that has ended. */
export interface PythonRestart {
  /** The most restarts of a worker within `window`. If it ends once more, it is not restarted any more. Default 5. */
  readonly max?: number;
  /** Milliseconds. Older restarts do not count for `max` and `delay`. Default 60000. */
  readonly window?: number;
  /** Milliseconds before the first restart. Each further restart within `window` doubles it. Default 100. */
  readonly delay?: number;
  /** The longest delay in milliseconds. Default 5000. */
  readonly maxDelay?: number;
}

/** Options of `spawnPython`. */
export interface PythonOptions {
  /**
   * Command or path of Python. Default: the first of python3 (on PATH), /usr/bin/python3 and python that has pyzmq and
   * msgpack.
   */
  readonly python?: string;
  /** Arguments for Python itself, before the script, such as `["-X", "utf8"]`. Default: none. */
  readonly pythonArgs?: readonly string[];
  /** Arguments for the script. Default: none. */
  readonly args?: readonly string[];
  /** Working directory of the workers; a relative `script` is resolved against it. Default: that of this process. */
  readonly cwd?: string;
  /** Environment variables, in addition to those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Number of processes, from 1 to 256. Each call goes to one of them. Default 1. */
  readonly workers?: number;
  /** Milliseconds within which every worker must answer a first call. Default 10000. */
  readonly readyTimeout?: number;
  /** Whether to restart a worker that ends; true means the defaults of PythonRestart. Default false. */
  readonly restart?: boolean | PythonRestart;
  /** Milliseconds between SIGTERM and SIGKILL when a worker is stopped. Default 3000. */
  readonly killTimeout?: number;
  /** Called with the output of the workers. Default: it goes to stdout and stderr of this process. */
  readonly onOutput?: (text: string, stream: "stdout" | "stderr", worker: number) => void;
  /** Options of the client. Default: those of a Client. */
  readonly client?: Omit<ClientOptions, "bind">;
}

/** The current state of a worker. */
export interface PythonWorker {
  /** The number of the worker, from 0. */
  readonly index: number;
  /** The id of its process. Undefined if it could not be started. */
  readonly pid: number | undefined;
  /** `waiting` is the delay before a restart; a worker that is `gone` is not restarted any more. */
  readonly state: "starting" | "ready" | "waiting" | "gone";
  /** How often it was restarted. */
  readonly restarts: number;
  /** The endpoint on which it serves. */
  readonly endpoint: string;
}

/** A worker that ended although the pool was not closed. */
export interface PythonExit extends PythonEnd {
  /** The number of the worker, from 0. */
  readonly worker: number;
  /** The id of the process that ended. Undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Whether it will be restarted. */
  readonly restarting: boolean;
}

/** Default of `readyTimeout` in milliseconds. */
export const READY_TIMEOUT = 10_000;
/** Default of `killTimeout` in milliseconds. */
export const KILL_TIMEOUT = 3000;
