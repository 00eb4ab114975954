/**
 * A worker thread in full traffic over every transport. It is terminated from outside at any moment. workerData:
 * endpoints to bind, whether with CURVE, and a name of the main thread to send to; it says "flowing" when messages flow.
 */
import { parentPort, threadId, workerData } from "node:worker_threads";
import { curveKeyPair, Pull, Push } from "./zwire.mjs";

const body = Buffer.alloc(50_000, 1);

async function sendOn(push, told) {
  for (let i = 0; ; i++) {
    await push.send(i % 3 === 0 ? [`${i}`, body] : `${i}`);
    if (i === told) parentPort.postMessage("flowing");
  }
}

const { publicKey, secretKey } = curveKeyPair();
const server = { security: { mechanism: "curve", server: true, secretKey } };
const client = {
  security: { mechanism: "curve", serverKey: publicKey, secretKey: curveKeyPair().secretKey },
};
// inproc names are those of the process: each thread needs one of its own.
const endpoints = workerData.endpoints.map((one) => (one.startsWith("inproc") ? `${one}${threadId}` : one));
for (const endpoint of endpoints) {
  const [push, pull] = [new Push(workerData.curve ? client : {}), new Pull(workerData.curve ? server : {})];
  push.connect(await pull.bind(endpoint));
  await pull.connected();
  sendOn(push);
  (async () => {
    let received = 0;
    for await (const _ of pull) if (++received === 20) parentPort.postMessage("flowing");
  })();
}
if (workerData.main !== undefined) {
  const push = new Push();
  push.connect(workerData.main);
  sendOn(push, 20);
}
