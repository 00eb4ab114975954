/**
 * The test's end of a child process that holds a real ZeroMQ peer: starts it, gives it jobs, collects answers. The
 * line protocol is described in peers/zeromq-peer.mjs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findPython } from "./python.js";

/** Which library the peer runs on. */
export type PeerKind = "zeromq.js" | "pyzmq";

/** What a peer shall do. */
export interface JobOptions {
  readonly type: "REQ" | "REP" | "PUB" | "SUB" | "PUSH" | "PULL";
  readonly verb: "bind" | "connect";
  readonly endpoint: string;
  readonly role: "send" | "receive" | "request" | "reply";
  readonly count: number;
  readonly seed: number;
  /** PUB only: repeat SYNC until `go()`. */
  readonly sync?: boolean;
  readonly options?: Readonly<Record<string, number>>;
}

/** How a job ended. */
export interface JobResult {
  readonly received: number;
  readonly mismatch: string | null;
  readonly milliseconds: number;
}

/** A job under way. */
export interface Job {
  /** The endpoint that was bound or connected. */
  readonly endpoint: string;
  readonly done: Promise<JobResult>;
  /** Ends the SYNC messages. */
  go(): void;
}

interface Pending {
  ready: (endpoint: string) => void;
  done: (result: JobResult) => void;
  fail: (error: Error) => void;
}

/** One child process with real ZeroMQ sockets. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #gone: Error | null = null;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on("line", (line) => this.#onLine(line));
    child.once("exit", (code, signal) => this.#failAll(new Error(`peer process ended: ${code ?? signal}`)));
    child.once("error", (error) => this.#failAll(error));
  }

  /** Starts a peer and waits until it answers. */
  static async start(kind: PeerKind): Promise<PeerProcess> {
    const script = kind === "pyzmq" ? "./peers/pyzmq-peer.py" : "./peers/zeromq-peer.mjs";
    const path = fileURLToPath(new URL(script, import.meta.url));
    const command = kind === "pyzmq" ? findPython().command! : process.execPath;
    // -B: leave no __pycache__ in the source tree.
    const args = kind === "pyzmq" ? ["-B", path] : [path];
    const peer = new PeerProcess(spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] }));
    await new Promise<string>((ready, fail) => peer.#pending.set(0, { ready, fail, done: () => {} }));
    return peer;
  }

  /** Gives the peer a job; resolves when its socket is bound or connected. */
  async run(options: JobOptions): Promise<Job> {
    if (this.#gone !== null) throw this.#gone;
    const id = this.#nextId++;
    let pending: Pending | undefined;
    const done = new Promise<JobResult>((resolve, reject) => {
      pending = { ready: () => {}, done: resolve, fail: reject };
    });
    // The failure is seen through `endpoint` first; `done` would report it a second time as unhandled.
    done.catch(() => {});
    const endpoint = await new Promise<string>((resolve, reject) => {
      const failDone = pending!.fail;
      pending!.ready = resolve;
      pending!.fail = (error) => {
        reject(error);
        failDone(error);
      };
      this.#pending.set(id, pending!);
      this.#tell({ id, op: "run", ...options });
    });
    return { endpoint, done, go: () => this.#tell({ id, op: "go" }) };
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  #tell(line: object): void {
    this.#child.stdin!.write(`${JSON.stringify(line)}\n`);
  }

  #onLine(line: string): void {
    const answer = JSON.parse(line);
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    if (answer.event === "ready") pending.ready(answer.endpoint);
    else if (answer.event === "done") pending.done(answer);
    else pending.fail(new Error(`peer: ${answer.message}`));
    if (answer.event !== "ready") this.#pending.delete(answer.id);
  }

  #failAll(error: Error): void {
    this.#gone = error;
    for (const pending of this.#pending.values()) pending.fail(error);
    this.#pending.clear();
  }
}
