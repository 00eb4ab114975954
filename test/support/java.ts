/**
 * JeroMQ, where there are a JDK and Debian's jar of it (libjeromq-java): a peer in a process of its own. The line
 * protocol is described in peers/JeromqPeer.java.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "./helpers.js";

const JARS = "/usr/share/java";
/** A JDK may be slow to begin on a busy machine. */
const START_MS = 60_000;

/** Whether Java runs source files, and these jars of Debian's are there. */
export function hasJava(...jars: string[]): boolean {
  if (!jars.every((jar) => existsSync(`${JARS}/${jar}.jar`))) return false;
  return spawnSync("javac", ["-version"], { stdio: "ignore" }).status === 0;
}

/** Runs a program of one source file in test/support/peers. */
export function startJava(
  file: string,
  jars: readonly string[],
  args: readonly string[] = [],
  flags: readonly string[] = [],
): ChildProcess {
  const path = fileURLToPath(new URL(`./peers/${file}`, import.meta.url));
  const classPath = jars.map((jar) => `${JARS}/${jar}.jar`).join(":");
  const all = ["-XX:TieredStopAtLevel=1", ...flags, "-cp", classPath, path, ...args];
  return spawn("java", all, { stdio: ["pipe", "pipe", "inherit"] });
}

/** What one socket of the peer has said so far. */
export class JeromqJob {
  endpoint = "";
  readonly got: string[] = [];
  finished = false;
  failure: string | null = null;

  /** Resolves when the peer's part is played. */
  async done(): Promise<void> {
    await until(() => this.finished || this.failure !== null, `JeroMQ (so far ${this.got.join(", ")})`);
    if (this.failure !== null) throw new Error(`JeroMQ: ${this.failure}`);
  }
}

export class JeromqPeer {
  readonly #child = startJava("JeromqPeer.java", ["jeromq"]);
  readonly #jobs: JeromqJob[] = [];

  constructor() {
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#told(line));
  }

  #told(line: string): void {
    const [, id, verb, rest] = /^(\d+) (\w+) ?(.*)$/.exec(line) as RegExpExecArray;
    const job = this.#jobs[Number(id)];
    if (verb === "ready") job.endpoint = rest;
    else if (verb === "got") job.got.push(rest);
    else if (verb === "done") job.finished = true;
    else job.failure = rest;
  }

  /** A socket that plays its type's part; resolves when it is bound or connected. `endpoint` null binds. */
  async run(type: string, endpoint: string | null, count: number, identity = "-"): Promise<JeromqJob> {
    const job = new JeromqJob();
    const id = this.#jobs.push(job) - 1;
    const verb = endpoint === null ? "bind *" : `connect ${endpoint}`;
    this.#child.stdin!.write(`${id} ${type} ${verb} ${count} ${identity}\n`);
    await until(() => job.endpoint !== "" || job.failure !== null, "JeroMQ begins", START_MS);
    if (job.failure !== null) throw new Error(`JeroMQ: ${job.failure}`);
    return job;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }
}
