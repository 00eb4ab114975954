/**
 * Small programs whose end is the test: the argument says which. Each must end by itself, or be ended by process.exit()
 * or an uncaught error in mid-traffic, without a crash.
 */
import { existsSync } from "node:fs";
import { Publisher, Pull, Push, Reply, Request, Subscriber, say } from "./zwire.mjs";

const [, , scenario, argument = "tcp://127.0.0.1:*"] = process.argv;

/** A pair in full traffic, both directions of the loop busy. Never ends. */
async function traffic(endpoint) {
  const [push, pull, publisher, subscriber] = [new Push(), new Pull(), new Publisher(), new Subscriber()];
  const [reply, request] = [new Reply(), new Request()];
  push.connect(await pull.bind(endpoint));
  subscriber.subscribe();
  subscriber.connect(await publisher.bind(endpoint));
  request.connect(await reply.bind(endpoint));
  await publisher.waitForSubscribers(1);
  const big = Buffer.alloc(100_000, 1);
  const loops = [
    async () => {
      for (let i = 0; ; i++) await push.send(i % 5 === 0 ? [`${i}`, big] : `${i}`);
    },
    async () => {
      for await (const _ of pull) count();
    },
    async () => {
      for (;;) {
        await publisher.send(big);
        await new Promise(setImmediate);
      }
    },
    async () => {
      for await (const _ of subscriber) count();
    },
    async () => {
      for await (const parts of reply) await reply.send(parts);
    },
    async () => {
      for (;;) await request.request(["q", big]);
    },
  ];
  for (const loop of loops) loop();
}

let counted = 0;
let flowing = null;
function count() {
  if (++counted === 200) flowing?.();
}

/** Resolves when messages flow, and some random number of turns after that. */
async function inTraffic(endpoint) {
  const flow = new Promise((resolve) => {
    flowing = resolve;
  });
  traffic(endpoint);
  await flow;
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 30)); // by the clock: at any moment
}

const scenarios = {
  /** Everything open, then everything closed. */
  async closes() {
    const sockets = [];
    for (const endpoint of ["tcp://127.0.0.1:*", "ipc://*", "inproc://a"]) {
      const [pull, push, reply, request] = [
        new Pull(),
        new Push({ heartbeatInterval: 1000 }),
        new Reply(),
        new Request(),
      ];
      const [publisher, subscriber] = [new Publisher(), new Subscriber()];
      sockets.push(pull, push, reply, request, publisher, subscriber);
      push.connect(await pull.bind(endpoint));
      request.connect(await reply.bind(`${endpoint}${endpoint.startsWith("inproc") ? "r" : ""}`));
      subscriber.subscribe();
      subscriber.connect(await publisher.bind(`${endpoint}${endpoint.startsWith("inproc") ? "p" : ""}`));
      await push.send("x");
      await pull.receive();
      await publisher.waitForSubscribers(1);
      pull.on("message", () => {});
      pull.events.receive().catch(() => {});
      subscriber.receive().catch(() => {});
      request.request("never answered").catch(() => {});
    }
    for (const socket of sockets) await socket.close({ linger: 0 });
    say({ event: "closed" });
  },

  /** Dialling somebody who is not there, with a message queued; linger is over soon. */
  async lingers() {
    const push = new Push({ linger: 200, reconnectInterval: 20 });
    push.connect("ipc:///tmp/zwire-nobody-is-here");
    await push.send("x");
    await push.close();
    say({ event: "closed" });
  },

  /** Sockets that were never used, or only connected to nothing and closed without waiting. */
  async unused() {
    for (const Type of [Push, Pull, Publisher, Subscriber, Request, Reply]) new Type();
    const push = new Push();
    push.connect("tcp://127.0.0.1:9");
    push.close({ linger: 0 });
    say({ event: "closed" });
  },

  /** Open but not holding the process. */
  async unref() {
    const [pull, push] = [new Pull(), new Push()];
    push.connect(await pull.bind(argument));
    await pull.connected();
    pull.unref();
    push.unref();
    push.connect("ipc:///tmp/zwire-nobody-is-here");
    await new Subscriber().unref().bind(argument);
    pull.receive().catch(() => {});
    say({ event: "unref" });
  },

  /** Dialling, through a proxy that says nothing; unref()ed after that has begun. */
  async "unref-after"() {
    const push = new Push({ socksProxy: argument });
    push.connect("tcp://127.0.0.1:1");
    push.unref();
    say({ event: "unref" });
  },

  /** As that, unref()ed before, and with a time limit that is far away. */
  async "unref-before"() {
    const push = new Push({ socksProxy: argument, connectTimeout: 60_000 }).unref();
    push.connect("tcp://127.0.0.1:1");
    say({ event: "unref" });
  },

  /** Open and holding it: must not end. */
  async open() {
    const pull = new Pull();
    await pull.bind(argument);
    say({ event: "open" });
  },

  /** The rest of what was sent before close() is delivered although main() returns at once. */
  async flushes() {
    const push = new Push({ sendHighWaterMark: 0 });
    push.connect(argument);
    for (let i = 0; i < 2000; i++) push.send([`${i}`, Buffer.alloc(10_000)]);
    push.close();
  },

  /** Ends with sockets bound, one under its own name. */
  async bound() {
    const [any, named] = [new Pull(), new Pull({ ipcFileMode: 0o600 })];
    const paths = [await any.bind("ipc://*"), await named.bind(`ipc://${process.env.TMPDIR}/named`)];
    say({ event: "bound", there: paths.map((path) => existsSync(path.slice("ipc://".length))) });
    if (argument === "throws") throw new Error("thrown by the program");
    process.exit(7);
  },

  async exit() {
    await inTraffic(argument);
    process.exit(7);
  },

  async throws() {
    await inTraffic(argument);
    setImmediate(() => {
      throw new Error("thrown in mid-traffic");
    });
  },

  async rejects() {
    await inTraffic(argument);
    Promise.reject(new Error("rejected in mid-traffic"));
  },

  /** process.exit() from within a callback of zwire. */
  async listener() {
    const [push, pull] = [new Push(), new Pull()];
    let seen = 0;
    pull.on("message", () => {
      if (++seen === 500) process.exit(7);
    });
    push.connect(await pull.bind(argument));
    for (;;) await push.send(Buffer.alloc(5000));
  },
};

await scenarios[scenario]();
