/**
 * What the attacks of test/security are made on, by kind: each opens sockets or servers and says where, how a good peer
 * may use it, and what else the test may ask for. A kind that is missing is added here.
 */
import { serve } from "../../../dist/rpc.js";
import { Publisher, Pull, Reply, Router, say, XPublisher } from "./zwire.mjs";

const ANY = "tcp://127.0.0.1:*";

/** Tells `limit` events by option, with how often and the last one. */
export function countLimits(socket, limits) {
  socket.on("limit", ({ limit, action, value }) => {
    const known = limits[limit] ?? { count: 0 };
    limits[limit] = { count: known.count + 1, action, value };
  });
}

/** A good peer's `push` says when it sent; the victim keeps how long it took. */
async function pull(options, { limits, endpoint = ANY, late }) {
  const socket = new Pull(options);
  countLimits(socket, limits);
  const bound = await socket.bind(endpoint);
  (async () => {
    for await (const [head] of socket) {
      const at = Number(head.toString("latin1", 0, 24));
      if (head.length <= 24 && at > 0) late(performance.timeOrigin + performance.now() - at);
    }
  })();
  return { endpoint: bound, good: "push", sockets: [socket] };
}

async function reply(options, { limits, endpoint = ANY }) {
  const socket = new Reply(options);
  countLimits(socket, limits);
  const bound = await socket.bind(endpoint);
  (async () => {
    for await (const parts of socket) await socket.send(parts);
  })();
  return { endpoint: bound, good: "request", sockets: [socket] };
}

/** Echoes. */
async function router(options, { limits, endpoint = ANY }) {
  const socket = new Router(options);
  countLimits(socket, limits);
  const bound = await socket.bind(endpoint);
  (async () => {
    for await (const parts of socket) await socket.send(parts);
  })();
  return { endpoint: bound, good: "request", sockets: [socket] };
}

/** Publishes the time, every 2 ms, under the topic "tick"; the test may ask for more with { op: "publish" }. */
function publishing(Type) {
  return async (options, { limits, endpoint = ANY }) => {
    const socket = new Type(options);
    countLimits(socket, limits);
    const bound = await socket.bind(endpoint);
    setInterval(() => void socket.send(["tick", String(performance.timeOrigin + performance.now())]), 2);
    const publish = async ({ count, topic, size }) => {
      const body = Buffer.alloc(size, "x");
      for (let i = 0; i < count; i++) await socket.send([topic, body]);
    };
    return { endpoint: bound, good: "subscribe", sockets: [socket], ops: { publish } };
  };
}

/** A server whose `echo` is what the good peer calls. */
async function rpc(options, { endpoint = ANY }) {
  // Enough methods that a description of them is no small answer.
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`method${i}`, (left, right = 1) => [left, right]]),
  );
  const server = await serve(
    endpoint,
    {
      ...many,
      echo: (value) => value,
      later: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      *count(to) {
        for (let i = 0; i < to; i++) yield i;
      },
    },
    options,
  );
  return {
    endpoint: server.endpoint,
    good: "call",
    sockets: [],
    ops: {
      channels({ id }) {
        say({ event: "channels", id, channels: server.stats.channels });
      },
    },
  };
}

export const VICTIMS = {
  pull,
  reply,
  router,
  publisher: publishing(Publisher),
  xpublisher: publishing(XPublisher),
  rpc,
};
