/**
 * Options of `spawnPython` with their defaults, and what it tells about its workers.
 */
import type { ClientOptions } from "../types.js";
import type { PythonEnd } from "./process.js";

/** When to start a worker again that has ended. */
export interface PythonRestart {
  /** Restarts of a worker within `window`. If it ends once more, it is given up. Default 5. */
  readonly max?: number;
  /** Milliseconds. Restarts that are longer ago count no more, for `max` and for the delay. Default 60000. */
  readonly window?: number;
  /** Milliseconds before the first restart. Doubles with each further one. Default 100. */
  readonly delay?: number;
  /** Longest delay in milliseconds. Default 5000. */
  readonly maxDelay?: number;
}

/** Options of `spawnPython`. */
export interface PythonOptions {
  /** Command or path of Python. Default: the first of python3 (on PATH), /usr/bin/python3 and python that has pyzmq and msgpack. */
  readonly python?: string;
  /** Arguments for Python itself, before the script: `["-X", "utf8"]`. */
  readonly pythonArgs?: readonly string[];
  /** Arguments for the script. */
  readonly args?: readonly string[];
  /** Working directory. Default: that of this process. */
  readonly cwd?: string;
  /** Environment variables, in addition to those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Number of processes. Each call goes to one of them. Default 1. */
  readonly workers?: number;
  /** Milliseconds within which every worker must have answered. Default 10000. */
  readonly readyTimeout?: number;
  /** Whether to start a worker again when it ends; true takes the defaults of PythonRestart. Default false. */
  readonly restart?: boolean | PythonRestart;
  /** Milliseconds between SIGTERM and SIGKILL when closing. Default 3000. */
  readonly killTimeout?: number;
  /** Gets what workers print. Default: it goes to stdout and stderr of this process. */
  readonly onOutput?: (text: string, stream: "stdout" | "stderr", worker: number) => void;
  /** Options of the client. */
  readonly client?: Omit<ClientOptions, "bind">;
}

/** A worker as it is now. */
export interface PythonWorker {
  /** From 0 on. */
  readonly index: number;
  /** Undefined while no process runs. */
  readonly pid: number | undefined;
  readonly state: "starting" | "ready" | "waiting" | "gone";
  /** How often it was restarted. */
  readonly restarts: number;
  readonly endpoint: string;
}

/** A worker that ended without being told to. */
export interface PythonExit extends PythonEnd {
  readonly worker: number;
  readonly pid: number | undefined;
  /** Whether it will be restarted. */
  readonly restarting: boolean;
}

/** Default of `readyTimeout`. */
export const READY_TIMEOUT = 10_000;
/** Default of `killTimeout`. */
export const KILL_TIMEOUT = 3000;
