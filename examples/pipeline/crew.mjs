/**
 * The worker processes of the demo: starts them, watches them, kills one on request. Knows processes, no sockets.
 */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A Python that has pyzmq, with its versions, or undefined. Debian's may not be the first on PATH. */
export function findPython() {
  const versions = 'import platform, zmq; print(platform.python_version(), "with libzmq", zmq.zmq_version())';
  for (const command of ["python3", "/usr/bin/python3", "python"]) {
    const { status, stdout } = spawnSync(command, ["-c", versions], { encoding: "utf8" });
    if (status === 0) return { command, versions: stdout.trim() };
  }
  return undefined;
}

/** All workers of one run. */
export class Crew {
  members = [];
  /** How many have died, that is: ended before they were told to. */
  deaths = 0;
  #change;
  #stopping = false;

  /** @param change called after each worker that is gone */
  constructor(change) {
    this.#change = change;
    // Whatever ends this process ends the workers.
    process.once("exit", () => {
      for (const worker of this.alive) worker.child.kill("SIGKILL");
    });
  }

  /** Two Node processes, and a Python one where that is possible. */
  start(python, args) {
    this.#add("node-1", process.execPath, [here("worker.mjs"), "node-1", ...args]);
    this.#add("node-2", process.execPath, [here("worker.mjs"), "node-2", ...args]);
    // -B: leave no __pycache__ behind.
    if (python) this.#add("python-1", python.command, ["-B", here("worker.py"), "python-1", ...args]);
  }

  #add(name, command, args) {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    const worker = { name, child, alive: true, end: "" };
    this.members.push(worker);
    const gone = (end) => {
      if (!worker.alive) return;
      worker.alive = false;
      if (!this.#stopping || end !== "exit code 0") {
        worker.end = end;
        this.deaths++;
      }
      this.#change();
    };
    child.once("exit", (code, signal) => gone(signal ?? `exit code ${code}`));
    child.once("error", (error) => gone(error.message));
  }

  get alive() {
    return this.members.filter((worker) => worker.alive);
  }

  get dead() {
    return this.members.filter((worker) => worker.end !== "");
  }

  /** From here on a worker that ends by itself has done what it should. */
  stopping() {
    this.#stopping = true;
  }

  /** Kills the last Node worker without warning. */
  killOne() {
    this.members.find((worker) => worker.name === "node-2").child.kill("SIGKILL");
  }
}
