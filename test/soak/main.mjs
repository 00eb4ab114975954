/**
 * The soak: traffic of many kinds (kinds.mjs) between this process and peers that are killed, leave and come back, over
 * ipc with shared memory. Now and then all peers are sent away; what this process then holds must be what it held before:
 * memory, descriptors and mappings.
 *
 *   npm run soak                       30 minutes
 *   npm run soak -- --minutes 5        as many
 *   npm run soak -- --every 60         seconds of traffic between two rests (default 30)
 *   npm run soak -- --only curve       kinds whose names contain the word; may be given several times
 *
 * The exit code is 1 if something was lost, doubled, torn or left, or did not go on; the reason stands on stderr.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { KINDS } from "./kinds.mjs";
import { Place } from "./peers.mjs";

const MIB = 1024 * 1024;
/** How much more memory than in the first rests there may be: what the system's allocator keeps differs from time to time. */
const SLACK = 64 * MIB;
/** Rests until the process has its usual size. */
const WARM = 4;
/** Seconds within which everything has ended and been given back, and something of each kind has arrived. */
const PATIENCE = 180;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    every: { type: "string", default: "30" },
    only: { type: "string", multiple: true },
  },
});
const [minutes, every] = [positive("minutes"), positive("every")];
const chosen = KINDS.filter(({ name }) => (values.only ?? [name]).some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`--only: no such kind; there are ${KINDS.map(({ name }) => name).join("; ")}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "zwire-soak-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const began = Date.now();

function positive(name) {
  const number = Number(values[name]);
  if (number > 0) return number;
  console.error(`--${name} must be a positive number; got ${values[name]}`);
  process.exit(2);
}

/** Ends the soak. */
function fail(error) {
  console.error(`\nafter ${elapsed()}: ${error.stack ?? error}`);
  process.exit(1);
}

/** The last ends of connections of a kind, for the reason of a failure. */
const ENDS_TOLD = 5;

/** Ends the soak because of one kind. */
function failOf({ kind, ends }, error) {
  console.error(
    `\n"${kind.name}"; its last connections ended so: ${ends.slice(-ENDS_TOLD).join(", ") || "none did"}`,
  );
  fail(error);
}

function note(one, socket) {
  socket.on("disconnect", ({ error }) => {
    one.ends.push(`at ${elapsed()} by ${error?.code ?? error?.message ?? "its peer"}`);
    if (one.ends.length > ENDS_TOLD) one.ends.shift();
  });
}
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

function elapsed() {
  const seconds = Math.round((Date.now() - began) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

async function until(holds, what) {
  const deadline = Date.now() + PATIENCE * 1000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`${what()}: not within ${PATIENCE} s`);
    await pause(10);
  }
}

const linux = process.platform === "linux";
/** Memory for loans has this name, and its owner a descriptor of each piece and a mapping to write. */
const LOANS = "memfd:zwire-loans";

/** What the descriptors are. */
function files() {
  const fds = linux ? readdirSync("/proc/self/fd") : [];
  return fds.map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "closed";
    }
  });
}

/** Mappings of memory that is shared. */
function shared() {
  const maps = linux ? readFileSync("/proc/self/maps", "utf8").split("\n") : [];
  return maps.filter((line) => line.includes("memfd:"));
}

const ownLoans = (line) => line.includes(LOANS) && line.includes(" rw-s ");

/** What there is of each, without the memory that our own sockets keep for loans. */
function held() {
  const lines = shared();
  const names = files();
  return {
    mappings: lines.filter((line) => !ownLoans(line)).length,
    descriptors: names.filter((name) => !name.includes(LOANS)).length,
    pools: Math.max(lines.filter(ownLoans).length, names.filter((name) => name.includes(LOANS)).length),
  };
}

/** What the descriptors are, for the reason of a failure. */
function open() {
  const kinds = new Map();
  for (const name of files().map((file) => file.replace(/\d+/g, "…")))
    kinds.set(name, (kinds.get(name) ?? 0) + 1);
  return [...kinds].map(([name, count]) => `${count} ${name}`).join(", ");
}

/** Collects until nothing more is found: V8 frees the memory of Buffers after the collection that finds them unused. */
async function memory() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await pause(20);
  }
  return process.memoryUsage().rss;
}

/** What the process holds without peers. The first rest says what is usual. */
class Rests {
  #descriptors = -1;
  #rss = [];

  async take(kinds) {
    const sockets = kinds.flatMap(({ side }) => side.sockets);
    await until(
      () => sockets.every(({ stats }) => stats.peers === 0),
      () => "peers to be gone",
    );
    await pause(500);
    const most = kinds.reduce((sum, { kind }) => sum + (kind.pools ?? 0), 0);
    if (this.#descriptors === -1) this.#descriptors = held().descriptors;
    let now;
    await until(
      () => {
        now = held();
        // What the program has borrowed and forgotten goes when the collector finds it.
        if (now.mappings > 0) globalThis.gc();
        return now.mappings === 0 && now.descriptors === this.#descriptors && now.pools <= most;
      },
      () =>
        `${now.mappings} mappings, ${now.descriptors} descriptors and ${now.pools} pools, instead of 0, ${this.#descriptors} and ${most} at most: ${open()}`,
    );
    const lent = sockets.flatMap((socket) => socket.loans ?? []).filter(({ holder }) => holder !== "program");
    if (lent.length > 0) throw new Error(`${lent.length} loans are with peers that are gone`);
    return `${mib(await this.#weigh())} MiB, ${now.descriptors} descriptors, 0 mappings, ${now.pools} pools`;
  }

  async #weigh() {
    const rss = await memory();
    this.#rss.push(rss);
    const most = Math.max(...this.#rss.slice(0, WARM)) + SLACK;
    if (rss > most)
      throw new Error(`memory grows: ${this.#rss.map((bytes) => `${mib(bytes)} MiB`).join(", ")}`);
    return rss;
  }
}

