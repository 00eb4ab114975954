/**
 * The test's end of a child process that holds a real ZeroMQ peer: starts it, gives it jobs, collects answers. The
 * line protocol is described in peers/zeromq-peer.mjs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findPython } from "./python.js";
import type { RoleJob, RoleName } from "./roles.mjs";

/** Which library the peer runs on. */
export type PeerKind = "zeromq.js" | "pyzmq";

/** ZMTP's names of the types that a peer can be; pyzmq has no drafts. */
export type PeerType =
  | "PAIR"
  | "REQ"
  | "REP"
  | "DEALER"
  | "ROUTER"
  | "PUB"
  | "SUB"
  | "XPUB"
  | "XSUB"
  | "PUSH"
  | "PULL"
  | "STREAM"
  | "SERVER"
  | "CLIENT"
  | "RADIO"
  | "DISH"
  | "GATHER"
  | "SCATTER";

/** Options of a peer's socket, under zeromq.js's names. */
export type PeerOptions = Readonly<Record<string, number | string | boolean>>;

/** Whom a peer's ZAP handler lets in (RFC 27). */
export interface ZapRules {
  /** Passwords by user name. */
  readonly users?: Readonly<Record<string, string>>;
  /** Z85 keys of clients; every key where it is not there. */
  readonly keys?: readonly string[];
}

/** What a peer shall do. */
export interface JobOptions extends RoleJob {
  readonly type: PeerType;
  readonly verb: "bind" | "connect";
  readonly endpoint: string;
  /** ROUTER and STREAM: name for the peer connected to. */
  readonly connectAs?: string;
  readonly role: RoleName;
  /**
   * How long the socket stays open when its role is played. libzmq's linger sends what is queued, but asks no ZAP handler
   * about a peer any more.
   */
  readonly keepMs?: number;
  readonly options?: PeerOptions;
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
  /** Whether the peer has heard SYNC. */
  heard(): boolean;
  /** Ends the SYNC messages. */
  go(): void;
}

interface Pending {
  heard: boolean;
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
    await new Promise<string>((ready, fail) =>
      peer.#pending.set(0, { heard: false, ready, fail, done: () => {} }),
    );
    return peer;
  }

  /** Gives the peer a job; resolves when its socket is bound or connected. */
  async run(options: JobOptions): Promise<Job> {
    if (this.#gone !== null) throw this.#gone;
    const id = this.#nextId++;
    let pending: Pending | undefined;
    const done = new Promise<JobResult>((resolve, reject) => {
      pending = { heard: false, ready: () => {}, done: resolve, fail: reject };
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
    const heard = (): boolean => pending?.heard ?? false;
    return { endpoint, done, heard, go: () => this.#tell({ id, op: "go" }) };
  }

  /** Starts a ZAP handler in the peer, for all of its sockets, or tells the one there new rules. */
  async zap(rules: ZapRules): Promise<void> {
    const id = this.#nextId++;
    await new Promise<string>((ready, fail) => {
      this.#pending.set(id, { heard: false, ready, fail, done: () => {} });
      this.#tell({ id, op: "zap", ...rules });
    });
    this.#pending.delete(id);
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
    if (answer.event === "heard") pending.heard = true;
    else if (answer.event === "ready") pending.ready(answer.endpoint);
    else if (answer.event === "done") pending.done(answer);
    else pending.fail(new Error(`peer: ${answer.message}`));
    if (answer.event === "done" || answer.event === "error") this.#pending.delete(answer.id);
  }

  #failAll(error: Error): void {
    this.#gone = error;
    for (const pending of this.#pending.values()) pending.fail(error);
    this.#pending.clear();
  }
}
