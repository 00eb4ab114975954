/**
 * Creates and terminates worker threads with zwire in traffic. Arguments: how many, how many at a time, and "traffic" to
 * wait for messages in each, "start" to terminate at any point of starting up.
 */
import { Worker } from "node:worker_threads";
import { Pull, say } from "./zwire.mjs";

const [total, width, mode] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const script = new URL("./traffic-worker.mjs", import.meta.url);
let started = 0;
let flowed = 0;
const failures = [];

/** What a worker binds, and whether with CURVE; and the name of this thread's that it sends to. */
const KINDS = [
  { endpoints: ["tcp://127.0.0.1:*"] },
  { endpoints: ["ipc://*"] },
  { endpoints: ["inproc://w"] },
  { endpoints: ["tcp://127.0.0.1:*", "ipc://*"] },
  { endpoints: ["tcp://127.0.0.1:*", "ipc://*"], curve: true },
  { endpoints: [], main: "inproc://main" },
];
const pull = new Pull();
await pull.bind("inproc://main");
(async () => {
  for await (const _ of pull);
})();

async function one(n) {
  const worker = new Worker(script, { workerData: KINDS[n % KINDS.length] });
  worker.on("error", (error) => failures.push(String(error.stack ?? error)));
  await new Promise((resolve) => {
    worker.on("exit", resolve);
    worker.on("message", resolve);
    // "start": terminated while it loads, binds, connects or already sends.
    if (mode === "start") setTimeout(resolve, n % 10 === 0 ? (n * 7) % 500 : n % 40);
  });
  if (mode === "traffic") flowed++;
  await worker.terminate();
}

async function lane() {
  while (started < total) await one(started++);
}

globalThis.gc?.();
const before = process.memoryUsage().rss;
await Promise.all(Array.from({ length: width }, lane));
globalThis.gc?.();
await pull.close();
say({ event: "done", started, flowed, failures, grown: process.memoryUsage().rss - before });
