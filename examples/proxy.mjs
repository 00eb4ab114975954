/**
 * A proxy: clients and workers know one address each, not each other; what goes through is counted, and copied to
 * whoever wants to watch. Run: node examples/proxy.mjs
 */
import { Dealer, Proxy, Publisher, Reply, Request, Router, Subscriber } from "zwire";

const capture = new Publisher();
const proxy = new Proxy(new Router(), new Dealer(), { capture });
const clientEndpoint = await proxy.frontEnd.bind("tcp://127.0.0.1:*");
const workerEndpoint = await proxy.backEnd.bind("tcp://127.0.0.1:*");
const captureEndpoint = await capture.bind("tcp://127.0.0.1:*");

/** Answers questions until its socket is closed. */
async function work(name, worker) {
  worker.connect(workerEndpoint);
  for await (const [question] of worker) await worker.send(`${question}: ${name} says ${question.length}`);
}

/** Counts what goes through, in either direction, until its socket is closed. */
async function watch(monitor) {
  let seen = 0;
  monitor.subscribe();
  monitor.connect(captureEndpoint);
  for await (const _parts of monitor) if (++seen === 12) break;
  console.log(`seen by the monitor: ${seen} messages`);
}

const workers = [new Reply(), new Reply()];
const working = workers.map((worker, i) => work(`worker ${i + 1}`, worker));
const monitor = new Subscriber();
const watching = watch(monitor);
await proxy.backEnd.connected({ count: 2 });
await capture.waitForSubscribers(1);

const running = proxy.run();
const client = new Request();
client.connect(clientEndpoint);
for (const word of ["whale", "fog", "harbour", "lamp", "rope", "tide"]) {
  const [answer] = await client.request(word, { timeout: 5000 });
  console.log(`${answer}`);
}
await watching;
proxy.terminate();
await running;
const { frontEnd, backEnd } = proxy.statistics;
console.log(`${frontEnd.messagesIn} questions in, ${backEnd.messagesIn} answers back`);

// The proxy leaves its sockets open.
for (const socket of [client, monitor, ...workers, proxy.frontEnd, proxy.backEnd, capture]) socket.close();
await Promise.all(working);
