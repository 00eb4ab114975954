/** A worker thread that sends through shared memory, or receives, until it is terminated. Data: role, endpoint. */
import { workerData } from "node:worker_threads";
import { Pull, Push } from "./zwire.mjs";

const { role, endpoint } = workerData;
const options = { sharedMemorySize: 256 * 1024 };
if (role === "push") {
  const push = new Push(options);
  push.connect(endpoint);
  for (let i = 0; ; i++) await push.send(Buffer.alloc(60_000, i));
} else {
  const pull = new Pull(options);
  pull.connect(endpoint);
  for await (const [body] of pull)
    if (body.length !== 60_000 || body[0] !== body[59_999]) throw new Error("torn");
}
