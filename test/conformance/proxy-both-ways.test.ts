/**
 * Proxy between sockets that send and receive: ROUTER and DEALER, XSUB and XPUB, PAIR. What all types share is in
 * proxy.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client, Server } from "../../src/draft.js";
import {
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../src/index.js";
import { managed, settled, TRANSPORTS, texts, turns, until } from "../support/helpers.js";
import { MessageCheck, MessageSource } from "../support/messages.mjs";
import { PeerProcess } from "../support/peer-process.js";

const LIMIT = { timeout: 20_000 };
const inprocEndpoint = TRANSPORTS[2].endpoint;
const COUNT = 10_000;

/** A broker of requests, running. */
async function broker(endpoint: () => string, front = managed(new Router()), back = managed(new Dealer())) {
  const frontEndpoint = await front.bind(endpoint());
  const backEndpoint = await back.bind(endpoint());
  const proxy = new Proxy(front, back);
  const running = proxy.run();
  return { front, back, proxy, running, frontEndpoint, backEndpoint };
}

describe.each(TRANSPORTS)("Proxy both ways over $name", ({ endpoint }) => {
  it("ROUTER and DEALER: 10,000 messages each way at the same time, octet for octet and in order", async () => {
    // A router drops what a full peer has no room for (I5); without a mark, nothing may be lost.
    const front = managed(new Router({ sendHighWaterMark: 0, receiveHighWaterMark: 0 }));
    const { proxy, frontEndpoint, backEndpoint } = await broker(endpoint, front);
    const [client, worker] = [
      managed(new Dealer({ routingId: "client", receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 0 })),
      managed(new Dealer()),
    ];
    client.connect(frontEndpoint);
    worker.connect(backEndpoint);
    const [there, back] = [new MessageCheck(81, COUNT), new MessageCheck(82, COUNT)];
    await client.send(new MessageSource(81, COUNT).next());
    const first = await worker.receive(LIMIT); // from here on the router knows the client
    expect(texts(first.slice(0, 1))).toEqual(["client"]);
    there.take(first.slice(1));
    await Promise.all([
      (async () => {
        const source = new MessageSource(81, COUNT);
        source.next();
        for (let i = 1; i < COUNT; i++) await client.send(source.next());
      })(),
      (async () => {
        while (!there.complete) there.take((await worker.receive(LIMIT)).slice(1));
      })(),
      (async () => {
        const source = new MessageSource(82, COUNT);
        for (let i = 0; i < COUNT; i++) {
          await worker.send(["client", ...source.next()]);
        }
      })(),
      (async () => {
        while (!back.complete) back.take(await client.receive(LIMIT));
      })(),
    ]);
    expect([there.mismatch, back.mismatch]).toEqual([null, null]);
    const { frontEnd, backEnd } = proxy.statistics;
    expect([frontEnd.messagesIn, frontEnd.messagesOut]).toEqual([COUNT, COUNT]);
    expect([backEnd.messagesIn, backEnd.messagesOut]).toEqual([COUNT, COUNT]);
    expect([frontEnd.bytesIn, backEnd.bytesIn]).toEqual([backEnd.bytesOut, frontEnd.bytesOut]);
  });

  it("ROUTER and DEALER: each client gets the replies to its own requests", async () => {
    const { proxy, running, frontEndpoint, backEndpoint } = await broker(endpoint);
    const workers = Array.from({ length: 3 }, () => managed(new Reply()));
    const serving = workers.map(async (worker) => {
      worker.connect(backEndpoint);
      for await (const [question] of worker) await worker.send([question, "", "answer"]);
    });
    const clients = Array.from({ length: 5 }, () => managed(new Request()));
    await Promise.all(
      clients.map(async (client, who) => {
        client.connect(frontEndpoint);
        for (let i = 0; i < 100; i++) {
          const answer = await client.request(`${who} ${i}`, LIMIT);
          expect(texts(answer)).toEqual([`${who} ${i}`, "", "answer"]);
        }
      }),
    );
    proxy.terminate();
    await running;
    for (const worker of workers) await worker.close();
    await Promise.all(serving);
  });

  it("PAIR and PAIR: 10,000 messages each way", async () => {
    const [left, front, back, right] = Array.from({ length: 4 }, () => managed(new Pair()));
    left.connect(await front.bind(endpoint()));
    right.connect(await back.bind(endpoint()));
    void new Proxy(front, back).run();
    const play = async (from: Pair, to: Pair, seed: number) => {
      const [source, check] = [new MessageSource(seed, COUNT), new MessageCheck(seed, COUNT)];
      const feeding = (async () => {
        for (let i = 0; i < COUNT; i++) await from.send(source.next());
      })();
      while (!check.complete) check.take(await to.receive(LIMIT));
      await feeding;
      expect(check.mismatch).toBeNull();
    };
    await Promise.all([play(left, right, 83), play(right, left, 84)]);
  });

  it("a stalled back end does not stop what comes back", async () => {
    const small = { sendHighWaterMark: 5, receiveHighWaterMark: 5, linger: 0 };
    const [left, front, back, right] = Array.from({ length: 4 }, () => managed(new Pair(small)));
    left.connect(await front.bind(endpoint()));
    right.connect(await back.bind(endpoint()));
    const proxy = new Proxy(front, back);
    void proxy.run();
    const body = Buffer.alloc(100_000);
    const stuck = left.sendMany(Array.from({ length: 300 }, (_, i) => [`${i}`, body]));
    await until(() => proxy.statistics.frontEnd.messagesIn > proxy.statistics.backEnd.messagesOut, "a stall");
    for (let i = 0; i < 1000; i++) {
      await right.send(`${i}`);
      expect(texts(await left.receive(LIMIT))).toEqual([`${i}`]);
    }
    expect(await settled(stuck)).toBe(false);
    for (let i = 0; i < 300; i++) expect(texts((await right.receive(LIMIT)).slice(0, 1))).toEqual([`${i}`]);
    await stuck;
  });

  it("XSUB and XPUB: subscriptions travel to the publishers, messages back to those who asked", async () => {
    const [front, back] = [managed(new XSubscriber()), managed(new XPublisher())];
    const frontEndpoint = await front.bind(endpoint());
    const backEndpoint = await back.bind(endpoint());
    const proxy = new Proxy(front, back);
    void proxy.run();
    const publishers = [0, 1].map(() => managed(new Publisher()));
    for (const publisher of publishers) publisher.connect(frontEndpoint);
    const subscribers = ["a", "ab", "c"].map((topic) => {
      const subscriber = managed(new Subscriber());
      subscriber.subscribe(topic);
      subscriber.connect(backEndpoint);
      return subscriber;
    });
    await until(() => proxy.statistics.frontEnd.messagesOut === 3, "three subscriptions");
    for (const publisher of publishers) await publisher.waitForSubscribers(1, LIMIT);
    // The order of subscriptions from several subscribers is open: wait until each publisher has heard all of them.
    const heard = async (topic: string, subscriber: Subscriber) => {
      for (const [who, publisher] of publishers.entries()) {
        await until(() => {
          void publisher.send([`${topic}!`, `probe ${who}`]);
          return subscriber.tryReceive() !== undefined;
        }, `a message on ${topic}`);
      }
    };
    await heard("a", subscribers[0]);
    await heard("ab", subscribers[1]);
    await heard("c", subscribers[2]);
    for (const subscriber of subscribers) await drained(subscriber);
    const before = proxy.statistics.frontEnd.messagesIn;
    for (const publisher of publishers) {
      for (const topic of ["abc", "b", "c"]) await publisher.send([topic, "x"]);
    }
    for (let i = 0; i < 2; i++) {
      expect(texts(await subscribers[0].receive(LIMIT))).toEqual(["abc", "x"]);
      expect(texts(await subscribers[1].receive(LIMIT))).toEqual(["abc", "x"]);
      expect(texts(await subscribers[2].receive(LIMIT))).toEqual(["c", "x"]);
    }
    // Nobody asked for "b", so the publishers have not even sent it.
    expect(proxy.statistics.frontEnd.messagesIn - before).toBe(4);
    subscribers[2].unsubscribe("c");
    await until(() => proxy.statistics.frontEnd.messagesOut === 4, "the end of a subscription");
  });
});

