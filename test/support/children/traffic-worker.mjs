/**
 * A worker thread in full traffic over every transport. It is terminated from outside at any moment. workerData:
 * endpoints to bind; it says "flowing" when messages flow.
 */
import { parentPort, threadId, workerData } from "node:worker_threads";
import { Pull, Push } from "./zwire.mjs";

// inproc names are those of the process: each thread needs one of its own.
const endpoints = workerData.endpoints.map((one) => (one.startsWith("inproc") ? `${one}${threadId}` : one));
for (const endpoint of endpoints) {
  const [push, pull] = [new Push(), new Pull()];
  push.connect(await pull.bind(endpoint));
  await pull.connected();
  const body = Buffer.alloc(50_000, 1);
  (async () => {
    for (let i = 0; ; i++) await push.send(i % 3 === 0 ? [`${i}`, body] : `${i}`);
  })();
  (async () => {
    let received = 0;
    for await (const _ of pull) if (++received === 20) parentPort.postMessage("flowing");
  })();
}
