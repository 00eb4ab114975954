/**
 * zwire beside ws, Redis, NATS and postMessage, for docs/when-not.md: messages of 16 bytes and of 1 KiB in one direction, and round trips. Every kind runs once in each
 * round, one after the other, so that each ratio compares trials of the same minute; the table has medians of the ratios, lowest and highest.
 *
 *   mkdir /tmp/others && cd /tmp/others && npm init -y && npm install ws redis nats     (servers: Debian's redis-server, nats-server)
 *   OTHERS=/tmp/others node bench/others/run.mjs [rounds]
 *
 * A kind whose package or server is not there is left out, and named.
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { kinds } from "./kinds.mjs";

const SIDE = fileURLToPath(new URL("side.mjs", import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 5);
const ROWS = [
  { name: "16 B, one way", size: 16, count: 200_000 },
  { name: "1 KiB, one way", size: 1024, count: 100_000 },
  { name: "round trip, 16 B", size: 16, asks: 3000 },
];

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts a server of Debian's; undefined where it is not installed. */
async function startServer(program, args) {
  const server = spawn(program, args, { stdio: "ignore" });
  const failed = once(server, "error").then(() => undefined);
  const started = await Promise.race([failed, once(server, "spawn").then(() => server)]);
  if (started !== undefined) await new Promise((later) => setTimeout(later, 1000));
  return started;
}

/** The receiving side, as a process or a thread: sends what it says to `hear`. */
function startSide(name, row) {
  const args = [name, JSON.stringify(row), "receive"];
  if (kinds[name].threads) {
    const worker = new Worker(SIDE, { argv: args });
    return { worker, next: (word) => said(worker, word), stop: () => worker.terminate() };
  }
  const child = fork(SIDE, args);
  return { next: (word) => said(child, word), stop: () => child.kill() };
}

/** What a side says next in its message `{ word: … }`. */
function said(side, word) {
  return new Promise((resolve, reject) => {
    side.on("message", function hear(message) {
      if (typeof message !== "object" || message === null || !(word in message)) return;
      side.off("message", hear);
      resolve(message[word]);
    });
    side.once("error", reject);
  });
}

/** Messages per second, or microseconds of the median round trip. */
async function trial(name, row) {
  const receiver = startSide(name, row);
  try {
    const at = await receiver.next("at");
    const done = row.asks === undefined ? receiver.next("perSecond") : undefined;
    if (kinds[name].threads) {
      const { send } = await import("./side.mjs");
      const median = await send(name, row, at, receiver.worker);
      return await (done ?? median);
    }
    const sender = fork(SIDE, [name, JSON.stringify(row), "send", at]);
    const result = await (done ?? said(sender, "median"));
    sender.kill();
    return result;
  } finally {
    await receiver.stop();
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const ratio = (values) =>
  `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`;

const [redisPort, natsPort] = [await freePort(), await freePort()];
process.env.REDIS = `redis://127.0.0.1:${redisPort}`;
process.env.NATS = `127.0.0.1:${natsPort}`;
const servers = {
  redis: await startServer("redis-server", ["--port", `${redisPort}`, "--save", "", "--appendonly", "no"]),
  nats: await startServer("nats-server", ["-a", "127.0.0.1", "-p", `${natsPort}`]),
};
const packages = { redis: "redis", nats: "nats", ws: "ws" };
const here = Object.keys(kinds).filter((name) => {
  const lacksPackage =
    name in packages && !existsSync(join(process.env.OTHERS ?? ".", "node_modules", packages[name]));
  const lacksServer = name in servers && servers[name] === undefined;
  if (lacksPackage || lacksServer) console.log(`left out: ${name}`);
  return !lacksPackage && !lacksServer;
});

for (const row of ROWS) {
  const results = Object.fromEntries(here.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of here) results[name].push(await trial(name, row));
  }
  console.log(
    `\n${row.name}: ${row.asks === undefined ? "messages per second" : "µs at the median"}; ratio to zwire`,
  );
  for (const name of here) {
    const base = results[kinds[name].threads ? "zwire inproc, two threads" : "zwire tcp"];
    const ratios = results[name].map((value, round) => value / base[round]);
    console.log(
      `${name.padEnd(26)} ${Math.round(median(results[name])).toString().padStart(9)}   ${ratio(ratios)}`,
    );
  }
}
for (const server of Object.values(servers)) server?.kill();
