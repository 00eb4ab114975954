/** Starts peers of the soak, kills them or lets them leave, and starts others in their place. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

const FILE = fileURLToPath(new URL("peer.mjs", import.meta.url));
/** How long a peer lives, in milliseconds. */
const [LEAST, MOST] = [300, 60_000];
/** How long one may take to leave. */
const PATIENCE = 30_000;

let lives = 0;

/** The place of one peer. */
export class Place {
  #kind;
  #path;
  #slot;
  #fail;
  #stopped = true;
  #timer;
  #peer = null;
  kills = 0;
  leaves = 0;

  constructor(kind, path, slot, fail) {
    this.#kind = kind;
    this.#path = path;
    this.#slot = slot;
    this.#fail = fail;
  }

  start() {
    this.#stopped = false;
    const args = [this.#kind.name, this.#path, `${this.#slot}`, `${++lives}`];
    this.#peer = this.#kind.thread ? thread(args) : childProcess(args, this.#kind.env);
    const peer = this.#peer;
    peer.begun.then(() => {
      if (this.#peer === peer && !this.#stopped)
        this.#timer = setTimeout(() => this.#end(), LEAST + Math.random() ** 2 * (MOST - LEAST));
    });
    this.#peer.ended.then((reason) => {
      clearTimeout(this.#timer);
      this.#peer = null;
      if (reason !== null) this.#fail(new Error(`a peer of "${this.#kind.name}" ended: ${reason}`));
      else if (!this.#stopped) this.start();
    });
  }

  #end() {
    if (Math.random() < 0.7) {
      this.kills++;
      this.#peer.kill();
      return;
    }
    this.leaves++;
    this.#peer.leave();
    this.#timer = setTimeout(
      () => this.#fail(new Error(`a peer of "${this.#kind.name}" does not leave`)),
      PATIENCE,
    );
  }

  /** Ends the peer, and starts none in its place. */
  async stop() {
    this.#stopped = true;
    if (this.#peer === null) return;
    const { ended, begun } = this.#peer;
    clearTimeout(this.#timer);
    await Promise.race([begun, ended]);
    if (this.#peer === null) return;
    clearTimeout(this.#timer);
    this.#end();
    await ended;
  }
}

/**
 * `begun` resolves when it may be killed. A process may be at any time; a thread must have loaded its modules, because
 * Node.js leaves the files open that a worker was reading when it was terminated.
 * `ended` resolves with null if it ended as we wanted, or else with what it said.
 */
function childProcess(args, env = {}) {
  const child = spawn(process.execPath, [FILE, ...args], {
    stdio: ["pipe", "inherit", "pipe"],
    env: { ...process.env, ...env },
  });
  let errors = "";
  let killed = false;
  child.stdin.on("error", () => {}); // it has ended already
  child.stderr.on("data", (data) => {
    errors += data;
  });
  const ended = new Promise((resolve) => {
    child.once("close", (code, signal) => {
      const wanted = code === 0 || (killed && signal === "SIGKILL");
      resolve(wanted ? null : `${signal ?? `code ${code}`}\n${errors}`);
    });
  });
  const kill = () => {
    killed = true;
    child.kill("SIGKILL");
  };
  return { begun: Promise.resolve(), ended, kill, leave: () => child.stdin.end() };
}

function thread(args) {
  const worker = new Worker(FILE, { workerData: args });
  const begun = new Promise((resolve) => worker.once("message", resolve));
  const ended = new Promise((resolve) => {
    worker.once("error", (error) => resolve(error.stack));
    worker.once("exit", () => resolve(null));
  });
  return { begun, ended, kill: () => void worker.terminate(), leave: () => worker.postMessage("leave") };
}
