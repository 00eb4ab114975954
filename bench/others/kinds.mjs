/**
 * One way of moving messages each: `receive(count, onMessage)` and `send(count)` for a stream, `serve` and `ask` for round trips. Each side runs in
 * a process of its own, or in a worker thread where `threads` says so. `at` is what the receiving side told: an endpoint or a port.
 * Every sender holds itself back in the way that its library offers, so that nothing is lost and nothing is kept without limit.
 */
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { Pull, Push, Reply, Request } from "../../dist/index.js";

const load = createRequire(join(process.env.OTHERS ?? process.cwd(), "main.js"));
/** Messages between two looks at back-pressure, for libraries whose send does not wait by itself. */
const BATCH = 500;

function overZwire(endpoint, threads) {
  return {
    threads,
    async receive(onMessage) {
      const pull = new Pull();
      pull.on("message", onMessage);
      return pull.bind(endpoint);
    },
    async send(at, message, count) {
      const push = new Push();
      push.connect(at);
      await push.connected();
      return {
        run: async () => {
          for (let i = 0; i < count; i++) await push.send(message);
        },
      };
    },
    async serve() {
      const reply = new Reply();
      reply.on("message", ([question]) => reply.send(question));
      return reply.bind(endpoint);
    },
    async ask(at, message) {
      const request = new Request();
      request.connect(at);
      return () => request.request(message);
    },
  };
}

const overWs = {
  async listen(onConnection) {
    const { WebSocketServer } = load("ws");
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    server.on("connection", onConnection);
    await once(server, "listening");
    return `ws://127.0.0.1:${server.address().port}`;
  },
  async connect(at) {
    const { WebSocket } = load("ws");
    const socket = new WebSocket(at, { perMessageDeflate: false });
    await once(socket, "open");
    return socket;
  },
  receive(onMessage) {
    return this.listen((socket) => socket.on("message", onMessage));
  },
  async send(at, message, count) {
    const socket = await this.connect(at);
    return {
      run: async () => {
        for (let i = 1; i <= count; i++) {
          if (i % BATCH !== 0) socket.send(message);
          else await new Promise((sent) => socket.send(message, sent));
        }
      },
    };
  },
  serve() {
    return this.listen((socket) => socket.on("message", (question) => socket.send(question)));
  },
  async ask(at, message) {
    const socket = await this.connect(at);
    return () => {
      const answer = once(socket, "message");
      socket.send(message);
      return answer;
    };
  },
};

const overRedis = {
  async connect() {
    const client = load("redis").createClient({ url: process.env.REDIS });
    await client.connect();
    return client;
  },
  async receive(onMessage) {
    await (await this.connect()).subscribe("stream", onMessage, true);
    return "stream";
  },
  async send(at, message, count) {
    const client = await this.connect();
    return {
      run: async () => {
        for (let left = count; left > 0; left -= BATCH) {
          await Promise.all(Array.from({ length: Math.min(BATCH, left) }, () => client.publish(at, message)));
        }
      },
    };
  },
  async serve() {
    const [client, answers] = [await this.connect(), await this.connect()];
    await client.subscribe("question", (question) => answers.publish("answer", question), true);
    return "question";
  },
  async ask(at, message) {
    const [client, answers] = [await this.connect(), await this.connect()];
    let answered;
    await answers.subscribe("answer", () => answered(), true);
    return () =>
      new Promise((resolve) => {
        answered = resolve;
        client.publish(at, message);
      });
  },
};

const overNats = {
  connect: () => load("nats").connect({ servers: process.env.NATS }),
  async receive(onMessage) {
    const client = await this.connect();
    client.subscribe("stream", { callback: onMessage });
    await client.flush();
    return "stream";
  },
  async send(at, message, count) {
    const client = await this.connect();
    return {
      run: async () => {
        for (let i = 1; i <= count; i++) {
          client.publish(at, message);
          if (i % BATCH === 0) await client.flush();
        }
        await client.flush();
      },
    };
  },
  async serve() {
    const client = await this.connect();
    client.subscribe("question", { callback: (_, question) => question.respond(question.data) });
    await client.flush();
    return "question";
  },
  async ask(at, message) {
    const client = await this.connect();
    return () => client.request(at, message);
  },
};

/** The sending side is the main thread, the other one a worker, whose port is handed in as `at`. */
const overPostMessage = {
  threads: true,
  async receive(onMessage) {
    let received = 0;
    parentPort.on("message", (message) => {
      if (!(message instanceof Uint8Array)) return;
      onMessage(message);
      if (++received % BATCH === 0) parentPort.postMessage("more");
    });
    return "parent";
  },
  async send(_, message, count, worker) {
    let allowed = 2 * BATCH;
    let wake = () => {};
    worker.on("message", (said) => {
      if (said !== "more") return;
      allowed += BATCH;
      wake();
    });
    return {
      run: async () => {
        for (let i = 0; i < count; i++) {
          if (i >= allowed) await new Promise((resolve) => (wake = resolve));
          worker.postMessage(message);
        }
      },
    };
  },
  async serve() {
    parentPort.on("message", (question) => {
      if (question instanceof Uint8Array) parentPort.postMessage(question);
    });
    return "parent";
  },
  async ask(_, message, worker) {
    return () => {
      const answer = once(worker, "message");
      worker.postMessage(message);
      return answer;
    };
  },
};

export const kinds = {
  "zwire tcp": overZwire("tcp://127.0.0.1:*"),
  "zwire ipc": overZwire("ipc://*"),
  ws: overWs,
  redis: overRedis,
  nats: overNats,
  "zwire inproc, two threads": overZwire("inproc://others", true),
  postMessage: overPostMessage,
};
