/**
 * A PUSH whose peer is killed and restarted again and again goes on. Nothing is lost beyond what the kernel had taken
 * when the peer died, nothing arrives twice or out of order, and no handle or memory is left behind. The peer is a real
 * process (support/children/raw-puller.mjs) that dies by SIGKILL.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, expect } from "vitest";
import { Push } from "../../../src/index.js";
import { childPath } from "../child.js";
import { managed, record, until } from "../helpers.js";

/** Messages in a round. */
const QUIET = 50;
const BODY = 1000;

/** One life of the peer. */
class Life {
  readonly numbers: number[] = [];
  readonly process: ChildProcess;
  port = 0;
  #gone: Promise<void>;

  constructor(port: number) {
    this.process = spawn(process.execPath, [childPath("raw-puller.mjs"), `${port}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: this.process.stdout! });
    lines.on("line", (line) => {
      if (line.startsWith("port ")) this.port = Number(line.slice(5));
      else this.numbers.push(Number(line));
    });
    this.#gone = new Promise((resolve) => this.process.once("close", () => resolve()));
  }

  /** Kills it and waits until all that it printed is read. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#gone;
  }
}

let running: Life | undefined;
afterAll(() => running?.process.kill("SIGKILL"));

function start(port: number): Life {
  running = new Life(port);
  return running;
}

function body(number: number): Buffer {
  const octets = Buffer.alloc(BODY, number);
  octets.writeUInt32BE(number, 0);
  return octets;
}

/** Descriptors open in this process, where the system shows them. */
function handles(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}

function memory() {
  globalThis.gc!();
  const { heapUsed: heap, arrayBuffers: buffers, rss } = process.memoryUsage();
  return { heap, buffers, rss };
}

/** @param rounds how often the peer is killed */
export async function killAndRestart(rounds: number): Promise<void> {
  const push = managed(new Push({ reconnectInterval: 5 }));
  const events = record(push);
  let life = start(0);
  await until(() => life.port > 0, "the first life");
  const { port } = life;
  push.connect(`tcp://127.0.0.1:${port}`);
  let next = 0;
  let lost = 0;
  let baseline = { handles: 0, memory: memory() };
  for (let round = 1; round <= rounds; round++) {
    const from = next;
    const inFlight = round % 2 === 0;
    for (let i = 0; i < QUIET; i++) await push.send(body(next++), { timeout: 10_000 });
    if (inFlight) {
      // Killed while messages are on their way: only those that the kernel took may be missing.
      await until(() => life.numbers.length > 0, "the first of them");
      for (let i = 0; i < QUIET; i++) await push.send(body(next++), { timeout: 10_000 });
    } else {
      // Killed when all have arrived: nothing may be missing.
      await until(() => life.numbers.at(-1) === next - 1, `round ${round}: ${next - 1}`, 30_000);
    }
    await life.kill();
    await events.next("disconnect", round, 30_000);
    // Between two lives: these wait in the queue and must all arrive.
    const queued = next;
    for (let i = 0; i < 10; i++) await push.send(body(next++), { timeout: 10_000 });
    const seen = life.numbers;
    for (let i = 1; i < seen.length; i++) expect(seen[i], `round ${round}`).toBe(seen[i - 1] + 1);
    if (!inFlight) expect(seen.at(-1)).toBe(queued - 1);
    life = start(port);
    await until(() => life.numbers.length > 0, "a message in the new life", 30_000);
    // What is missing lies between the last of the old life and the first of the new one, and was sent before the kill.
    const first = life.numbers[0];
    expect(first, "nothing twice").toBeGreaterThan(seen.at(-1)!);
    expect(first, "what waited in the queue is not lost").toBeLessThanOrEqual(queued);
    if (inFlight) lost += first - 1 - seen.at(-1)!;
    else expect(first).toBe(queued);
    expect(first).toBeGreaterThan(from);
    if (round === Math.min(10, Math.floor(rounds / 2))) baseline = { handles: handles(), memory: memory() };
  }
  await until(() => life.numbers.at(-1) === next - 1, "the last message", 30_000);
  expect(events.of("handshake")).toHaveLength(rounds + 1);
  expect(handles() - baseline.handles).toBeLessThanOrEqual(2);
  const { heap, buffers, rss } = memory();
  // One slab of 64 KiB left behind in each round would show in the first; the second holds this test's records too.
  expect(buffers - baseline.memory.buffers).toBeLessThan(3 * 1024 ** 2);
  expect(heap - baseline.memory.heap).toBeLessThan(16 * 1024 ** 2);
  expect(rss - baseline.memory.rss).toBeLessThan(64 * 1024 ** 2);
  console.log(
    `restarts: ${next} messages sent, ${lost} lost in the kernel's hands in ${rounds / 2} kills in mid-traffic`,
  );
  await life.kill();
}
