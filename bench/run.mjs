/**
 * The benchmarks, one command: every row of rows.mjs, zwire and its peers in turn, each trial in fresh processes.
 *
 *   npm run bench -- [--only tcp-16,ipc-16] [--trials 5] [--seconds 1.5] [--engine native|portable] [--check] [--guard]
 *                    [--profile folder]
 *
 * `--engine` forces zwire's engine in the rows that do not name one. `--check` exits 1 when a bar is missed. `--guard`
 * is a short run of the rows that have a bar against zeromq.js, and exits 1 when a figure is worse than half of its
 * bar: machines are noisy, and a regression of that size is real. What misses is looked at again, longer, and fails only
 * if it misses each time. `--profile` leaves a CPU profile of each Node side of each trial. A full run of all
 * rows is written to results/latest.json, and drawn as latest.svg.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as zeromq from "zeromq";
import { engine, version } from "zwire";
import { canRun, cLibraryVersion, prepareCPeers } from "./c-peers.mjs";
import { drawLatest } from "./chart.mjs";
import { kinds } from "./kinds.mjs";
import { printRow } from "./print.mjs";
import { rows } from "./rows.mjs";
import { compare, summarise } from "./summary.mjs";
import { profileInto, trial } from "./trial.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    trials: { type: "string" },
    seconds: { type: "string" },
    engine: { type: "string" },
    check: { type: "boolean", default: false },
    guard: { type: "boolean", default: false },
    profile: { type: "string" },
  },
});

/** Further looks of the guard at a row that missed; each has more and longer trials than the one before. */
const SECOND_LOOKS = 2;

let trials = Number(values.trials ?? (values.guard ? 3 : 5));
let seconds = Number(values.seconds ?? (values.guard ? 0.4 : 1.5));

function usage(text) {
  console.error(text);
  process.exit(2);
}

if (!Number.isInteger(trials) || trials < 1) usage("--trials must be a positive integer");
if (!(seconds > 0)) usage("--seconds must be a positive number");
if (values.engine !== undefined && !["native", "portable"].includes(values.engine)) {
  usage('--engine must be "native" or "portable"');
}

if (values.profile !== undefined) profileInto(values.profile);

function chosenRows() {
  const all = values.guard ? rows.filter((row) => row.bars.some(({ peer }) => peer === "zeromq.js")) : rows;
  if (values.only === undefined) return all;
  return values.only.split(",").map((id) => {
    return (
      rows.find((row) => row.id === id) ??
      usage(`no row "${id}"; there are ${rows.map((row) => row.id).join(", ")}`)
    );
  });
}

/**
 * Latencies take more and shorter trials in the same time, so that those of one round lie close together: see
 * compare().
 */
function planOf(row) {
  const most = kinds[row.kind].trials;
  if (most !== undefined) return { rounds: Math.min(trials, most), seconds };
  return row.kind === "latency" ? { rounds: trials * 3, seconds: seconds / 3 } : { rounds: trials, seconds };
}

/**
 * Messages for a trial that takes about as long as asked for, the first fifth of them, or as many as the row or the
 * contender wants, to warm up.
 */
function countsFor(rate, row, contender) {
  const perMessage = row.topics === undefined ? (row.subscribers ?? 1) : 1; // each topic has one subscriber
  const count = Math.max(100, Math.round((rate / perMessage) * planOf(row).seconds));
  return {
    count,
    warmup: Math.max(row.warmup ?? 0, Math.ceil((contender.warmup ?? 0) / perMessage), Math.ceil(count / 4)),
  };
}

/** How many messages a contender needs to be given: trials that get longer until one is long enough to tell. */
async function calibrate(row, contender) {
  const fixed = kinds[row.kind].counts;
  if (fixed !== undefined) return fixed(row);
  let counts = countsFor(row.kind === "latency" ? 2000 : row.size > 4096 ? 3000 : 30_000, row, contender);
  for (;;) {
    const { rate, seconds: took } = await trial(row, contender, counts);
    const next = countsFor(rate, row, contender);
    // A short trial runs before V8 has optimised: its rate is too low to be the last word.
    if (took >= planOf(row).seconds / 2 || next.count < counts.count) return next;
    counts = next;
  }
}

