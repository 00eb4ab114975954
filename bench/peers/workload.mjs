/**
 * The work of a trial over a library with zeromq.js's API: zwire or zeromq.js itself. Each process loads one of them
 * only. The receiving side holds the clock, and starts it at the first message after the warm-up.
 */
import { once } from "node:events";
import { Session } from "node:inspector/promises";
import { Worker } from "node:worker_threads";
import { clientOptions, serverOptions } from "./keys.mjs";
import { done, job, Meter, parentSays, Samples, tellParent } from "./side.mjs";

const CHUNK = 512;
/** A message of another size: publishers repeat it until all subscribers have been seen. */
const SYNC = Buffer.alloc(1);
const total = job.warmup + job.count;
/** Options of the side that binds, and of the one that dials: the contender's, and what the row asks for. */
const tls = job.tls === undefined ? {} : { tls: job.tls };
const binds = { ...job.options, ...tls, ...(job.curve ? serverOptions : {}) };
const dials = { ...job.options, ...tls, ...(job.curve ? clientOptions : {}) };

/** Counts messages, refuses wrong ones, and takes the time of all after the warm-up. */
export class Counter {
  #left = 0;
  #meter = new Meter();
  #finished;
  #expected;
  #measured;
  /** Resolves to the figures. */
  figures = new Promise((resolve) => {
    this.#finished = resolve;
  });

  constructor(copies) {
    this.#expected = total * copies;
    this.#measured = job.count * copies;
    this.#left = this.#expected;
  }

