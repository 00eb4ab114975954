/**
 * A thread whose sockets a test drives from outside: it does what it is asked and answers. Sockets have names, given
 * by the test. Runs the built dist/.
 */
import { parentPort } from "node:worker_threads";
import { MessageCheck, MessageSource } from "../messages.mjs";
import { Dealer, Publisher, Pull, Push, Reply, Request, Socket, Subscriber } from "./zwire.mjs";

const TYPES = { Dealer, Publisher, Pull, Push, Reply, Request, Subscriber };

const sockets = new Map();
const events = new Map();
const timer = setInterval(() => {}, 1000);

const tasks = {
  /** Makes a socket of a type, and remembers its events. */
  open(name, type, options) {
    const socket = new TYPES[type](options);
    sockets.set(name, socket);
    const seen = [];
    events.set(name, seen);
    for (const event of [
      "bind",
      "handshake",
      "disconnect",
      "close",
      "connect:retry",
      "handshake:error:protocol",
    ]) {
      socket.on(event, () => seen.push(event));
    }
  },
  /** Calls a method. */
  call: (name, method, ...args) => sockets.get(name)[method](...args),
  get: (name, property) => JSON.parse(JSON.stringify(sockets.get(name)[property])),
  events: (name) => events.get(name),
  async receive(name) {
    const parts = await sockets.get(name).receive({ timeout: 20_000 });
    return parts.map((part) => part.toString("latin1"));
  },
  /** Sends the messages of a seed, without waiting for anything else. */
  async sendAll(name, seed, count) {
    const source = new MessageSource(seed, count);
    for (let i = 0; i < count; i++) await sockets.get(name).send(source.next());
  },
  /** Receives as many messages, and says what was wrong with them. */
  async receiveAll(name, seed, count) {
    const check = new MessageCheck(seed, count);
    while (!check.complete) {
      const parts = await sockets.get(name).receive({ timeout: 20_000 });
      if (parts.some((part) => !(part.buffer instanceof ArrayBuffer))) return "shared memory";
      check.take(parts);
    }
    return check.mismatch;
  },
  /** Never stops sending. */
  flood(name, size) {
    const body = Buffer.alloc(size, 1);
    (async () => {
      for (;;) await sockets.get(name).send([Buffer.from("head"), body]);
    })();
  },
  /** Answers every request, for ever. */
  echo(name) {
    const socket = sockets.get(name);
    (async () => {
      for await (const parts of socket) await socket.send(parts);
    })();
  },
  /** Reads for ever. */
  drain(name) {
    (async () => {
      for await (const _ of sockets.get(name));
    })();
  },
  /** Ends the thread, soon after the answer. */
  exit: () => void setImmediate(() => process.exit(0)),
  fail: () => void setImmediate(() => Promise.reject(new Error("thrown in mid-traffic"))),
  /** Lets the thread end when its sockets do. */
  release() {
    clearInterval(timer);
    parentPort.unref();
  },
  /** The thread does nothing else for so long. */
  block: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
};

parentPort.on("message", async ({ id, task, args }) => {
  try {
    const result = await tasks[task](...args);
    parentPort.postMessage({ id, result: result instanceof Socket ? undefined : result });
  } catch (error) {
    parentPort.postMessage({ id, error: error.code ?? String(error.stack) });
  }
});
