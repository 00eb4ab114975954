/**
 * Where the time of a trial went: reads the CPU profiles that `run.mjs --profile` leaves, and prints the functions with
 * the most time of their own, as a part of the process's busy time.
 *
 *   node bench/where.mjs <folder or .cpuprofile> [functions]
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const [from, most = "20"] = process.argv.slice(2);
if (from === undefined) {
  console.error("node bench/where.mjs <folder or .cpuprofile> [functions]");
  process.exit(2);
}

/** V8's names for what is no function of ours. */
const NOT_JAVASCRIPT = { "(program)": "C++ and the kernel", "(garbage collector)": "garbage collector" };

function placeOf({ functionName, url, lineNumber }) {
  if (url === "") return NOT_JAVASCRIPT[functionName] ?? functionName;
  return `${functionName || "(anonymous)"}  ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
}

function print(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const times = new Map();
  let busy = 0;
  for (const [i, id] of samples.entries()) {
    const place = places.get(id);
    if (place === "(idle)") continue;
    busy += timeDeltas[i];
    times.set(place, (times.get(place) ?? 0) + timeDeltas[i]);
  }
  console.log(`\n${basename(file)}: ${(busy / 1e6).toFixed(2)} s busy`);
  for (const [place, time] of [...times].sort((a, b) => b[1] - a[1]).slice(0, Number(most))) {
    console.log(`${((time / busy) * 100).toFixed(1).padStart(6)} %  ${place}`);
  }
}

const files = statSync(from).isDirectory()
  ? readdirSync(from)
      .filter((name) => name.endsWith(".cpuprofile"))
      .sort()
      .map((name) => join(from, name))
  : [from];
for (const file of files) print(file);