  take(message) {
    if (message.length !== job.parts || message[0].length !== job.size) {
      throw new Error(
        `expected ${job.parts} × ${job.size} octets, got ${message.map((part) => part.length)}`,
      );
    }
    if (this.#left === this.#measured) this.#meter.start();
    if (--this.#left === 0) this.#finished({ ...this.#meter.stop(), messages: this.#measured });
  }
}

/** What is sent again and again: a Buffer, or an array of them where a message has more than one part. */
function newMessage() {
  const part = Buffer.alloc(job.size, 0x5a);
  return job.parts === 1 ? part : new Array(job.parts).fill(part);
}

/** As newMessage(), in memory that the socket lends. */
async function newLoan(socket) {
  const loan = await socket.nextLoan(job.size);
  loan[0] = 0x5a;
  loan[job.size - 1] = 0x5a;
  return loan;
}

/** What the first bytes of a message say. */
const topicText = (topic) => `t${String(topic).padStart(7, "0")}`;

/** A message for each topic, one after the other; the same message for ever where there are no topics. */
function* newMessages() {
  const messages = [];
  for (let topic = 0; topic < (job.topics ?? 0); topic++) {
    const message = Buffer.alloc(job.size, 0x5a);
    message.write(topicText(topic));
    messages.push(message);
  }
  if (messages.length === 0) messages.push(newMessage());
  for (;;) yield* messages;
}

/** Ways of sending so many messages, by what rows call them. */
const senders = {
  async "await send"(socket, count) {
    const message = newMessage();
    for (let i = 0; i < count; i++) await socket.send(message);
  },

  /** Fills a little of each loan: whoever makes frames fills all of it, whatever the way. */
  async loan(socket, count) {
    for (let i = 0; i < count; i++) await socket.send(await newLoan(socket));
  },

  async sendMany(socket, count) {
    const chunk = new Array(CHUNK).fill(newMessage());
    for (let left = count; left > 0; left -= CHUNK) {
      await socket.sendMany(left >= CHUNK ? chunk : chunk.slice(0, left));
    }
  },
};

/** Ways of receiving messages until the trial ends, by what rows call them. */
const receivers = {
  async "for await"(socket, take) {
    for await (const message of socket) take(message);
  },

  async borrowed(socket, take) {
    for await (const message of socket.borrowed()) take(message);
  },

  async 'on("message")'(socket, take) {
    socket.on("message", take);
  },
};

function wayOf(ways, name) {
  if (ways[name] === undefined) throw new Error(`no way "${name}"; there are ${Object.keys(ways)}`);
  return ways[name];
}

/** With noDrop, zeromq.js does not wait for room but rejects: then the message is offered again in the next turn. */
async function publishMessages(socket, count) {
  const messages = newMessages();
  const next = () => (job.send === "loan" ? newLoan(socket) : messages.next().value);
  let message = await next();
  for (let i = 0; i < count; ) {
    try {
      await socket.send(message);
      i++;
      message = await next();
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      await new Promise(setImmediate);
    }
  }
}

/** The whole of the sending side, once its socket has a peer to send to. */
export async function sendAll(socket, send = wayOf(senders, job.send)) {
  const meter = new Meter();
  await send(socket, job.warmup);
  meter.start();
  await send(socket, job.count);
  return meter;
}

export function receiveAll(socket, counter) {
  return wayOf(receivers, job.receive)(socket, (message) => counter.take(message));
}

/** The topics of one subscriber: each topic has one. */
function topicsOf(subscriber) {
  const topics = [];
  for (let topic = subscriber; topic < job.topics; topic += job.subscribers) topics.push(topicText(topic));
  return topics;
}

const roles = {
  async receive(library) {
    const pull = new library.Pull(binds);
    await pull.bind(job.endpoint);
    const counter = new Counter(1);
    receiveAll(pull, counter);
    tellParent({ event: "ready", endpoint: pull.lastEndpoint });
    done(await counter.figures);
  },

  async send(library) {
    const push = new library.Push(dials);
    push.connect(job.endpoint);
    const meter = await sendAll(push);
    await parentSays("finish");
    done(meter.stop());
  },

  async both(library) {
    const push = new library.Push(dials);
    const pull = new library.Pull(binds);
    await pull.bind(job.endpoint);
    push.connect(job.endpoint);
    const counter = new Counter(1);
    receiveAll(pull, counter);
    await sendAll(push);
    done(await counter.figures);
  },

  /** A sender and a receiver in a worker thread each. The library is loaded here too, as a program with workers would. */
  async threads() {
    const start = (part) =>
      new Worker(new URL("thread.mjs", import.meta.url), {
        argv: [JSON.stringify(job)],
        workerData: { part, library: job.library },
      });
    const receiver = start("receive");
    await once(receiver, "message");
    const figures = once(receiver, "message");
    const sender = start("send");
    const failed = new Promise((_, reject) => {
      for (const worker of [receiver, sender]) worker.once("error", reject);
    });
    // The process ends with both threads in traffic. zeromq.js, whose addon throws C++ exceptions, may abort then
    // ("terminate called after throwing an instance of 'Napi::Error'"): the figures have been told before.
    done((await Promise.race([figures, failed]))[0]);
  },

  /** noDrop: a publisher that throws away what its subscribers cannot take would win by doing nothing. */
  async publish(library) {
    const publisher = new library.Publisher({ ...binds, noDrop: true });
    await publisher.bind(job.endpoint);
    tellParent({ event: "ready", endpoint: publisher.lastEndpoint });
    let go = false;
    parentSays("go").then(() => {
      go = true;
    });
    while (!go) {
      await publisher.send(SYNC);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const meter = await sendAll(publisher, publishMessages);
    await parentSays("finish");
    done(meter.stop());
  },

  async subscribe(library) {
    const counter = new Counter(job.topics ? 1 : job.subscribers);
    let waiting = job.subscribers;
    const listen = async (subscriber) => {
      let first = true;
      for await (const message of job.receive === "borrowed" ? subscriber.borrowed() : subscriber) {
        if (message[0].length !== SYNC.length) counter.take(message);
        else if (first) {
          first = false;
          if (--waiting === 0) tellParent({ event: "subscribed" });
        }
      }
    };
    for (let i = 0; i < job.subscribers; i++) {
      const subscriber = new library.Subscriber(dials);
      if (job.topics) subscriber.subscribe(SYNC, ...topicsOf(i));
      else subscriber.subscribe();
      subscriber.connect(job.endpoint);
      listen(subscriber);
    }
    done(await counter.figures);
  },

  /** Answers each client with what it said. */
  async route(library) {
    const router = new library.Router(binds);
    await router.bind(job.endpoint);
    tellParent({ event: "ready", endpoint: router.lastEndpoint });
    const meter = new Meter();
    parentSays("finish").then(() => done(meter.stop()));
    let served = 0;
    for await (const message of router) {
      if (served++ === job.warmup) meter.start();
      await router.send(message);
    }
  },

  /** Many clients in one process: each sends one message in turn, then each takes its answer, and so on. */
  async clients(library) {
    const clients = [];
    library.context.maxSockets = 2 * job.clients;
    for (let i = 0; i < job.clients; i++) {
      const client = new library.Dealer({ ...dials, linger: 0 });
      client.connect(job.endpoint);
      clients.push(client);
    }
    const question = Buffer.alloc(job.size, 0x5a);
    const round = async () => {
      for (const client of clients) await client.send(question);
      for (const client of clients) {
        const answer = await client.receive();
        if (answer.length !== 1 || answer[0].length !== job.size) throw new Error("wrong answer");
      }
    };
    const rounds = Math.ceil(job.count / job.clients);
    for (let i = 0; i < Math.ceil(job.warmup / job.clients); i++) await round();
    const meter = new Meter();
    meter.start();
    for (let i = 0; i < rounds; i++) await round();
    done({ ...meter.stop(), messages: rounds * job.clients });
  },

  /** Holds connections that say nothing, and tells what each costs. */
  async hold(library) {
    const router = new library.Router(binds);
    await router.bind(job.endpoint);
    tellParent({ event: "ready", endpoint: router.lastEndpoint });
    const meter = new Meter();
    await parentSays("weigh");
    const before = await settledRss();
    meter.start();
    tellParent({ event: "weighed" });
    await parentSays("finish");
    const after = await settledRss();
    done({
      ...meter.stop(),
      messages: job.connections,
      bytesPerConnection: (after - before) / job.connections,
    });
  },

  async reply(library) {
    const server = new library.Reply(binds);
    await server.bind(job.endpoint);
    tellParent({ event: "ready", endpoint: server.lastEndpoint });
    const meter = new Meter();
    parentSays("finish").then(() => done(meter.stop()));
    let served = 0;
    for await (const [question] of server) {
      if (served++ === job.warmup) meter.start();
      await server.send(question);
    }
  },

  async request(library) {
    const client = new library.Request(dials);
    client.connect(job.endpoint);
    const question = newMessage();
    const ask = async () => {
      await client.send(question);
      const answer = await client.receive();
      if (answer.length !== job.parts || answer[0].length !== job.size) throw new Error("wrong answer");
    };
    for (let i = 0; i < job.warmup; i++) await ask();
    const samples = new Samples(job.count);
    const meter = new Meter();
    meter.start();
    for (let i = 0; i < job.count; i++) {
      const before = performance.now();
      await ask();
      samples.add(performance.now() - before);
    }
    done({ ...meter.stop(), messages: job.count, latency: samples.summary() });
  },
};

/**
 * The resident set, once what is done with has been given back: also the memory for young objects, which grows to 16 or
 * 32 MB while connections are made, whatever their number. V8 gives it back by itself when a program has been idle for
 * about 20 seconds. This asks for the same collection at once.
 */
async function settledRss() {
  const inspector = new Session();
  inspector.connect();
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await inspector.post("HeapProfiler.collectGarbage");
  }
  inspector.disconnect();
  return process.memoryUsage.rss();
}

/** Does this process's part of the trial. */
export function work(library) {
  return roles[job.role](library);
}
