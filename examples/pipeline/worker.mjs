/**
 * A worker of the demo: PULLs tasks, PUSHes results. worker.py is the same in Python.
 *
 * Tasks:   ["file", index, path] · ["marker", round] · ["stop"]
 * Results: [name, "done", index, lines, words, bytes, sha256] · [name, "unreadable", index, reason] ·
 *          [name, "marker", round]
 *
 * A marker goes back as it came. Messages of one peer keep their order, so whoever sees it come back knows that this
 * worker has answered everything that lay before it.
 */
import { join } from "node:path";
import { Pull, Push } from "zwire";
import { countFile } from "./count.mjs";

const [name, taskEndpoint, resultEndpoint, root] = process.argv.slice(2);

// A short queue: what waits here would be lost with this process, and other workers could be doing it.
const tasks = new Pull({ receiveHighWaterMark: 8 });
const results = new Push();
results.connect(resultEndpoint);
tasks.connect(taskEndpoint);

for await (const [kind, index, path] of tasks) {
  const what = kind.toString();
  if (what === "stop") break;
  if (what === "marker") {
    await results.send([name, "marker", index]);
    continue;
  }
  try {
    const { lines, words, bytes, hash } = await countFile(join(root, path.toString()));
    await results.send([name, "done", index, lines, words, bytes, hash]);
  } catch (error) {
    // Only the file system's errors belong to the file; anything else is ours and ends the worker.
    if (error.syscall === undefined) throw error;
    await results.send([name, "unreadable", index, error.code]);
  }
}

tasks.close();
await results.close();
