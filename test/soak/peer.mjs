/** One peer of the soak, in a process or a thread of its own: kind, path, slot, life. Ends when it is told to. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { KINDS } from "./kinds.mjs";

const [name, path, slot, life] = isMainThread ? process.argv.slice(2) : workerData;
const context = { path, slot: Number(slot), life, leaving: false };
const leave = () => {
  context.leaving = true;
};
if (isMainThread) process.stdin.on("end", leave).resume();
else {
  parentPort.on("message", leave);
  parentPort.postMessage("begun");
}

await KINDS.find((kind) => kind.name === name).peer(context);
// Nothing but our input is open any more.
if (isMainThread) process.stdin.destroy();
else parentPort.close();
