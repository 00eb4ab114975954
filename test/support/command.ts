/** Runs the command `zwire` of dist/ as a child process, and collects what it prints. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../dist/cli/zwire.js", import.meta.url));

/** How a command ended: its exit code, or the signal, and all that it printed. */
export interface Ended {
  readonly code: number | string | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the match when its standard error, or its output, has one. Rejects when it ends before. */
  says(pattern: RegExp, where?: "out" | "err"): Promise<RegExpExecArray>;
  /** The endpoint that it has bound, with its port. */
  endpoint(): Promise<string>;
}

/** Starts `zwire …`. @param input what it reads from standard input; undefined leaves that open */
export function start(args: readonly string[], input?: string | Buffer): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  if (input !== undefined) child.stdin.end(input);
  child.stdin.on("error", () => {}); // it may end without reading
  const text = { out: "", err: "" };
  const watchers = new Set<() => void>();
  const collect = (name: "out" | "err") => (chunk: string) => {
    text[name] += chunk;
    for (const watch of watchers) watch();
  };
  child.stdout.setEncoding("utf8").on("data", collect("out"));
  child.stderr.setEncoding("utf8").on("data", collect("err"));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? signal, ...text }));
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
  });
  const says = (pattern: RegExp, where: "out" | "err" = "err") =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(text[where]);
        if (match === null) return;
        watchers.delete(look);
        resolve(match);
      };
      watchers.add(look);
      look();
      void ended.then((how) => reject(new Error(`it ended without ${pattern}: ${JSON.stringify(how)}`)));
    });
  return { child, ended, says, endpoint: async () => (await says(/bound to (\S+)\n/))[1] };
}

/** Runs `zwire …` to its end. */
export function run(args: readonly string[], input: string | Buffer = ""): Promise<Ended> {
  return start(args, input).ended;
}

/** Sends it a signal. @returns how it ended */
export function stopped(running: Running, signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
  running.child.kill(signal);
  return running.ended;
}
