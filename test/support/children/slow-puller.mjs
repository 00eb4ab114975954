/**
 * A PULL that does not read until it is told to, then reads everything, checking order and size. Reports the memory of
 * its process. Arguments: endpoint to bind, messages to expect, size of each.
 */
import { onLine, Pull, say } from "./zwire.mjs";

const [endpoint, count, size] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const pull = new Pull();
const actual = await pull.bind(endpoint);

function report(event, more = {}) {
  globalThis.gc();
  say({ event, rss: process.memoryUsage().rss, queued: pull.stats.receiveQueue, ...more });
}

async function drain() {
  let wrong = null;
  let peak = 0;
  for (let i = 0; i < count; i++) {
    const [body] = await pull.receive({ timeout: 30_000 });
    if (
      wrong === null &&
      (body.length !== size || body.readUInt32BE(0) !== i || body[size - 1] !== (i & 0xff))
    ) {
      wrong = `message ${i}: ${body.length} octets, number ${body.readUInt32BE(0)}`;
    }
    if (i % 256 === 0 && process.memoryUsage().rss > peak) {
      globalThis.gc(); // when garbage is collected is V8's business: what is held counts
      peak = Math.max(peak, process.memoryUsage().rss);
    }
  }
  report("drained", { wrong, peak });
  await pull.close();
  process.exit(0);
}

onLine(({ op }) => {
  if (op === "report") report("report");
  else drain();
});
process.stdin.ref?.();
report("bound", { endpoint: actual, engine: pull.engine });