/** Who takes part: the guard has time for zeromq.js only, and a machine without a compiler has no C programs. */
function contendersOf(row) {
  const able = row.contenders.filter((one, at) => {
    if (values.guard) return at === 0 || one.name === "zeromq.js";
    const inC = [one.script, one.dialler?.script].filter((script) => script?.startsWith("c/"));
    return inC.length === 0 || (withoutC === undefined && inC.every(canRun));
  });
  return able.map((one) => (one.script.startsWith("zwire") ? { engine: values.engine, ...one } : one));
}

async function runRow(row) {
  const contenders = contendersOf(row);
  const counts = [];
  for (const contender of contenders) counts.push(await calibrate(row, contender));
  const results = contenders.map(() => []);
  for (let round = 0; round < planOf(row).rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      // Each begins a round once in a while, so that none always comes after the same one.
      const at = (round + turn) % contenders.length;
      results[at].push(await trial(row, contenders[at], counts[at]));
    }
  }
  const summaries = contenders.map((one, at) => summarise(row, one, results[at]));
  return { ...row, contenders: summaries, ratios: compare(row, summaries, values.guard) };
}

function machine() {
  const require = createRequire(import.meta.url);
  return {
    processor: cpus()[0].model,
    processors: cpus().length,
    memory: totalmem(),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    zwire: version,
    engine: values.engine ?? engine(),
    "zeromq.js": JSON.parse(readFileSync(require.resolve("zeromq/package.json"), "utf8")).version,
    libzmq: zeromq.version,
    "libzmq from C": withoutC === undefined ? cLibraryVersion() : null,
    /** What else ran before we began: processes that wanted a processor, in the mean of the last minute. */
    loadBefore: loadavg()[0],
  };
}

/** Why there are no peers in C; undefined when there are. */
const withoutC = values.guard ? "not in the guard" : prepareCPeers();

const started = new Date();
const about = machine();
console.log(
  `${about.processors} × ${about.processor}, ${about.system}, Node ${about.node}, zeromq.js ${about["zeromq.js"]}`,
);
console.log(
  `zwire ${about.zwire}, ${about.engine} engine; ${trials} trials of ${seconds} s (latency: ${trials * 3} of a third): median (min–max)`,
);

if (withoutC !== undefined && !values.guard) console.log(`without the peers in C: ${withoutC}`);
if (about.loadBefore > about.processors / 2) {
  console.log(
    `the machine is busy (load ${about.loadBefore}): the figures are worth little, the ratios somewhat more`,
  );
}

async function measure(chosen) {
  const results = [];
  for (const row of chosen) {
    let result;
    try {
      result = await runRow(row);
    } catch (error) {
      result = { ...row, contenders: [], ratios: [], error: error.message };
    }
    // Our own two processes make about 2 of it: much more means that others ran as well.
    result.load = loadavg()[0];
    printRow(result);
    results.push(result);
  }
  return results;
}

const hasFailed = ({ error, ratios }) => error !== undefined || ratios.some(({ met }) => met === false);

let measured = await measure(chosenRows());
for (let look = 0; values.guard && look < SECOND_LOOKS && measured.some(hasFailed); look++) {
  trials += 2;
  seconds *= 1.5;
  console.log("\nwhat missed, once more, with more and longer trials:");
  const again = await measure(
    rows.filter(({ id }) => measured.some((row) => row.id === id && hasFailed(row))),
  );
  measured = measured.map((row) => again.find(({ id }) => id === row.id) ?? row);
}

const complete = values.only === undefined && !values.guard && values.engine === undefined;
if (complete) {
  const folder = fileURLToPath(new URL("results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const document = { date: started.toISOString(), machine: about, trials, seconds, rows: measured };
  writeFileSync(`${folder}latest.json`, `${JSON.stringify(document, null, 2)}\n`);
  drawLatest();
  console.log("\nwritten to bench/results/latest.json and latest.svg");
}

const failed = measured.filter((row) => row.error !== undefined);
const missed = measured.flatMap((row) => row.ratios.filter((one) => one.met === false).map(() => row.id));
if (missed.length > 0) console.log(`\nbars missed${values.guard ? " by half" : ""}: ${missed.join(", ")}`);
if (failed.length > 0 || ((values.check || values.guard) && missed.length > 0)) process.exitCode = 1;
