/**
 * Runs a child of test/zeromq/children on one of the two libraries. Children, because libzmq's threads and process-wide
 * context do not mix with the tests' own processes, and because an error in it may take the process down.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Only a failing child takes this long. */
const PATIENCE_MS = 90_000;

export interface Run {
  /** null when it was ended by us or by a crash. */
  readonly code: number | null;
  /** What ended it, if it did not end itself. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Which library a child loads. */
export type Library = "zeromq" | "zwire";

export function runLibrary(
  child: string,
  library: Library,
  argument: string,
  patienceMs = PATIENCE_MS,
): Promise<Run> {
  const path = fileURLToPath(new URL(`children/${child}`, import.meta.url));
  const began = performance.now();
  const process_ = spawn(process.execPath, ["--no-warnings", path, library, argument], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  process_.stdout.on("data", (chunk) => (stdout += chunk));
  process_.stderr.on("data", (chunk) => (stderr += chunk));
  const timer = setTimeout(() => process_.kill("SIGKILL"), patienceMs);
  return new Promise((resolve) => {
    process_.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, milliseconds: performance.now() - began });
    });
  });
}

/** zeromq crashes (SIGSEGV) in a third of the runs of one program. So often in a row is not believed. */
const CRASHES = 10;

/** What zeromq itself prints, which now and then crashes in the middle or at the end of a process: then once more. */
export async function runOriginal(child: string, argument: string): Promise<Run> {
  let run = await runLibrary(child, "zeromq", argument);
  for (let again = 0; run.code === null && run.signal !== "SIGKILL" && again < CRASHES; again++)
    run = await runLibrary(child, "zeromq", argument);
  return run;
}
