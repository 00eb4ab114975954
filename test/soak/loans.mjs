/**
 * Kinds of traffic whose larger messages are loans. Who sends also takes loans that it gives back, or forgets; who
 * receives borrows, copies, keeps for a while, and forgets. What is kept must be whole when it is given back.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Dealer, Publisher, Pull, Push, Router, Subscriber } from "../../dist/index.js";
import { breathe, going, HEARTBEATS, LastNumber } from "./going.mjs";
import { fill, message, numberOf, Order, sizeOf } from "./messages.mjs";

/** So little that it is out now and then: then messages are copied. */
const LENDING = { maxLoanedBytes: 16 * 1024 * 1024 };
const BORROWING = { maxBorrowedBytes: 4 * 1024 * 1024 };
/** Pieces of memory of one pool: one for each size of messages above 16 KiB. */
const POOLS = 4;
/** How long what is kept is kept, in milliseconds. */
const KEPT = 700;

/** How often a message is none, and how often a receiver does something else than to give it back at once. */
const GIVEN_BACK_EACH = 7;
const FORGOTTEN_EACH = 101;
const COPIED_EACH = 5;
const KEPT_EACH = 3;

/** Message `number`, in a loan. */
async function loaned(socket, number) {
  const size = sizeOf(number);
  if (number % GIVEN_BACK_EACH === 0) socket.loan(size).release();
  if (number % FORGOTTEN_EACH === 0) socket.loan(size);
  // Waits, but not for what only the collector gives back.
  const waited = number % 2 === 0 ? socket.nextLoan(size, { timeout: 100 }).catch(() => null) : null;
  return fill((await waited) ?? socket.loan(size), number);
}

/** Takes messages in all ways. */
class Taker {
  #socket;
  #kept = [];
  #count = 0;

  constructor(socket) {
    this.#socket = socket;
    this.timer = setInterval(() => this.#giveBack(performance.now() - KEPT), 100);
    this.timer.unref();
  }

  /** @returns the parts and what to do with them in the end; null if nothing comes within the time */
  async take(options) {
    const count = this.#count++;
    const receives = count % COPIED_EACH === 0;
    const parts = await (receives ? this.#socket.receive(options) : this.#socket.borrow(options)).catch(
      (error) => {
        if (error.code === "EAGAIN") return null;
        throw error;
      },
    );
    if (parts !== null && !receives) this.#end(parts, count);
    return parts;
  }

  /** Called before the caller has looked at the parts, which it does in the same turn. */
  #end(parts, count) {
    if (count % FORGOTTEN_EACH === 1) return;
    if (count % KEPT_EACH === 1) this.#kept.push({ parts, since: performance.now() });
    else setImmediate(() => parts.release());
  }

  #giveBack(before) {
    while (this.#kept.length > 0 && this.#kept[0].since < before) {
      const { parts } = this.#kept.shift();
      numberOf(parts[parts.length - 1]);
      parts.release();
    }
  }

  /** Gives back what is kept. */
  stop() {
    clearInterval(this.timer);
    this.#giveBack(Number.POSITIVE_INFINITY);
  }
}

const toHub = (name, peers, more = {}) => ({
  name,
  peers,
  ...more,
  async hub(c) {
    const pull = new Pull({ ...HEARTBEATS, ...BORROWING });
    await pull.bind(`ipc://${c.path}`);
    const order = new Order();
    const taker = new Taker(pull);
    const side = { count: 0, sockets: [pull], rest: () => order.clear(), close: () => pull.close() };
    // In a function of its own, because a loop that waits keeps the last message, and with it a mapping.
    const takeOne = async () => {
      const [life, body] = await taker.take();
      order.saw(`${life}`, numberOf(body));
      side.count++;
    };
    going(c, async () => {
      for (;;) await takeOne();
    });
    return side;
  },
  async peer(c) {
    const push = new Push({ linger: 2000, sendHighWaterMark: 50, ...LENDING });
    push.connect(`ipc://${c.path}`);
    for (let i = 0; !c.leaving; i++) {
      await push.send([c.life, await loaned(push, i)], { timeout: 60_000 });
      await breathe(i);
    }
    await push.close();
  },
});

