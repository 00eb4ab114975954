/**
 * A worker thread that sends through shared memory, or receives, until it is terminated: copies and loans, received and
 * borrowed. Data: role, endpoint.
 */
import { workerData } from "node:worker_threads";
import { Pull, Push } from "./zwire.mjs";

const { role, endpoint } = workerData;
const options = { sharedMemorySize: 256 * 1024 };
if (role === "push") {
  const push = new Push(options);
  push.connect(endpoint);
  for (let i = 0; ; i++) {
    const body = i % 2 ? await push.nextLoan(60_000) : Buffer.alloc(60_000);
    await push.send(body.fill(i));
  }
} else {
  const pull = new Pull(options);
  pull.connect(endpoint);
  for (let i = 0; ; i++) {
    const borrowed = i % 2 ? await pull.borrow() : undefined;
    const [body] = borrowed ?? (await pull.receive());
    if (body.length !== 60_000 || body[0] !== body[59_999]) throw new Error("torn");
    if (i % 3) borrowed?.release();
  }
}
