/**
 * Starts child processes for life-cycle tests and talks to them in JSON lines. Children run the built dist/ in plain
 * JavaScript from support/children. Knows nothing of sockets.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the start of the process. */
  readonly milliseconds: number;
}

/** A child under way. */
export class Child {
  readonly process: ChildProcess;
  /** Every JSON line that it has printed. */
  readonly lines: Array<Record<string, unknown>> = [];
  /** Resolves when it has ended and its output is read. */
  readonly ended: Promise<ChildEnd>;
  #text = "";
  #errors = "";
  #exited = false;
  #wake: (() => void) | null = null;

  constructor(child: ChildProcess) {
    this.process = child;
    const began = performance.now();
    createInterface({ input: child.stdout! }).on("line", (line) => {
      this.#text += `${line}\n`;
      if (line.startsWith("{")) this.lines.push(JSON.parse(line));
      this.#wake?.();
    });
    child.stderr!.on("data", (chunk) => (this.#errors += chunk));
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#exited = true;
        this.#wake?.();
        const milliseconds = performance.now() - began;
        resolve({ code, signal, stdout: this.#text, stderr: this.#errors, milliseconds });
      });
    });
  }

  /** Sends a JSON line. */
  tell(line: object): void {
    this.process.stdin!.write(`${JSON.stringify(line)}\n`);
  }

  /** The first line, now or later, for which the predicate holds. */
  async line(
    holds: (line: Record<string, unknown>) => boolean,
    what: string,
    patienceMs = 40_000,
  ): Promise<Record<string, unknown>> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = this.lines.find(holds);
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (this.#exited || left <= 0) {
        throw new Error(
          `${what}: ${this.#exited ? "the child ended" : "too late"}\n${this.#text}${this.#errors}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.process.kill(signal);
  }
}

/** Path of a file in support/children. */
export function childPath(name: string): string {
  return fileURLToPath(new URL(`./children/${name}`, import.meta.url));
}

/** Starts a program from support/children; it is killed when the test ends. */
export function startChild(
  name: string,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(process.execPath, [...nodeArgs, childPath(name), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return new Child(child);
}
