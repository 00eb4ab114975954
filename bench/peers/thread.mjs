/**
 * One of the two worker threads of a trial over inproc between threads. Gets its job as an argument, as a process does
 * (side.mjs), and its part and the library's name as workerData. Tells the main thread "ready", then the figures.
 */
import { parentPort, workerData } from "node:worker_threads";
import { job } from "./side.mjs";
import { Counter, receiveAll, sendAll } from "./workload.mjs";

const library = await import(workerData.library);

const parts = {
  async receive() {
    const pull = new library.Pull(job.options);
    await pull.bind(job.endpoint);
    const counter = new Counter(1);
    receiveAll(pull, counter);
    parentPort.postMessage("ready");
    parentPort.postMessage(await counter.figures);
  },

  async send() {
    const push = new library.Push(job.options);
    push.connect(job.endpoint);
    await sendAll(push);
  },
};

await parts[workerData.part]();
// Until the main thread has what it wants: a socket may still have messages to hand over.
setInterval(() => {}, 1000);
