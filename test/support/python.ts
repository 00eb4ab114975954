/**
 * Finds a Python that has pyzmq. A python3 from pyenv that comes first on PATH may lack the module that Debian's
 * python3-zmq gives to /usr/bin/python3, so both are asked. Installs nothing.
 */
import { spawnSync } from "node:child_process";

/** What was found, or why nothing was. */
export interface PythonSearch {
  readonly command: string | null;
  readonly reason: string;
}

let found: PythonSearch | undefined;

/** Looks once per process. */
export function findPython(): PythonSearch {
  found ??= search();
  return found;
}

function search(): PythonSearch {
  const reasons: string[] = [];
  for (const command of ["python3", "/usr/bin/python3"]) {
    const run = spawnSync(command, ["-c", "import zmq; print(zmq.zmq_version())"], { encoding: "utf8" });
    if (run.status === 0) return { command, reason: `${command} with libzmq ${run.stdout.trim()}` };
    reasons.push(`${command}: ${run.error?.message ?? run.stderr.trim().split("\n").pop()}`);
  }
  return { command: null, reason: `no Python with pyzmq (${reasons.join("; ")})` };
}