describe("Proxy with ROUTER", () => {
  it("a request in hand is given back with the name of its client, who can be answered by hand", async () => {
    const { front, proxy, running, frontEndpoint } = await broker(inprocEndpoint);
    const client = managed(new Request());
    client.connect(frontEndpoint);
    const answer = client.request("question", LIMIT);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a request in hand");
    proxy.terminate();
    await running;
    const [name, empty, question] = await front.receive(LIMIT);
    expect(texts([empty, question])).toEqual(["", "question"]);
    await front.send([name, "", "by hand"]);
    expect(texts(await answer)).toEqual(["by hand"]);
  });

  it("with mandatory, a reply to a client that left is counted, and the service goes on", async () => {
    const { proxy, frontEndpoint, backEndpoint } = await broker(
      inprocEndpoint,
      managed(new Router({ mandatory: true })),
    );
    const [client, worker] = [managed(new Dealer({ routingId: "stays" })), managed(new Dealer())];
    client.connect(frontEndpoint);
    worker.connect(backEndpoint);
    await client.send("hello");
    await worker.receive(LIMIT);
    await worker.send(["gone", "x"]);
    await worker.send("no name at all");
    await worker.send(["stays", "y"]);
    expect(texts(await client.receive(LIMIT))).toEqual(["y"]);
    expect(proxy.state).toBe("running");
    expect(proxy.statistics.undeliverable).toBe(2);
    expect(proxy.statistics.frontEnd.messagesOut).toBe(1);
  });

  it("with mandatory, replies wait for a client that is full, and requests still go through", async () => {
    const marks = { sendHighWaterMark: 5, receiveHighWaterMark: 5, linger: 0 };
    const { proxy, frontEndpoint, backEndpoint } = await broker(
      inprocEndpoint,
      managed(new Router({ mandatory: true, ...marks })),
    );
    const client = managed(new Dealer({ routingId: "slow", ...marks }));
    const worker = managed(new Dealer({ linger: 0 }));
    client.connect(frontEndpoint);
    worker.connect(backEndpoint);
    await client.send("hello");
    await worker.receive(LIMIT);
    for (let i = 0; i < 100; i++) await worker.send(["slow", `${i}`]);
    await until(() => proxy.statistics.frontEnd.messagesOut === 10, "a full client");
    for (let i = 0; i < 50; i++) {
      await client.send(`${i}`);
      expect(texts(await worker.receive(LIMIT))).toEqual(["slow", `${i}`]);
    }
    for (let i = 0; i < 100; i++) expect(texts(await client.receive(LIMIT))).toEqual([`${i}`]);
  });

  it("goes on when a send of the application that was in the way is given up", async () => {
    const marks = { sendHighWaterMark: 1, receiveHighWaterMark: 1, linger: 0 };
    const router = managed(new Router({ mandatory: true, ...marks }));
    const { front, proxy, frontEndpoint, backEndpoint } = await broker(inprocEndpoint, router);
    const [slow, quick, worker] = ["slow", "quick", "worker"].map((routingId) =>
      managed(new Dealer({ routingId, ...marks })),
    );
    for (const client of [slow, quick]) client.connect(frontEndpoint);
    worker.connect(backEndpoint);
    await front.connected({ count: 2, timeout: 20_000 });
    for (let i = 0; i < 2; i++) await front.send(["slow", "x"]);
    const controller = new AbortController();
    const own = front.send(["slow", "never"], { signal: controller.signal });
    await worker.send(["quick", "y"]);
    await until(() => proxy.statistics.backEnd.messagesIn === 1, "a message in hand");
    expect(proxy.statistics.frontEnd.messagesOut).toBe(0);
    controller.abort();
    await expect(own).rejects.toThrow(/abort/);
    expect(texts(await quick.receive(LIMIT))).toEqual(["y"]);
  });
});

