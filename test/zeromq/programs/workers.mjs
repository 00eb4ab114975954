// Worker threads that share the process's context: they connect to an inproc name that the main thread has bound.
import { Worker } from "node:worker_threads";

const CODE = `
  import { parentPort, workerData } from "node:worker_threads";
  const zmq = await import(workerData.module);
  const requests = new zmq.Pull();
  const answers = new zmq.Push();
  requests.connect("inproc://requests");
  answers.connect("inproc://answers");
  parentPort.once("message", () => requests.close());
  for await (const [text] of requests) await answers.send([text, String(Number(text) * 10)]);
  answers.close();
`;

/** @param {typeof import("zeromq")} zmq @param {(line: string) => void} print */
export default async function (zmq, print) {
  const requests = new zmq.Push();
  const answers = new zmq.Pull();
  await requests.bind("inproc://requests");
  await answers.bind("inproc://answers");
  const workers = [1, 2].map(
    () =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(CODE)}`), {
        workerData: { module: process.env.ZMQ_MODULE },
      }),
  );
  const exits = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
  for (let i = 1; i <= 10; i++) await requests.send(`${i}`);
  const lines = [];
  for await (const [question, answer] of answers) {
    lines.push(`${question} ${answer}`);
    if (lines.length === 10) break;
  }
  print(lines.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)).join(", "));
  for (const worker of workers) worker.postMessage("stop");
  print(`exits ${await Promise.all(exits)}`);
  requests.linger = 0;
  requests.close();
  answers.close();
}
