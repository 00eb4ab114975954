/**
 * The test's end of a Python process that is a zerorpc peer: starts rpc/python/peer.py, gives it operations, collects
 * answers. The operations are described there.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A Python that has pyzmq and msgpack, or why there is none. */
export const python = search();

function search(): { command: string | null; reason: string } {
  const reasons: string[] = [];
  for (const command of ["python3", "/usr/bin/python3"]) {
    const run = spawnSync(command, ["-c", "import zmq, msgpack"], { encoding: "utf8" });
    if (run.status === 0) return { command, reason: command };
    reasons.push(`${command}: ${run.error?.message ?? run.stderr.trim().split("\n").pop()}`);
  }
  return { command: null, reason: `no Python with pyzmq and msgpack (${reasons.join("; ")})` };
}

/** Text for the title of a suite: says so when it is skipped. */
export const withPython = python.command === null ? `with Python (skipped: ${python.reason})` : "with Python";

/** An exception of Python, as the answer to an operation. */
export class PythonException extends Error {
  readonly type: string;
  /** Of a RemoteError: what the zwire side sent. */
  readonly remoteName: string | null;
  readonly traceback: string | null;

  constructor({ type, name, message, traceback }: Record<string, string | null>) {
    super(message ?? "");
    this.type = type!;
    this.remoteName = name;
    this.traceback = traceback;
  }
}

/** What `log` tells. */
export interface PeerLog {
  /** Direction, name, channel, and the args of a grant. */
  readonly events: [string, unknown, string, unknown][];
  readonly drops: [string, string][];
  readonly notes: [string, string][];
  /** Direction, frames in hex. */
  readonly frames: [string, string[]][];
  readonly channels: number;
  /** Whether the dispatcher waits for a channel to take an event: for ever, if nobody reads it. */
  readonly waiting: boolean;
  readonly served: number;
}

export interface Shown {
  readonly value?: unknown;
  readonly repr: string;
}

interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** A Python process. */
export class PythonPeer {
  readonly process: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #gone: Error | null = null;

  private constructor() {
    const path = fileURLToPath(new URL("../rpc/python/peer.py", import.meta.url));
    // -B: leave no __pycache__ in the source tree.
    this.process = spawn(python.command!, ["-B", path], { stdio: ["pipe", "pipe", "inherit"] });
    this.process.stdin!.on("error", () => {}); // its end is told below
    createInterface({ input: this.process.stdout! }).on("line", (line) => this.#onLine(line));
    const end = (error: Error): void => {
      this.#gone ??= error;
      for (const pending of this.#pending.values()) pending.reject(error);
      this.#pending.clear();
    };
    this.process.once("error", end);
    this.process.once("exit", (code, signal) => end(new Error(`the Python peer ended: ${signal ?? code}`)));
  }

  /** Starts a peer and waits until it is there; it is killed when the test, or `keep`'s owner, ends it. */
  static async start({ keep = false } = {}): Promise<PythonPeer> {
    const peer = new PythonPeer();
    if (!keep) onTestFinished(() => peer.stop());
    await new Promise<void>((resolve, reject) => peer.#pending.set(0, { resolve: resolve as never, reject }));
    return peer;
  }

  /** Does one operation of peer.py. Rejects with PythonException for what it raised. */
  ask<T = unknown>(op: string, fields: object = {}): Promise<T> & { id: number } {
    const id = this.#nextId++;
    const answer = new Promise<T>((resolve, reject) => {
      if (this.#gone !== null) return reject(this.#gone);
      this.#pending.set(id, { resolve: resolve as never, reject });
      this.process.stdin!.write(`${JSON.stringify({ ...fields, id, op })}\n`);
    });
    return Object.assign(answer, { id });
  }

  /** Serves the methods of peer.py. */
  async serve(
    fields: { heartbeat?: number | null; bind?: string; name?: string } = {},
  ): Promise<PythonServer> {
    const asked = this.ask<{ endpoint: string }>("serve", { bind: "tcp://127.0.0.1:*", ...fields });
    return new PythonServer(this, asked.id, (await asked).endpoint);
  }

  /** A client of an endpoint. */
  async client(
    endpoint: string,
    fields: { heartbeat?: number | null; timeout?: number; passive?: boolean } = {},
  ): Promise<PythonClient> {
    const asked = this.ask("client", { connect: endpoint, ...fields });
    await asked;
    return new PythonClient(this, asked.id);
  }

  /** A bare socket. */
  async raw(
    type: string,
    where: { bind?: string; connect?: string; identity?: string },
  ): Promise<PythonSocket> {
    const asked = this.ask<{ endpoint: string }>("raw", { type, ...where });
    return new PythonSocket(this, asked.id, (await asked).endpoint);
  }

  usage(): Promise<{ cpu: number; peak: number; resident: number }> {
    return this.ask("usage");
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }

  #onLine(line: string): void {
    const { id, ok, error } = JSON.parse(line);
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve((ok ?? null) as never);
    else pending?.reject(new PythonException(error));
  }
}

/** One thing inside a peer. */
class Handle {
  readonly peer: PythonPeer;
  readonly id: number;

  constructor(peer: PythonPeer, id: number) {
    this.peer = peer;
    this.id = id;
  }

  log(fields: { clear?: boolean; record?: boolean } = {}): Promise<PeerLog> {
    return this.peer.ask("log", { of: this.id, ...fields });
  }
}

/** A server in Python. */
export class PythonServer extends Handle {
  readonly endpoint: string;

  constructor(peer: PythonPeer, id: number, endpoint: string) {
    super(peer, id);
    this.endpoint = endpoint;
  }
}

interface CallFields {
  readonly args?: readonly unknown[];
  /** A tuple of arguments, as a Python expression. */
  readonly python?: string;
  readonly timeout?: number;
  readonly header?: object;
}

/** A client in Python. */
export class PythonClient extends Handle {
  call(method: string, fields: CallFields = {}): Promise<Shown> {
    return this.peer.ask("call", { of: this.id, method, ...fields });
  }

  stream(
    method: string,
    fields: CallFields & { take?: number; times?: number; pause?: number } = {},
  ): Promise<Shown & { counts: number[] }> {
    return this.peer.ask("stream", { of: this.id, method, ...fields });
  }
}

/** A bare pyzmq socket; frames in hex. */
export class PythonSocket extends Handle {
  readonly endpoint: string;

  constructor(peer: PythonPeer, id: number, endpoint: string) {
    super(peer, id);
    this.endpoint = endpoint;
  }

  send(...frames: (string | Buffer)[]): Promise<void> {
    const hex = frames.map((frame) => (typeof frame === "string" ? frame : frame.toString("hex")));
    return this.peer.ask("send", { of: this.id, frames: hex });
  }

  async receive(within = 5): Promise<Buffer[] | null> {
    const frames = await this.peer.ask<string[] | null>("recv", { of: this.id, within });
    return frames?.map((frame) => Buffer.from(frame, "hex")) ?? null;
  }
}
