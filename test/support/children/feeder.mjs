/**
 * A PUSH that feeds numbered messages as fast as it may. Reports how many were taken, how many wait, and the memory of its process.
 * Arguments: endpoint to dial, messages to send, size of each.
 */
import { onLine, Push, say } from "./zwire.mjs";

const [endpoint, count, size] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const push = new Push();
let sent = 0;
let peak = 0;

function report(event) {
  globalThis.gc();
  const { rss } = process.memoryUsage();
  peak = Math.max(peak, rss);
  say({ event, rss, peak, sent, waiting: push.stats.sendQueue });
}

onLine(() => report("report"));
process.stdin.ref?.();
report("started");
push.connect(endpoint);
for (; sent < count; sent++) {
  const body = Buffer.allocUnsafeSlow(size);
  body.writeUInt32BE(sent, 0);
  body[size - 1] = sent & 0xff;
  await push.send(body);
  if (sent % 256 === 0 && process.memoryUsage().rss > peak) {
    globalThis.gc(); // when garbage is collected is V8's business: what is held counts
    peak = Math.max(peak, process.memoryUsage().rss);
  }
}
await push.close({ linger: -1 });
report("sent");
process.exit(0);