describe("Proxy of one socket with itself, and of draft types", () => {
  it("a socket that is both ends sends back what it receives", async () => {
    const [both, client] = [managed(new Router()), managed(new Dealer())];
    client.connect(await both.bind(inprocEndpoint()));
    const proxy = new Proxy(both, both);
    const running = proxy.run();
    for (let i = 0; i < 100; i++) await client.send([`${i}`, ""]);
    for (let i = 0; i < 100; i++) expect(texts(await client.receive(LIMIT))).toEqual([`${i}`, ""]);
    expect(proxy.statistics.frontEnd).toEqual(proxy.statistics.backEnd);
    expect(proxy.statistics.frontEnd).toMatchObject({ messagesIn: 100, messagesOut: 100 });
    proxy.terminate();
    await running;
  });

  it("draft types are refused", () => {
    expect(() => new Proxy(managed(new Server()), managed(new Client()))).toThrow(
      /Front-end must not be a socket of a draft/,
    );
    expect(() => new Proxy(managed(new Dealer()), managed(new Client()))).toThrow(
      /Back-end must not be a socket of a draft/,
    );
    const capture = managed(new Client());
    expect(() => new Proxy(managed(new Dealer()), managed(new Dealer()), { capture })).toThrow(
      /capture must not/,
    );
  });
});

