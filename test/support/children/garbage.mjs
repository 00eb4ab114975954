/**
 * What the garbage collector takes and what it leaves, run with --expose-gc: sockets that nobody refers to, in use and
 * not. Prints for each case whether the socket is still there, and ends by itself.
 */
import { setImmediate as turn } from "node:timers/promises";
import {
  Context,
  context,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  say,
} from "./zwire.mjs";

const scheme = process.argv[2];
let names = 0;
const endpoint = () =>
  scheme === "inproc" ? `inproc://garbage-${names++}` : scheme === "tcp" ? "tcp://127.0.0.1:*" : "ipc://*";

/** Makes a socket of which nothing is kept but a weak reference. */
async function forget(make) {
  return new WeakRef(await make());
}

/** The collector runs between turns, and what it finds is told in later ones: some more when all is as it should be. */
async function collect(settled) {
  for (let i = 0, more = 0; i < 20 && more < 5; i++) {
    gc();
    await turn();
    if (settled()) more++;
    await turn(); // what deref() has given lives until then
  }
}

async function bound() {
  const socket = new Pull();
  await socket.bind(endpoint());
  return socket;
}

const kept = [];
const there = endpoint();
const server = new Pull();
const address = await server.bind(there);

const cases = {
  unused: async () => new Pair(),
  "unused with options": async () => new Request({ linger: 0, routingId: "x" }),
  "subscribed only": async () => {
    const socket = new Subscriber();
    socket.subscribe("a", "b");
    return socket;
  },
  closed: async () => {
    const socket = await bound();
    await socket.close();
    return socket;
  },
  "connected and closed": async () => {
    const socket = new Push();
    socket.connect(address);
    await socket.send("x");
    await socket.connected();
    await socket.close();
    return socket;
  },
  unbound: async () => {
    const socket = new Reply();
    await socket.unbind(await socket.bind(endpoint()));
    return socket;
  },
  bound,
  "connected to somebody": async () => {
    const socket = new Push();
    socket.connect(address);
    await socket.connected();
    return socket;
  },
  "connected to nobody": async () => {
    const socket = new Push();
    socket.connect(
      scheme === "inproc" ? endpoint() : scheme === "tcp" ? "tcp://127.0.0.1:9" : "ipc:///nobody/there",
    );
    return socket;
  },
  "bound and received from": async () => {
    const socket = new Router();
    await socket.bind(endpoint());
    kept.push(socket.receive().catch(() => "closed"));
    return socket;
  },
  "listened to": async () => {
    const socket = new Publisher();
    await socket.bind(endpoint());
    socket.on("handshake", () => {});
    return socket;
  },
};

/** The last five are in use. */
const IN_USE = 5;
const references = {};
for (const [name, make] of Object.entries(cases)) references[name] = await forget(make);
const remaining = () => Object.keys(references).filter((name) => references[name].deref() !== undefined);
await collect(() => remaining().length <= IN_USE);
say({ there: remaining() });

// A place that a socket took is free again when the socket is garbage (S17).
const small = new Context({ maxSockets: 10 });
for (let round = 0; round < 5; round++) {
  for (let i = 0; i < 10; i++) new Pull({ context: small });
  await collect(() => small.sockets === 0);
}
say({ places: small.sockets, others: context.sockets > 0 });
process.exit();