const fromHub = {
  name: "loans, pull",
  peers: 1,
  pools: POOLS,
  async hub(c) {
    const push = new Push({ sendHighWaterMark: 8, reconnectInterval: 20, linger: 0, ...LENDING });
    push.connect(`ipc://${c.path}`);
    const side = { count: 0, sockets: [push], rest() {}, close: () => push.close({ linger: 0 }) };
    going(c, async () => {
      for (;;) {
        await push.send(await loaned(push, side.count++));
        await breathe(side.count);
      }
    });
    return side;
  },
  async peer(c) {
    const pull = new Pull({ receiveHighWaterMark: 4, ...BORROWING });
    const last = new LastNumber(c);
    await pull.bind(`ipc://${c.path}`);
    const taker = new Taker(pull);
    while (!c.leaving) {
      const parts = await taker.take({ timeout: 500 });
      if (parts !== null) last.came(numberOf(parts[0]));
    }
    taker.stop();
    await pull.close();
  },
};

/** Every second subscriber is slow, and loses messages. The others share the loans with it. */
const published = {
  name: "loans, published",
  peers: 4,
  pools: POOLS,
  async hub(c) {
    const publisher = new Publisher({ sendHighWaterMark: 64, ...LENDING });
    await publisher.bind(`ipc://${c.path}`);
    const side = { count: 0, sockets: [publisher], rest() {}, close: () => publisher.close({ linger: 0 }) };
    going(c, async () => {
      for (;;) {
        await publisher.send(["t", await loaned(publisher, side.count++)]);
        await breathe(side.count);
      }
    });
    return side;
  },
  async peer(c) {
    const subscriber = new Subscriber({ receiveHighWaterMark: 16, ...BORROWING });
    subscriber.subscribe("t");
    subscriber.connect(`ipc://${c.path}`);
    const order = new Order(true);
    const taker = new Taker(subscriber);
    while (!c.leaving) {
      const parts = await taker.take({ timeout: 500 });
      if (parts !== null) order.saw("publisher", numberOf(parts[1]));
      if (c.slot % 2 === 1) await pause(25);
    }
    taker.stop();
    await subscriber.close();
  },
};

/** The hub sends on what it has borrowed, and gives it back at once. */
const forwarded = {
  name: "loans, echo",
  peers: 2,
  pools: 0,
  async hub(c) {
    const router = new Router({ ...HEARTBEATS, ...BORROWING });
    await router.bind(`ipc://${c.path}`);
    const side = { count: 0, sockets: [router], rest() {}, close: () => router.close() };
    going(c, async () => {
      for await (const parts of router.borrowed()) {
        numberOf(parts[1]);
        await router.send([...parts]);
        side.count++;
      }
    });
    return side;
  },
  async peer(c) {
    const dealer = new Dealer({ linger: 0, ...LENDING });
    dealer.connect(`ipc://${c.path}`);
    let sent = 0;
    for (let i = 0; !c.leaving; i++) {
      while (sent < i + 6)
        await dealer.send(sent % 13 === 0 ? message(sent++) : await loaned(dealer, sent++));
      const echo = await dealer.borrow({ timeout: 60_000 });
      const number = numberOf(echo[0]);
      echo.release();
      if (number !== i) throw new Error(`the echo of ${number} came, not that of ${i}`);
      await breathe(i);
    }
    await dealer.close();
  },
};

export const LOAN_KINDS = [
  toHub("loans, push", 2),
  toHub("loans, push, thread", 1, { thread: true }),
  toHub("loans, push, portable", 1, { env: { ZWIRE_ENGINE: "portable" } }),
  fromHub,
  published,
  forwarded,
];
