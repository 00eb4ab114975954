/**
 * A cluster of two workers. Each binds over tcp and ipc, in both ways, and says what it got; then each sends to its own
 * endpoints and says what came. The second worker also tries the first one's port.
 */
import cluster from "node:cluster";
import { Pull, Push, say } from "./zwire.mjs";

const WAYS = [
  ["tcp://127.0.0.1:*", "bind"],
  ["tcp://127.0.0.1:*", "bindSync"],
  ["ipc://*", "bind"],
  ["ipc://*", "bindSync"],
];

if (cluster.isPrimary) {
  const bound = [];
  for (const number of [1, 2]) {
    const worker = cluster.fork({ NUMBER: number, FIRST: bound[0]?.endpoints[0] ?? "" });
    bound.push(await new Promise((resolve) => worker.once("message", resolve)));
  }
  for (const id of Object.keys(cluster.workers)) {
    const worker = cluster.workers[id];
    const got = new Promise((resolve) => worker.once("message", resolve));
    worker.send("go");
    bound[id - 1].got = (await got).got;
  }
  say({ event: "workers", bound });
  cluster.disconnect();
} else {
  const { NUMBER, FIRST } = process.env;
  const pulls = [];
  const endpoints = [];
  for (const [endpoint, way] of WAYS) {
    const pull = new Pull();
    pulls.push(pull);
    endpoints.push(await pull[way](endpoint));
  }
  const taken = FIRST === "" ? null : await new Pull().bind(FIRST).catch(({ code }) => code);
  process.once("message", async () => {
    const got = [];
    for (const [i, pull] of pulls.entries()) {
      const push = new Push();
      push.connect(endpoints[i]);
      for (let n = 0; n < 10; n++) await push.send(`${NUMBER}`);
      for (let n = 0; n < 10; n++) got.push(String(await pull.receive({ timeout: 20_000 })));
      await push.close();
      await pull.close();
    }
    process.send({ got });
  });
  process.send({ endpoints, taken });
}
