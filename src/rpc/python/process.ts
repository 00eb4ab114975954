/**
 * One Python process that serves on an endpoint: how it starts, how it ends, and that it ends with us, however we end.
 * Whether it answers calls is for others to find out.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Environment } from "../clock.js";
import { PythonError } from "./command.js";

/** Characters of stderr that are kept for error messages. */
const TAIL = 4096;

/**
 * Runs before the program. The program's own stdin is empty; what was stdin is a lifeline, which ends when this process
 * ends, even by SIGKILL. Then the program is killed, with the processes that it started, and the files of its socket are
 * removed. The program need not know about it. It works while Python computes, because a thread waits for it.
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

/** What a process is started with. */
export interface PythonCommand {
  readonly python: string;
  readonly pythonArgs: readonly string[];
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that is added to the end of sys.path. */
  readonly modules: string;
  /** Where the program is to serve; in its environment as ZWIRE_RPC_ENDPOINT. */
  readonly endpoint: string;
  /** Gets what the program prints. If undefined, both streams go where ours go. */
  readonly onOutput: ((text: string, stream: "stdout" | "stderr") => void) | undefined;
}

/** How a process ended. */
export interface PythonEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

/**
 * Processes that run, with the folders of their endpoints. One list for this process, because it ends only once: a
 * listener on "exit" for each of them would make Node warn of a leak.
 */
const alive = new Map<ChildProcess, string>();

/** Kills the program and what it has started: it leads a process group. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}

/** Runs when we exit in the ordinary way. Any other end breaks the lifelines. */
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

  /** Does not throw: if the command cannot be run, the process has ended, with the reason as its stderr. */
  constructor(command: PythonCommand, environment: Environment) {
    this.#environment = environment;
    const { python, pythonArgs, script, args, cwd, modules, endpoint, onOutput } = command;
    this.#child = spawn(python, [...pythonArgs, "-c", BOOTSTRAP, endpoint, modules, script, ...args], {
      cwd,
      env: { ...process.env, PYTHONUNBUFFERED: "1", ...command.env, ZWIRE_RPC_ENDPOINT: endpoint },
      stdio: ["pipe", onOutput === undefined ? "inherit" : "pipe", "pipe"],
      // A process group of its own: Ctrl-C in a terminal is ours to handle, and its children can be killed with it.
      detached: true,
    });
    if (alive.size === 0) process.once("exit", killAll);
    alive.set(this.#child, dirname(endpoint.slice("ipc://".length)));
    this.#child.stdin!.on("error", () => {}); // nothing is ever written to it, and its exit tells of an early end
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => onOutput!(text, "stdout"));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL);
      if (onOutput === undefined) process.stderr.write(text);
      else onOutput(text, "stderr");
    });
    this.ended = this.#watch();
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The end of what it has written to stderr so far. */
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
      // "close" waits for grandchildren that hold our pipes, so they are killed first.
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

/** An end in words, for messages. */
export function describeEnd({ code, signal }: PythonEnd): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "could not be started" : `ended with exit code ${code}`;
}

/** The error for a program that has ended too early. */
export function endedEarly(script: string, end: PythonEnd, when: string): PythonError {
  return new PythonError("EEXITED", `${script} ${describeEnd(end)} ${when}`, end.stderr);
}
