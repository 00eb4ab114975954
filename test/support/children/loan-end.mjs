/**
 * Borrows messages, and writes for each the number that fills it, at once, with write(2). Then, or when nothing comes
 * for three seconds, ends without a farewell.
 * Arguments: endpoint, how many, size.
 */
import { writeSync } from "node:fs";
import { Pull } from "./zwire.mjs";

const [endpoint, count, size] = process.argv.slice(2);
const pull = new Pull({ receiveHighWaterMark: 1, receiveHighWaterMarkBytes: 1 });
await pull.bind(endpoint);
for (let i = 0; i < Number(count); i++) {
  const message = await pull.borrow({ timeout: 3_000 }).catch((error) => {
    if (error.code !== "EAGAIN") throw error;
  });
  if (message === undefined) process.exit(0); // nothing is left
  const [part] = message;
  if (part.length !== Number(size) || !part.equals(Buffer.alloc(part.length, part[0])))
    throw new Error("a torn message");
  writeSync(1, i + 1 < Number(count) ? `${part[0]} ` : `${part[0]}\n`);
  message.release();
}
process.kill(process.pid, process.env.ZWIRE_ENGINE === "portable" ? "SIGTERM" : "SIGKILL");
