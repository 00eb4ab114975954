/**
 * PUSH and PULL: tasks shared among workers, each task to one of them, and results collected from all. Run:
 * node examples/push-pull.mjs
 */
import { Pull, Push } from "zwire";

const tasks = new Push();
const results = new Pull();
const taskEndpoint = await tasks.bind("tcp://127.0.0.1:*");
const resultEndpoint = await results.bind("tcp://127.0.0.1:*");

/** Squares numbers until its socket is closed. A worker may as well be another process, as in pipeline/. */
async function work(name, pull) {
  const push = new Push();
  pull.connect(taskEndpoint);
  push.connect(resultEndpoint);
  for await (const [number] of pull) await push.send([name, number, String(Number(number) ** 2)]);
  await push.close();
}

const pulls = [new Pull(), new Pull()];
const working = [work("worker 1", pulls[0]), work("worker 2", pulls[1])];

// Without this the first worker to connect would get everything.
await tasks.connected({ count: 2 });
for (let number = 1; number <= 10; number++) await tasks.send(String(number));

for (let i = 1; i <= 10; i++) {
  const [name, number, square] = await results.receive();
  console.log(`${name}: ${number} squared is ${square}`);
}

for (const socket of [...pulls, tasks, results]) socket.close();
await Promise.all(working);
