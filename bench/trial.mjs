/**
 * One trial: starts the two processes of a row, brings them together and collects their figures. Knows processes and
 * the words of peers/side.mjs, no library.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { programOf } from "./c-peers.mjs";
import { kinds } from "./kinds.mjs";
import { certificateFor } from "./peers/certificate.mjs";

const TIMEOUT_MS = 90_000;

/** Where Node sides leave a CPU profile each; undefined for none. */
let profiles;

/** From now on each Node side of a trial leaves a CPU profile in a folder. */
export function profileInto(folder) {
  profiles = folder;
}

/** How to start a side: a script with its job as JSON, or a C program with the job's numbers. */
function commandOf({ script }, job) {
  if (!script.startsWith("c/")) {
    const path = fileURLToPath(new URL(`peers/${script}.mjs`, import.meta.url));
    const profile =
      profiles === undefined
        ? []
        : [
            "--cpu-prof",
            `--cpu-prof-dir=${profiles}`,
            `--cpu-prof-name=${script}-${job.role}-${process.hrtime.bigint()}.cpuprofile`,
          ];
    return [process.execPath, "--expose-gc", ...profile, path, JSON.stringify(job)];
  }
  const { role, endpoint, size, parts, warmup, count } = job;
  const { subscribers = 0, topics = 0, clients = 0, options: { spinMicroseconds = 0 } = {} } = job;
  return [
    programOf(script),
    role,
    endpoint,
    ...[size, parts, warmup, count, subscribers, topics, clients, spinMicroseconds].map(String),
  ];
}

/** A side's process. Events that nobody waits for yet are kept. */
class Side {
  #child;
  #events = new Map();

  constructor(contender, job) {
    const env = { ...process.env };
    if (contender.engine !== undefined) env.ZWIRE_ENGINE = contender.engine;
    const [command, ...words] = commandOf(contender, job);
    this.#child = spawn(command, words, { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (line) => this.#event(line.event).resolve(line));
    const failed = (why) => {
      const error = new Error(`${contender.name}, ${job.role}: ended early with ${why}`);
      this.#event("failed").resolve(error);
    };
    this.#child.once("error", (error) => failed(error.message));
    this.#child.once("exit", (code, signal) => {
      // What it said before it ended may not be read yet.
      if (this.#child.connected) this.#child.once("disconnect", () => failed(signal ?? code));
      else failed(signal ?? code);
    });
  }

  #event(name) {
    let event = this.#events.get(name);
    if (event === undefined) {
      event = {};
      event.promise = new Promise((resolve) => {
        event.resolve = resolve;
      });
      this.#events.set(name, event);
    }
    return event;
  }

  /** Resolves to what the side says; rejects when it ends without saying it. */
  async says(event) {
    const failed = this.#event("failed").promise.then((error) => ({ error }));
    const line = await Promise.race([this.#event(event).promise, failed]);
    if (line.error) throw line.error;
    return line;
  }

  tell(word) {
    // A side that has ended is missed by whoever waits for what it says.
    this.#child.send(word, () => {});
  }

  /** Ends by itself once it has told its figures: a profile is written then. */
  async ended() {
    await this.#event("failed").promise;
  }

  kill() {
    this.#child.kill("SIGKILL");
  }
}

function jobOf(row, contender, { warmup, count }) {
  const { id, title, kind, transport, contenders, bars, ...work } = row;
  const { script: library, send, receive, options } = contender;
  return { parts: 1, ...work, warmup, count, library, send, receive, options };
}

async function meet(row, contender, counts, endpoint, sides) {
  const kind = kinds[row.kind];
  const start = (who, role, where) => {
    const side = new Side(who, { ...jobOf(row, who, counts), role, endpoint: where });
    sides.push(side);
    return side;
  };
  const bound = start(contender, kind.binds, endpoint);
  if (kind.dials === undefined) return [await bound.says("done")];
  const ready = await bound.says("ready");
  const other = contender.dialler === undefined ? contender : { ...contender, ...contender.dialler };
  const dialled = start(other, kind.dials, ready.endpoint);
  await kind.prepare?.(bound, dialled);
  const [clock, second] = kind.clock === "binds" ? [bound, dialled] : [dialled, bound];
  if (row.kind === "memory") clock.tell("finish");
  const figures = await Promise.race([clock.says("done"), second.says("done")]);
  second.tell("finish");
  const others = await second.says("done");
  return kind.clock === "binds" ? [figures, figures, others] : [figures, others, figures];
}

function endpointOf(transport, folder) {
  if (transport.endsWith("tcp") || transport === "ws") return `${transport}://127.0.0.1:*`;
  return transport === "ipc" ? `ipc://${join(folder, "bench.sock")}` : "inproc://bench";
}

/** The larger of a figure of both sides; undefined where neither has it. */
function worst(sides, name) {
  const values = sides.map((side) => side?.[name]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.max(...values);
}

function figuresOf([clock, bound = clock, dialled]) {
  const { seconds, messages, latency } = clock;
  const cpu = bound.cpuSeconds + (dialled?.cpuSeconds ?? 0);
  return {
    seconds,
    messages,
    rate: messages / seconds,
    cpuPerMillion: (cpu / messages) * 1e6,
    cpuPerMillionBound: (bound.cpuSeconds / messages) * 1e6,
    busy: dialled === undefined ? undefined : [bound, dialled].map((side) => side.cpuSeconds / side.seconds),
    peakRss: worst([bound, dialled], "peakRss"),
    timerDelayMs: worst([bound, dialled], "timerDelayMs"),
    bytesPerConnection: clock.bytesPerConnection,
    unanswered: clock.unanswered,
    latency,
  };
}

/**
 * Runs one trial in fresh processes.
 * @param counts { warmup, count }: messages before and after the clock starts
 * @returns seconds, messages per second, CPU seconds of both sides and of the binding one, the part of the time that each
 * side was busy (the binding one first), peak resident set of the larger, the worst delay of a timer in milliseconds
 * (Node sides), latency
 */
export async function trial(row, contender, counts) {
  const folder = mkdtempSync(join(tmpdir(), "zwire-bench-"));
  const sides = [];
  let timer;
  const late = new Promise((_, reject) => {
    const text = `${row.id}, ${contender.name}: no result within ${TIMEOUT_MS / 1000} s`;
    timer = setTimeout(() => reject(new Error(text)), TIMEOUT_MS);
  });
  try {
    const whole = row.transport === "tls+tcp" ? { ...row, tls: certificateFor(folder) } : row;
    const meeting = meet(whole, contender, counts, endpointOf(row.transport, folder), sides);
    const figures = figuresOf(await Promise.race([meeting, late]));
    if (profiles !== undefined) await Promise.race([Promise.all(sides.map((side) => side.ended())), late]);
    return figures;
  } finally {
    clearTimeout(timer);
    for (const side of sides) side.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
