/**
 * One trial: starts the two processes of a row, brings them together and collects their figures. Knows processes and
 * the words of peers/side.mjs, no library.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TIMEOUT_MS = 60_000;

/** Who binds and who dials; the one with the clock ends the trial. */
const ROLES = {
  throughput: { binds: "receive", dials: "send", clock: "receive" },
  "fan-out": { binds: "publish", dials: "subscribe", clock: "subscribe" },
  latency: { binds: "reply", dials: "request", clock: "request" },
  calls: { binds: "serve", dials: "call", clock: "call" },
  inproc: { binds: "both", clock: "both" },
  threads: { binds: "threads", clock: "threads" },
};

/** A side's process. Events that nobody waits for yet are kept. */
class Side {
  #child;
  #events = new Map();

  constructor(contender, job) {
    const script = fileURLToPath(new URL(`peers/${contender.script}.mjs`, import.meta.url));
    const env = { ...process.env };
    if (contender.engine !== undefined) env.ZWIRE_ENGINE = contender.engine;
    this.#child = fork(script, [JSON.stringify(job)], { env });
    this.#child.on("message", (line) => this.#event(line.event).resolve(line));
    this.#child.once("exit", (code, signal) => {
      const error = new Error(`${contender.name}, ${job.role}: ended early with ${signal ?? code}`);
      this.#event("failed").resolve(error);
    });
  }

  #event(name) {
    let event = this.#events.get(name);
    if (event === undefined) {
      event = Promise.withResolvers?.() ?? withResolvers();
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
    this.#child.send(word);
  }

  kill() {
    this.#child.kill("SIGKILL");
  }
}

function withResolvers() {
  const event = {};
  event.promise = new Promise((resolve) => {
    event.resolve = resolve;
  });
  return event;
}

function jobOf(row, contender, { warmup, count }) {
  const { size, subscribers, inFlight } = row;
  const { script: library, send, receive } = contender;
  return { size, subscribers, inFlight, warmup, count, library, send, receive };
}

async function meet(row, contender, counts, endpoint, sides) {
  const roles = ROLES[row.kind];
  const job = jobOf(row, contender, counts);
  const start = (role, where) => {
    const side = new Side(contender, { ...job, role, endpoint: where });
    sides.push(side);
    return side;
  };
  const bound = start(roles.binds, endpoint);
  if (roles.dials === undefined) return [await bound.says("done")];
  const ready = await bound.says("ready");
  const dialled = start(roles.dials, ready.endpoint);
  if (row.kind === "fan-out") {
    await dialled.says("subscribed");
    bound.tell("go");
  }
  const [clock, other] = roles.clock === roles.binds ? [bound, dialled] : [dialled, bound];
  const figures = await Promise.race([clock.says("done"), other.says("done")]);
  other.tell("finish");
  return [figures, await other.says("done")];
}

function endpointOf(transport, folder) {
  if (transport === "tcp") return "tcp://127.0.0.1:*";
  return transport === "ipc" ? `ipc://${join(folder, "bench.sock")}` : "inproc://bench";
}

/**
 * Runs one trial in fresh processes.
 * @param counts { warmup, count }: messages before and after the clock starts
 * @returns seconds, messages per second, CPU seconds of both sides, the part of the time that each side (the one with
 *   the clock first) was busy, peak resident set of the larger, latency
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
    const meeting = meet(row, contender, counts, endpointOf(row.transport, folder), sides);
    const [clock, other] = await Promise.race([meeting, late]);
    return {
      seconds: clock.seconds,
      messages: clock.messages,
      rate: clock.messages / clock.seconds,
      cpuPerMillion: ((clock.cpuSeconds + (other?.cpuSeconds ?? 0)) / clock.messages) * 1e6,
      busy: [clock, other].map((side) => (side ? side.cpuSeconds / side.seconds : 0)),
      peakRss: Math.max(clock.peakRss, other?.peakRss ?? 0),
      latency: clock.latency,
    };
  } finally {
    clearTimeout(timer);
    for (const side of sides) side.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
