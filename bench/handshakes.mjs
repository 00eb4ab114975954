/**
 * Handshakes of a CURVE server, and what it withstands. One process is the server, a REP socket; a second one dials it
 * in one of four ways, as fast as it is answered; this one is a good peer, and makes a round trip every few
 * milliseconds.
 *
 *   npm run bench:handshakes -- [--seconds 3] [--rounds 3] [--only zwire,zeromq.js] [--engine native|portable]
 *
 * handshakes: zwire clients that connect and leave · HELLO of a stranger: bytes that open nothing, which cost the
 * sender nothing · HELLO for this server, and then silence: the dearest bytes that an attacker without any key can
 * send · TCP alone: connections closed at once, what accepting costs by itself.
 *
 * Rates per second of the server's processor time are what one core serves; those per second of the clock depend on
 * what else needs a core, the dialling process not least.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Request } from "zwire";
import { clientOptions } from "./peers/keys.mjs";
import { Samples } from "./peers/samples.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "zwire,zeromq.js" },
    engine: { type: "string" },
  },
});
const seconds = Number(values.seconds);
const WAYS = ["nothing", "tcp", "handshakes", "stranger", "hello"];
const LIBRARIES = { zwire: "zwire", "zeromq.js": "zeromq" };

/** A process of handshake-side.mjs, and what it says. */
function side(job, env = {}) {
  const script = fileURLToPath(new URL("peers/handshake-side.mjs", import.meta.url));
  const child = fork(script, [JSON.stringify(job)], { env: { ...process.env, ...env } });
  const said = [];
  const waiting = [];
  child.on("message", (line) => (waiting.length > 0 ? waiting.shift().resolve(line) : said.push(line)));
  child.once("exit", (code) => {
    for (const one of waiting) one.reject(new Error(`${job.role} ended with ${code}`));
  });
  return {
    next: () =>
      said.length > 0
        ? Promise.resolve(said.shift())
        : new Promise((resolve, reject) => waiting.push({ resolve, reject })),
    tell: (word) => child.send(word),
    kill: () => child.kill("SIGKILL"),
  };
}

/** Between two round trips: they shall cost the server next to nothing. */
const PAUSE_MS = 2;

/** Round trips until told to stop. */
async function roundTrips(request, samples, state) {
  while (state.running) {
    const before = performance.now();
    await request.send("are you there?");
    await request.receive();
    samples.add(performance.now() - before);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** What the dialler has done so far. */
async function counted(dialler) {
  if (dialler === undefined) return 0;
  dialler.tell("count");
  return (await dialler.next()).count;
}

async function trial(library, way) {
  const env = library === "zwire" && values.engine !== undefined ? { ZWIRE_ENGINE: values.engine } : {};
  const server = side({ role: "server", library }, env);
  const request = new Request({ ...clientOptions, linger: 0 });
  let dialler;
  try {
    const { endpoint } = await server.next();
    request.connect(endpoint);
    await request.send("hello");
    await request.receive();
    if (way !== "nothing") {
      dialler = side({ role: "dialler", way, endpoint });
      await dialler.next(); // it has begun, and its first second is over
    }
    server.tell("start");
    const before = await counted(dialler);
    const samples = new Samples(1_000_000);
    const state = { running: true };
    const trips = roundTrips(request, samples, state);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    state.running = false;
    const after = await counted(dialler);
    server.tell("stop");
    const figures = await server.next();
    await trips;
    return { ...figures, count: after - before, trips: samples.count, latency: samples.summary() };
  } finally {
    request.close({ linger: 0 });
    dialler?.kill();
    server.kill();
  }
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

for (const name of values.only.split(",")) {
  console.log(`\n${name}`);
  for (const way of WAYS) {
    const trials = [];
    for (let round = 0; round < Number(values.rounds); round++)
      trials.push(await trial(LIBRARIES[name], way));
    const of = (figure) => median(trials.map(figure));
    const rate = Math.round(of((one) => one.count / one.seconds));
    const perCore = Math.round(of((one) => one.count / one.cpuSeconds));
    const latency = `p50 ${Math.round(of((one) => one.latency.p50))} µs, p99 ${Math.round(of((one) => one.latency.p99))} µs`;
    const memory = `${Math.round(of((one) => one.peakRss) / 1024 ** 2)} MiB peak`;
    console.log(
      `  ${way.padEnd(11)} ${String(rate).padStart(6)} /s, ${String(perCore).padStart(6)} per CPU s; ` +
        `good peer ${latency}; ${memory}`,
    );
  }
}
process.exit(0);
