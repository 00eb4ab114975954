/**
 * A PULL whose program is slow, and drains it at SIGTERM. Arguments: endpoint to bind, milliseconds for the drain, and
 * "soon" or "never": whether the program gets done within them. It takes one message, and the others after the signal.
 */
import { setImmediate, setTimeout } from "node:timers/promises";
import { Pull, say } from "./zwire.mjs";

const [endpoint, timeout, done] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const pull = new Pull({ receiveHighWaterMark: 500 });
say({ event: "bound", endpoint: await pull.bind(endpoint) });
pull.on("drop", ({ unread, unsent }) => say({ event: "drop", unread, unsent }));

const drained = new Promise((resolve) => {
  process.once("SIGTERM", async () => {
    const began = performance.now();
    const result = await pull.drain({ timeout });
    say({ event: "drained", ...result, milliseconds: performance.now() - began });
    resolve();
  });
});
const signalled = new Promise((resolve) => process.once("SIGTERM", resolve));

let handled = 0;
let disorder = 0;
let last = -1;
for await (const [job] of pull) {
  const number = job.readUInt32LE();
  if (number <= last) disorder++;
  last = number;
  if (handled === 0) {
    say({ event: "first" });
    await signalled;
  }
  // By the clock: "never" is slower than its time allows, and in the middle of its work when that is over.
  await (done === "soon" ? setImmediate() : setTimeout(2));
  handled++;
}
await drained;
say({ event: "handled", handled, disorder, dropped: pull.stats.droppedUnread });
