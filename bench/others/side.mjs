/** One side of a trial: `node side.mjs KIND ROW receive`, or `… send AT`. A receiver counts; a sender that asks takes the time of each answer. */
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort } from "node:worker_threads";
import { kinds } from "./kinds.mjs";

const WARM_UP = 0.2;

const tell = (message) => (isMainThread ? process.send(message) : parentPort.postMessage(message));

/** Tells where it can be reached, and how many messages came per second after the first fifth of them. */
async function receive(kind, { count, asks }) {
  if (asks !== undefined) return tell({ at: await kind.serve() });
  const from = Math.round(count * WARM_UP);
  let received = 0;
  let begun = 0;
  const at = await kind.receive(() => {
    received++;
    if (received === from) begun = performance.now();
    if (received === count) tell({ perSecond: ((count - from) / (performance.now() - begun)) * 1000 });
  });
  tell({ at });
}

/** Sends all messages, or asks; the median of the round trips in microseconds. */
export async function send(name, { size, count, asks }, at, worker) {
  const kind = kinds[name];
  const message = Buffer.alloc(size, "x");
  if (asks === undefined) {
    await (await kind.send(at, message, count, worker)).run();
    return undefined;
  }
  const ask = await kind.ask(at, message, worker);
  const times = [];
  for (let i = 0; i < asks; i++) {
    const begun = performance.now();
    await ask();
    times.push(performance.now() - begun);
  }
  const after = times.slice(asks * WARM_UP).sort((a, b) => a - b);
  return after[after.length >> 1] * 1000;
}

if (!isMainThread || process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, row, side, at] = process.argv.slice(2);
  if (side === "receive") await receive(kinds[name], JSON.parse(row));
  else tell({ median: await send(name, JSON.parse(row), at) });
}
