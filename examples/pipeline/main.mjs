/**
 * The demo: counts and hashes every file below a folder with several processes, over zwire.
 *
 *   node examples/pipeline/main.mjs [folder] [--kill-one]
 *
 *             PUSH tasks ──► PULL  workers (two Node, one Python)  PUSH ──► PULL results
 *   main.mjs  PUB progress ──► SUB  monitor                                          main.mjs
 *             REP status ◄──── REQ  monitor
 *
 * Everything goes over ipc. It ends with a table and with the same totals counted in this one process, and exits 0
 * only if they agree. `--kill-one` kills a worker half way: then some items are lost, which are named, and the check is
 * made over the others.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Publisher, Pull, Push, Reply, version } from "zwire";
import { Crew, findPython } from "./crew.mjs";
import { Ledger } from "./ledger.mjs";
import { report } from "./report.mjs";
import { number } from "./table.mjs";
import { walk } from "./walk.mjs";

const { values, positionals } = parseArgs({
  options: { "kill-one": { type: "boolean", default: false } },
  allowPositionals: true,
});
const root = resolve(positionals[0] ?? fileURLToPath(new URL("../../node_modules", import.meta.url)));
if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
  console.error(`${root} is no folder`);
  process.exit(2);
}

// A PUSH cannot tell who got a message, and what lies in a dead worker's queue is lost with it: short queues, also in
// the kernel, where the engine can ask for that.
const tasks = new Push({ sendHighWaterMark: 8 });
if (tasks.engine === "native") tasks.sendBufferSize = 8192;
const results = new Pull();
const progress = new Publisher();
const status = new Reply();

// Waiting for a state: each change asks the conditions anew.
const waiting = new Set();

function changed() {
  for (const one of waiting) {
    if (!one.condition()) continue;
    waiting.delete(one);
    one.resolve();
  }
}

function until(condition) {
  if (condition()) return Promise.resolve();
  return new Promise((resolve) => waiting.add({ condition, resolve }));
}

const { files, closed } = await walk(root);
const ledger = new Ledger(files);
const noWorkers = new AbortController();
const crew = new Crew(() => {
  if (crew.alive.length === 0) noWorkers.abort();
  changed();
});
tasks.on("handshake", changed);
tasks.on("disconnect", changed);
results.on("disconnect", changed);

/** Takes results in until the socket is closed. */
async function sink() {
  const half = files.length / 2;
  let killed = !values["kill-one"];
  for await (const message of results) {
    ledger.take(message);
    if (!killed && ledger.done >= half) {
      killed = true;
      crew.killOne();
    }
    changed();
  }
}

/** Answers questions until the socket is closed. */
async function answer() {
  for await (const [question] of status) {
    if (question.toString() !== "status") {
      await status.send(JSON.stringify({ error: `ask for "status"` }));
      continue;
    }
    const workers = crew.members.map(({ name, alive }) => ({ name, alive, files: ledger.of(name).files }));
    await status.send(
      JSON.stringify({ done: ledger.done, total: files.length, bytes: ledger.bytes, workers }),
    );
  }
}

/** Hands out all items; stops when no worker is left. */
async function distribute() {
  try {
    for (let index = 0; index < files.length; index++) {
      await tasks.send(["file", String(index), files[index].path], { signal: noWorkers.signal });
    }
  } catch (error) {
    if (!noWorkers.signal.aborted) throw error;
  }
}

/** Every worker that is not alive has left both sockets, so nothing more goes to it or comes from it. */
function deadAreGone() {
  const alive = crew.alive.length;
  return tasks.peers.length <= alive && results.peers.length <= alive;
}

/**
 * Resolves when each item has its result or never will have one. Markers tell: they follow the items through the same
 * queues, and once each living worker has sent one back, there is nothing left in front of them. Who gets a marker is
 * the PUSH socket's choice, so one goes out at a time until all have had theirs. After a death the round is void: a
 * marker may have died too.
 */
async function settle() {
  for (let round = 1; ; round++) {
    await until(() => ledger.complete || deadAreGone());
    const { deaths } = crew;
    const over = () => ledger.complete || crew.deaths !== deaths;
    while (!over() && crew.alive.some(({ name }) => !ledger.answered(round).has(name))) {
      const back = ledger.markersBack;
      await tasks.send(["marker", String(round)], { signal: noWorkers.signal }).catch((error) => {
        if (!noWorkers.signal.aborted) throw error;
      });
      await until(() => over() || ledger.markersBack > back);
    }
    if (ledger.complete) return;
    if (crew.deaths === deaths) break;
  }
  // The living have answered everything. What the dead had answered has arrived, but may not be entered yet.
  for (let m = results.tryReceive(); m !== undefined; m = results.tryReceive()) ledger.take(m);
  await nextTurn(); // the sink may just have been handed one
}

/** Tells one worker after the other to end. */
async function dismiss() {
  crew.stopping();
  while (crew.alive.length > 0) {
    await until(deadAreGone);
    const alive = crew.alive.length;
    await tasks.send(["stop"], { signal: noWorkers.signal });
    await until(() => crew.alive.length < alive);
  }
}

const python = findPython();
console.log(`zwire ${version}, ${tasks.engine} engine: ${number(files.length)} files below ${root}`);
console.log(
  python
    ? `workers: two Node processes and one Python ${python.versions}`
    : "workers: two Node processes; no Python with pyzmq was found",
);
for (const folder of closed) console.log(`folder that cannot be read: ${folder}`);

const [taskEndpoint, resultEndpoint, progressEndpoint, statusEndpoint] = await Promise.all(
  [tasks, results, progress, status].map((socket) => socket.bind("ipc://*")),
);
sink();
answer();

const monitorPath = fileURLToPath(new URL("monitor.mjs", import.meta.url));
const monitor = spawn(process.execPath, [monitorPath, progressEndpoint, statusEndpoint], {
  stdio: "inherit",
});
const monitorGone = once(monitor, "exit");
process.once("exit", () => monitor.kill());
crew.start(python, [taskEndpoint, resultEndpoint, root]);

// All workers before the first item, or the first to come would get the most.
await until(() => tasks.peers.length >= crew.alive.length);
await Promise.race([progress.waitForSubscribers(1), monitorGone]);

const tell = () => progress.send(["progress", ledger.done, files.length, ledger.bytes]);
const telling = setInterval(tell, 100);
const started = performance.now();
await distribute();
await settle();
const seconds = (performance.now() - started) / 1000;
clearInterval(telling);
await tell();
await progress.send(["end"]);
await monitorGone;
await dismiss();
await Promise.all([tasks, results, progress, status].map((socket) => socket.close()));

const agrees = await report({ root, ledger, crew, seconds, allowLoss: values["kill-one"] });
process.exitCode = agrees ? 0 : 1;
