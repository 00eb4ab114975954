/**
 * Options of `spawnPython` with their defaults, and what it tells about its workers.
 */
import type { ClientOptions } from "../types.js";
import type { PythonEnd } from "./process.js";

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

/** Default of `readyTimeout`. */
export const READY_TIMEOUT = 10_000;
/** Default of `killTimeout`. */
export const KILL_TIMEOUT = 3000;
