/**
 * The kinds of traffic of the soak. To add one, add an object to KINDS:
 *
 *   name      what the table calls it
 *   peers     how many peers it has at a time. Each is a process of its own, or a thread with `thread: true`, which is killed
 *             or told to leave after a while
 *   env       of those processes
 *   pools     the most pieces of memory for loans that the hub keeps
 *   hub(c)    the side that lives as long as the soak; c.path is a free path for a socket file, c.fail(error) ends the soak.
 *             Returns { count, sockets, rest, close }: how much has arrived so far, the sockets that must have no peers
 *             while all peers are gone, what to do then, and the end
 *   peer(c)   the other side: c.path as above, c.slot and c.life (unique) say who it is, c.leaving is true when it shall
 *             end. It throws if something is wrong.
 */
import { setTimeout as pause } from "node:timers/promises";
import {
  curveKeyPair,
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
} from "../../dist/index.js";
import { breathe, going, HEARTBEATS, LastNumber } from "./going.mjs";
import { LOAN_KINDS } from "./loans.mjs";
import { message, numberOf, Order } from "./messages.mjs";

/** Keys of all processes of a soak. */
const keys = JSON.parse(process.env.ZWIRE_SOAK_KEYS ?? "null") ?? [curveKeyPair(), curveKeyPair()];
process.env.ZWIRE_SOAK_KEYS = JSON.stringify(keys);
const SERVER = { curveServer: true, curveSecretKey: keys[0].secretKey };
const CLIENT = {
  curveServerKey: keys[0].publicKey,
  curvePublicKey: keys[1].publicKey,
  curveSecretKey: keys[1].secretKey,
};

/** Peers push to the hub: whatever a peer sent arrives whole and in order, up to its end. */
const toHub = (name, peers, hubOptions = {}, peerOptions = {}, more = {}) => ({
  name,
  peers,
  ...more,
  async hub(c) {
    const pull = new Pull({ ...HEARTBEATS, ...hubOptions });
    await pull.bind(`ipc://${c.path}`);
    const order = new Order();
    const side = { count: 0, sockets: [pull], rest: () => order.clear(), close: () => pull.close() };
    going(c, async () => {
      for await (const [life, body] of pull) {
        order.saw(`${life}`, numberOf(body));
        side.count++;
      }
    });
    return side;
  },
  async peer(c) {
    const push = new Push({ linger: 2000, sendHighWaterMark: 50, ...peerOptions });
    push.connect(`ipc://${c.path}`);
    for (let i = 0; !c.leaving; i++) {
      await push.send([c.life, message(i)], { timeout: 60_000 });
      await breathe(i);
    }
    await push.close();
  },
});

/** The hub pushes to a peer that comes again and again: nothing twice, nothing torn, and in order over all lives. */
const fromHub = (name, hubOptions = {}, peerOptions = {}, more = {}) => ({
  name,
  peers: 1,
  ...more,
  async hub(c) {
    const endpoint = `ipc://${c.path}`;
    const push = new Push({ sendHighWaterMark: 8, reconnectInterval: 20, linger: 0, ...hubOptions });
    push.connect(endpoint);
    const side = { count: 0, sockets: [push], rest() {}, close: () => push.close({ linger: 0 }) };
    going(c, async () => {
      for (;;) {
        await push.send(message(side.count++));
        await breathe(side.count);
      }
    });
    return side;
  },
  async peer(c) {
    const pull = new Pull({ receiveHighWaterMark: 4, receiveHighWaterMarkBytes: 100_000, ...peerOptions });
    const last = new LastNumber(c);
    await pull.bind(`ipc://${c.path}`);
    while (!c.leaving) {
      const [body] = await pull.receive({ timeout: 500 }).catch(() => []);
      if (body === undefined) continue;
      last.came(numberOf(body));
    }
    await pull.close();
  },
});

const echo = (name, peers, options = {}, more = {}) => ({
  name,
  peers,
  ...more,
  async hub(c) {
    const router = new Router({ ...HEARTBEATS, ...options });
    await router.bind(`ipc://${c.path}`);
    const side = { count: 0, sockets: [router], rest() {}, close: () => router.close() };
    going(c, async () => {
      for await (const parts of router) {
        numberOf(parts[1]);
        await router.send(parts);
        side.count++;
      }
    });
    return side;
  },
  async peer(c) {
    const dealer = new Dealer({ linger: 0, ...options });
    dealer.connect(`ipc://${c.path}`);
    let sent = 0;
    for (let i = 0; !c.leaving; i++) {
      while (sent < i + 6) await dealer.send(message(sent++, 200_000));
      const number = numberOf((await dealer.receive({ timeout: 60_000 }))[0]);
      if (number !== i) throw new Error(`the echo of ${number} came, not that of ${i}`);
      await breathe(i);
    }
    await dealer.close();
  },
});

const requests = {
  name: "requests",
  peers: 2,
  async hub(c) {
    const reply = new Reply();
    await reply.bind(`ipc://${c.path}`);
    const side = { count: 0, sockets: [reply], rest() {}, close: () => reply.close() };
    reply.on("message", ([body]) => {
      side.count++;
      void reply.send(body).catch((error) => error.code !== "EBADF" && c.fail(error));
    });
    return side;
  },
  async peer(c) {
    const request = new Request({ linger: 0 });
    request.connect(`ipc://${c.path}`);
    for (let i = 0; !c.leaving; i++) {
      const [answer] = await request.request(message(i), { timeout: 60_000 });
      if (numberOf(answer) !== i) throw new Error(`the answer to ${i} is wrong`);
      await breathe(i);
    }
    await request.close();
  },
};

/** Every second subscriber is slow: what it misses is dropped, and the others get all. */
const published = {
  name: "published",
  peers: 4,
  async hub(c) {
    const publisher = new Publisher({ sendHighWaterMark: 64 });
    await publisher.bind(`ipc://${c.path}`);
    const side = { count: 0, sockets: [publisher], rest() {}, close: () => publisher.close({ linger: 0 }) };
    going(c, async () => {
      for (;;) {
        await publisher.send(["t", message(side.count++, 100_000)]);
        await breathe(side.count);
      }
    });
    return side;
  },
  async peer(c) {
    const subscriber = new Subscriber({ receiveHighWaterMark: 16 });
    subscriber.subscribe("t");
    subscriber.connect(`ipc://${c.path}`);
    const order = new Order(true);
    while (!c.leaving) {
      const [, body] = await subscriber.receive({ timeout: 500 }).catch(() => []);
      if (body === undefined) continue;
      order.saw("publisher", numberOf(body));
      if (c.slot % 2 === 1) await pause(25);
    }
    await subscriber.close();
  },
};

export const KINDS = [
  toHub("push", 2),
  toHub("push, small ring", 1, { sharedMemorySize: 65_536 }, { sharedMemorySize: 65_536 }),
  toHub("push, CURVE", 1, SERVER, CLIENT),
  toHub("push, portable", 1, {}, {}, { env: { ZWIRE_ENGINE: "portable" } }),
  toHub("push, thread", 1, {}, {}, { thread: true }),
  fromHub("pull"),
  fromHub("pull, CURVE", CLIENT, SERVER),
  fromHub("pull, small ring", { sharedMemorySize: 65_536 }, { sharedMemorySize: 65_536 }),
  echo("echo", 2),
  echo("echo, spinning", 1, { spinMicroseconds: 50 }),
  requests,
  published,
  ...LOAN_KINDS,
];