const mib = (bytes) => Math.round(bytes / MIB);

const kinds = [];
for (const kind of chosen) {
  const path = join(folder, `${KINDS.indexOf(kind)}`);
  const one = { kind, ends: [], before: 0 };
  const failed = (error) => failOf(one, error);
  one.side = await kind.hub({ path, fail: failed });
  for (const socket of one.side.sockets) note(one, socket);
  one.places = Array.from({ length: kind.peers }, (_, slot) => new Place(kind, path, slot, failed));
  kinds.push(one);
}
const places = kinds.flatMap((one) => one.places);
const sum = (name) => places.reduce((total, place) => total + place[name], 0);
const rests = new Rests();
console.log(`${minutes} min, ${chosen.length} kinds, ${places.length} peers, node ${process.version}`);

async function round() {
  for (const place of places) place.start();
  await pause(every * 1000);
  // On a busy machine new processes take long, and are killed early.
  const dry = () => kinds.filter((one) => one.side.count === one.before).map(({ kind }) => kind.name);
  await until(
    () => dry().length === 0,
    () => `nothing arrives of the kinds ${dry().join("; ")}`,
  );
  const sharing = kinds.reduce(
    (total, { side }) => total + side.sockets.reduce((all, { stats }) => all + stats.sharedMemory, 0),
    0,
  );
  await Promise.race([
    Promise.all(places.map((place) => place.stop())),
    pause(PATIENCE * 1000, null, { ref: false }).then(() => Promise.reject(new Error("peers do not end"))),
  ]);
  const rest = await rests.take(kinds);
  const counts = kinds.map((one) => {
    const { count } = one.side;
    const more = count - one.before;
    one.before = count;
    one.side.rest();
    return `${one.kind.name} ${more}`;
  });
  console.log(
    `${elapsed()}  ${rest}; ${sum("kills")} kills, ${sum("leaves")} leaves, ${sharing} shared; ${counts.join(", ")}`,
  );
}

while (Date.now() - began < minutes * 60_000) await round();
await Promise.all(kinds.map(({ side }) => side.close()));
console.log(
  `${elapsed()}  nothing lost, doubled, torn or left: ${sum("kills")} kills, ${sum("leaves")} leaves`,
);
process.exit(0);
