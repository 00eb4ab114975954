/**
 * A socket that strangers reach, and what its process holds. Argument: pull, publisher or radio. A PULL reads nothing
 * but what comes on a second endpoint, from its good peer, until it is told to.
 */

import { Radio } from "../../../dist/draft.js";
import { onLine, Publisher, Pull, Push, say } from "./zwire.mjs";

const [kind] = process.argv.slice(2);
const socket = kind === "pull" ? new Pull() : kind === "radio" ? new Radio() : new Publisher();
const endpoint = await socket.bind("tcp://127.0.0.1:*");

/**
 * Collects twice, because V8 lets go of the memory of Buffers after the collection that finds them unused. Meanwhile the
 * kernel takes more, so the counters are read first.
 */
async function report(event, more = {}) {
  const { stats } = socket;
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  say({ event, rss, held: heapUsed + external, stats, ...more });
}

async function publish(count, size) {
  for (let i = 0; i < count; i++) {
    const body = Buffer.alloc(size, i);
    if (kind === "radio") await socket.send(body, { group: "g" });
    else await socket.send(["", body]);
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  report("published");
}

/** Reads whole messages; `round` makes the loop turn in between, so that what is paused goes on. */
async function read(count) {
  const parts = new Map();
  for (let i = 0; i < count; i++) {
    const { length } = await socket.receive({ timeout: 30_000 });
    parts.set(length, (parts.get(length) ?? 0) + 1);
  }
  report("read", { parts: [...parts] });
}

/** A good peer's messages come whole and in order, whatever strangers have begun. */
async function serve(count) {
  const other = new Pull();
  const push = new Push();
  push.connect(await other.bind("tcp://127.0.0.1:*"));
  for (let i = 0; i < count; i++) {
    await push.send(`${i}`);
    const [number] = await other.receive({ timeout: 30_000 });
    if (Number(number) !== i) throw new Error(`${number} came instead of ${i}`);
  }
  report("served");
}

onLine(({ op, count, size }) => {
  if (op === "report") report("report");
  else if (op === "publish") void publish(count, size);
  else if (op === "read") void read(count);
  else void serve(count);
});
process.stdin.ref?.();
report("bound", { endpoint, engine: socket.engine });
