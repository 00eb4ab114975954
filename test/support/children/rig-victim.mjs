/**
 * A process under attack: one of rig-victims.mjs, and what the attack does to it, its memory above idle and the longest
 * stall of its event loop. Arguments: the kind, its options as JSON, the endpoint to bind.
 */
import { VICTIMS } from "./rig-victims.mjs";
import { onLine, say } from "./zwire.mjs";

const [kind, options, endpoint] = process.argv.slice(2);
const limits = {};
let lateness = [];
/** When the stretch that is measured began. */
let since = performance.now();
const victim = await VICTIMS[kind](JSON.parse(options), {
  limits,
  endpoint: endpoint === "" ? undefined : endpoint,
  // What came before the stretch is not counted.
  late: (ms) => lateness.push(Math.min(ms, performance.now() - since)),
});

/** Bytes of the resident set, and of what JavaScript holds or has reserved. */
function memory() {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, held: heapUsed + external };
}

let stall = 0;
let peak = memory();
let begun = performance.now();
let spent = process.cpuUsage();
let ticks = 0;

/**
 * How long the loop was away. A machine that is busy with others takes the processor away, too: what counts is the
 * lesser of the time by the clock and the processor's.
 */
function tick() {
  const now = performance.now();
  const cpu = process.cpuUsage(spent);
  stall = Math.max(stall, Math.min(now - begun, (cpu.user + cpu.system) / 1000));
  begun = now;
  spent = process.cpuUsage();
  if (++ticks % 8 === 0) {
    const { rss, held } = memory();
    peak = { rss: Math.max(peak.rss, rss), held: Math.max(peak.held, held) };
    // Not counted: our own measuring.
    begun = performance.now();
    spent = process.cpuUsage();
  }
  setTimeout(tick, 1);
}
setTimeout(tick, 1);

let idle = memory();
const ops = {
  /** A stretch to be measured begins, when this is answered: collecting garbage takes its time. */
  begin({ id }) {
    globalThis.gc();
    idle = memory();
    peak = idle;
    stall = 0;
    lateness = [];
    begun = performance.now();
    since = begun;
    spent = process.cpuUsage();
    say({ event: "begun", id });
  },
  /** What has come of it. */
  report({ id }) {
    const above = { rss: peak.rss - idle.rss, held: peak.held - idle.held };
    const before = memory();
    globalThis.gc();
    const after = memory();
    begun = performance.now();
    spent = process.cpuUsage();
    say({
      event: "report",
      id,
      above,
      kept: { rss: after.rss - idle.rss, held: after.held - idle.held },
      now: before,
      stall,
      lateness,
      limits,
      peers: victim.sockets.map((socket) => socket.peers.length),
      processorMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
    });
  },
  ...victim.ops,
};
onLine((line) => void ops[line.op](line));
process.stdin.ref?.();
say({ event: "ready", endpoint: victim.endpoint, good: victim.good });
