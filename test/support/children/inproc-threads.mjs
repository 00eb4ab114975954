/**
 * Programs of several threads in which the main thread does not use zwire, or must end by itself: the argument says
 * which.
 */
import { createRequire, syncBuiltinESMExports } from "node:module";
import { Worker } from "node:worker_threads";

const scenario = process.argv[2];

/** A worker that runs a function of (zwire, say) and then has nothing left but its sockets. */
function thread(body, argument) {
  const code = `import { parentPort, workerData } from "node:worker_threads";
    import * as zwire from ${JSON.stringify(new URL("./zwire.mjs", import.meta.url).href)};
    await (${body})(zwire, (what) => parentPort.postMessage(what), workerData);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(url, { workerData: argument });
  worker.heard = [];
  worker.on("message", (what) => {
    worker.heard.push(what);
    console.log(JSON.stringify(what));
  });
  worker.ended = new Promise((resolve) => worker.once("exit", resolve));
  return worker;
}

async function heard(worker, text) {
  while (!worker.heard.includes(text)) await new Promise((resolve) => worker.once("message", resolve));
}

const serve = async ({ Reply }, say, count) => {
  const reply = new Reply();
  await reply.bind("inproc://service");
  say("bound");
  for (let i = 0; i < count; i++) await reply.send(await reply.receive());
  await reply.close();
};
const ask = async ({ Request }, say, count) => {
  const request = new Request();
  request.connect("inproc://service");
  say("connecting");
  for (let i = 0; i < count; i++) {
    const [got] = await request.request(`${i}`);
    if (got.toString() !== `${i}`) throw new Error(`got ${got}`);
  }
  await request.close();
  say("asked");
};
const bind = async ({ Pull }, say) => {
  const pull = new Pull();
  await pull.bind("inproc://one").then(
    () => say("bound"),
    (error) => say(error.code),
  );
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};

const scenarios = {
  /** Each of the two waits in a thread that has nothing but its socket; all ends when they close. */
  async service() {
    const first = process.argv[3] === "bind" ? thread(serve, 2000) : thread(ask, 2000);
    if (process.argv[3] === "bind") await heard(first, "bound");
    else await heard(first, "connecting");
    const second = process.argv[3] === "bind" ? thread(ask, 2000) : thread(serve, 2000);
    const codes = await Promise.all([first.ended, second.ended]);
    console.log(JSON.stringify({ codes }));
  },
  /** Two threads that know of nobody bind one name, one after the other and then several at once. */
  async bind() {
    const workers = [thread(bind)];
    await heard(workers[0], "bound");
    workers.push(thread(bind));
    await heard(workers[1], "EADDRINUSE");
    await Promise.all(workers.map((worker) => worker.terminate()));
    const four = [0, 1, 2, 3].map(() => thread(bind));
    await Promise.all(
      four.map(async (worker) => {
        if (worker.heard.length === 0) await new Promise((resolve) => worker.once("message", resolve));
      }),
    );
    console.log(JSON.stringify({ outcomes: four.map((worker) => worker.heard[0]).sort() }));
    for (const worker of four) worker.terminate();
  },
  /** The main thread joins two workers and closes; nothing else is done to end the process. */
  async closes() {
    const { Pull, Push } = await import("./zwire.mjs");
    const pull = new Pull();
    await pull.bind("inproc://sink");
    const workers = [0, 1].map(() =>
      thread(async ({ Push }) => {
        const push = new Push();
        push.connect("inproc://sink");
        for (let i = 0; i < 1000; i++) await push.send(`${i}`);
        await push.close();
      }),
    );
    const push = new Push();
    push.connect("inproc://sink");
    await push.send("same thread");
    for (let i = 0; i < 2001; i++) await pull.receive();
    await Promise.all(workers.map((worker) => worker.ended));
    await Promise.all([pull.close(), push.close()]);
    console.log(JSON.stringify({ event: "closed" }));
  },
  /** Open in every way, but unref()ed. */
  async unref() {
    const { Pull } = await import("./zwire.mjs");
    const pull = new Pull().unref();
    await pull.bind("inproc://sink");
    const worker = thread(async ({ Push, Pull }, say) => {
      const push = new Push().unref();
      push.connect("inproc://sink");
      await push.send("x");
      push.connect("inproc://nobody");
      await new Pull().unref().bind("inproc://unused");
      say("unref");
    });
    await heard(worker, "unref");
    await worker.ended;
    console.log(JSON.stringify({ event: "unref" }));
  },
  /** A listener of "accept" throws. */
  async throws() {
    const { Pull } = await import("./zwire.mjs");
    const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
    const pull = new Pull();
    pull.once("accept", () => {
      throw new Error("from a listener");
    });
    await pull.bind("inproc://sink");
    const worker = thread(({ Push }) => new Push().connect("inproc://sink"));
    console.log(JSON.stringify({ caught: (await thrown).message }));
    await worker.terminate();
    await pull.close();
  },
  /** A main thread without postMessageToThread, as all threads are in Bun and Deno. */
  async without() {
    const module = createRequire(import.meta.url)("node:worker_threads");
    module.postMessageToThread = undefined;
    syncBuiltinESMExports();
    const { Pull, Push } = await import("./zwire.mjs");
    const [pull, push, other] = [new Pull(), new Push(), new Push()];
    push.connect("inproc://here");
    other.connect("inproc://in-a-worker");
    await push.send("x");
    await pull.bind("inproc://here");
    const [received] = await pull.receive();
    const worker = thread(async ({ Pull }, say) => {
      await new Pull().bind("inproc://in-a-worker");
      say("bound");
    });
    await heard(worker, "bound");
    await worker.terminate();
    console.log(JSON.stringify({ received: received.toString(), peers: other.peers.length }));
    for (const socket of [pull, push, other]) await socket.close();
    console.log(JSON.stringify({ event: "closed" }));
  },
  /** Names of this thread only, and sockets left open. */
  async alone() {
    const { Pull, Push } = await import("./zwire.mjs");
    const [pull, push] = [new Pull(), new Push()];
    await pull.bind("inproc://alone");
    push.connect("inproc://alone");
    push.connect("inproc://nobody");
    await push.send("x");
    pull.receive();
    console.log(JSON.stringify({ event: "open" }));
  },
};

await scenarios[scenario]();
