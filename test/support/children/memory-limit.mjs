/**
 * A PULL whose process gets a limit of address space (ulimit -v) from the test, and counts what many peers send. Arguments:
 * endpoint, sharedMemorySize, how many messages.
 */
import { readFileSync } from "node:fs";
import { onLine, Pull, say } from "./zwire.mjs";

const [endpoint, size, count] = process.argv.slice(2);
const pull = new Pull({ sharedMemorySize: Number(size) });
await pull.bind(endpoint);
const status = readFileSync("/proc/self/status", "utf8");
say({ event: "bound", kib: Number(/VmSize:\s*(\d+)/.exec(status)[1]) });
onLine(async () => {
  const numbers = new Map();
  let wrong = 0;
  for (let i = 0; i < Number(count); i++) {
    const [from, body] = await pull.receive({ timeout: 60_000 });
    const next = numbers.get(`${from}`) ?? 0;
    if (body[0] !== next || body[body.length - 1] !== next) wrong++;
    numbers.set(`${from}`, next + 1);
  }
  const sharing = pull.stats.sharedMemory;
  say({ event: "received", wrong, peers: numbers.size, sharing });
  await pull.close();
});
process.stdin.ref?.();