describe("Proxy both ways between peers of libzmq", () => {
  let peer: PeerProcess;
  beforeAll(async () => {
    peer = await PeerProcess.start("zeromq.js");
  });
  afterAll(() => peer?.stop());

  it("REQ to REP through ROUTER and DEALER: 1,000 round trips", async () => {
    const { frontEndpoint, backEndpoint } = await broker(() => "tcp://127.0.0.1:*");
    const job = { verb: "connect" as const, count: 1000, seed: 51 };
    const replying = await peer.run({ ...job, type: "REP", endpoint: backEndpoint, role: "reply" });
    const asking = await peer.run({ ...job, type: "REQ", endpoint: frontEndpoint, role: "request" });
    expect(await asking.done).toMatchObject({ received: 1000, mismatch: null });
    expect(await replying.done).toMatchObject({ received: 1000, mismatch: null });
  });

  it("PUB to SUB through XSUB and XPUB: 10,000 messages, every octet", async () => {
    const unlimited = { sendHighWaterMark: 0, receiveHighWaterMark: 0 };
    const [front, back] = [managed(new XSubscriber(unlimited)), managed(new XPublisher(unlimited))];
    const frontEndpoint = await front.bind("tcp://127.0.0.1:*");
    const backEndpoint = await back.bind("tcp://127.0.0.1:*");
    const proxy = new Proxy(front, back);
    void proxy.run();
    const job = { verb: "connect" as const, count: COUNT, seed: 61, options: unlimited };
    const receiving = await peer.run({ ...job, type: "SUB", endpoint: backEndpoint, role: "receive" });
    const sending = await peer.run({
      ...job,
      type: "PUB",
      endpoint: frontEndpoint,
      role: "send",
      sync: true,
    });
    // SYNC messages come only once the subscription has reached the publisher by way of the proxy.
    await until(() => proxy.statistics.frontEnd.messagesIn > 0, "a message of the publisher");
    sending.go();
    expect(await receiving.done).toMatchObject({ received: COUNT, mismatch: null });
  });
});

/** Takes what is on its way to a subscriber. */
async function drained(subscriber: Subscriber): Promise<void> {
  await turns(20);
  while (subscriber.tryReceive() !== undefined) await turns(20);
}
