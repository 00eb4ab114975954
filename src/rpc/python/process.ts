/**
 * One Python process that serves on an endpoint. This file starts it and ends it, and makes sure that it ends when our
 * process ends in any way. worker.ts finds out whether it answers calls.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Environment } from "../clock.js";
import { PythonError } from "./command.js";

/** How many of the last characters of stderr are kept for error messages. */
const TAIL = 4096;

/**
 * Python code that runs before the program. It keeps the pipe from our process, which was stdin, as a lifeline, and
 * gives the program an empty stdin. The lifeline ends when our process ends, even by SIGKILL. Then the program is
 * killed with the processes that it started, and the files of its socket are removed. The program does not have to
 * help. A thread waits for the end of the lifeline, so this works while Python computes.
 */
const BOOTSTRAP = `
import os, runpy, signal, sys, threading

def follow(lifeline, endpoint):
    try:
        while os.read(lifeline, 4096):
            pass
    except OSError:
        pass
    path = endpoint[len("ipc://"):]
    for remove, what in ((os.unlink, path), (os.rmdir, os.path.dirname(path))):
        try:
            remove(what)
        except OSError:
            pass
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)

endpoint, folder, script = sys.argv[1:4]
lifeline = os.dup(0)
empty = os.open(os.devnull, os.O_RDONLY)
os.dup2(empty, 0)
os.close(empty)
threading.Thread(target=follow, args=(lifeline, endpoint), daemon=True).start()
sys.argv = sys.argv[3:]
sys.path[0] = os.path.dirname(os.path.abspath(script))
sys.path.append(folder)
del endpoint, folder, lifeline, empty, threading
runpy.run_path(script, run_name="__main__")
`;

/** How to start a process. */
export interface PythonCommand {
  readonly python: string;
  readonly pythonArgs: readonly string[];
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A folder that is added to the end of sys.path. */
  readonly modules: string;
  /** The endpoint on which the program must serve. It gets it in the environment variable ZWIRE_RPC_ENDPOINT. */
  readonly endpoint: string;
  /** Called with the program's output. If undefined, its output goes to our stdout and stderr. */
  readonly onOutput: ((text: string, stream: "stdout" | "stderr") => void) | undefined;
}

/** How a process ended. */
export interface PythonEnd {
  /** The exit code. Null if a signal ended the process, or if it could not be started. */
  readonly code: number | null;
  /** The signal that ended it, or null. */
  readonly signal: NodeJS.Signals | null;
  /** The last 4096 characters that it wrote to stderr. */
  readonly stderr: string;
}

/**
 * The running processes, with the folders of their endpoints. There is one list, and one listener on "exit", because
 * Node would warn of a leak if each process had its own listener.
 */
const alive = new Map<ChildProcess, string>();

/** Kills the program and all processes that it has started: it leads a process group. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group does not exist any more.
  }
}

/** Runs when our process exits normally. If it ends in another way, the lifelines end instead. */
function killAll(): void {
  for (const [child, folder] of alive) {
    killGroup(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One process. */
export class PythonProcess {
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<PythonEnd>;
  readonly #child: ChildProcess;
  readonly #environment: Environment;
  #tail = "";

  /** Does not throw. If the command cannot be run, `ended` resolves with the reason in `stderr`. */
  constructor(command: PythonCommand, environment: Environment) {
    this.#environment = environment;
    const { python, pythonArgs, script, args, cwd, modules, endpoint, onOutput } = command;
    this.#child = spawn(python, [...pythonArgs, "-c", BOOTSTRAP, endpoint, modules, script, ...args], {
      cwd,
      env: { ...process.env, PYTHONUNBUFFERED: "1", ...command.env, ZWIRE_RPC_ENDPOINT: endpoint },
      stdio: ["pipe", onOutput === undefined ? "inherit" : "pipe", "pipe"],
      // A separate process group: so Ctrl-C in a terminal reaches only our process, and the children can be killed
      // together.
      detached: true,
    });
    if (alive.size === 0) process.once("exit", killAll);
    alive.set(this.#child, dirname(endpoint.slice("ipc://".length)));
    this.#child.stdin!.on("error", () => {}); // we never write to it, and "exit" tells if the process ends early
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => onOutput!(text, "stdout"));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL);
      if (onOutput === undefined) process.stderr.write(text);
      else onOutput(text, "stderr");
    });
    this.ended = this.#watch();
  }

  /** The process id. Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last 4096 characters that it has written to stderr so far. */
  get stderr(): string {
    return this.#tail;
  }

  /** Sends SIGTERM, and SIGKILL after `patience` milliseconds. Resolves when the process has ended. */
  async stop(patience: number): Promise<PythonEnd> {
    this.#child.kill("SIGTERM");
    const cancel = this.#environment.afterAlive(patience, () => killGroup(this.#child));
    const end = await this.ended;
    cancel();
    return end;
  }

  #watch(): Promise<PythonEnd> {
    return new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        alive.delete(this.#child);
        if (alive.size === 0) process.removeListener("exit", killAll);
        resolve({ code, signal, stderr: this.#tail });
      };
      // Processes that it started may hold our pipes, and "close" waits for them. So kill them first.
      this.#child.once("exit", () => killGroup(this.#child));
      this.#child.once("close", end);
      this.#child.once("error", (error) => {
        if (this.#child.pid !== undefined) return;
        this.#tail += error.message;
        end(null, null);
      });
    });
  }
}

/** How a process ended, in words for messages. */
export function describeEnd({ code, signal }: PythonEnd): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "could not be started" : `ended with exit code ${code}`;
}

/** The error for a program that ended too early. */
export function endedEarly(script: string, end: PythonEnd, when: string): PythonError {
  return new PythonError("EEXITED", `${script} ${describeEnd(end)} ${when}`, end.stderr);
}
