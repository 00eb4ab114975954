/**
 * Proxy, from a user's chair: what goes through, in which order, how back-pressure acts through it, and what is left
 * when it stops. Types with two directions are in proxy-both-ways.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Proxy, Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import { managed, settled, TRANSPORTS, texts, turns, until, within } from "../support/helpers.js";
import { MessageCheck, MessageSource } from "../support/messages.mjs";
import { PeerProcess } from "../support/peer-process.js";
import { expectNumbers, inprocEndpoint, isTimeout, LIMIT, numbered, pipeline } from "../support/proxied.js";

describe.each(TRANSPORTS)("Proxy over $name", ({ endpoint }) => {
  it("forwards 10,000 messages of any size and number of parts, octet for octet and in order", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline(endpoint);
    pull.connect(backEndpoint);
    const running = proxy.run();
    expect(proxy.state).toBe("running");
    const count = 10_000;
    const source = new MessageSource(71, count);
    const check = new MessageCheck(71, count);
    const feeding = (async () => {
      for (let i = 0; i < count; i++) await push.send(source.next());
    })();
    while (!check.complete) check.take(await pull.receive(LIMIT));
    await feeding;
    expect(check.mismatch).toBeNull();
    const { frontEnd, backEnd } = proxy.statistics;
    expect(frontEnd).toMatchObject({ messagesIn: count, messagesOut: 0, bytesOut: 0 });
    expect(backEnd).toMatchObject({
      messagesIn: 0,
      bytesIn: 0,
      messagesOut: count,
      bytesOut: frontEnd.bytesIn,
    });
    proxy.terminate();
    await within(running, "the end of the run");
    expect(proxy.state).toBe("terminated");
  });

  it("leaves parts as they are, empty ones and the only one being empty included", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline(endpoint);
    pull.connect(backEndpoint);
    void proxy.run();
    const messages = [[""], ["", ""], ["a", "", "b"], ["", "c"], ["d", ""], ["e"]];
    for (const parts of messages) await push.send(parts);
    for (const parts of messages) expect(texts(await pull.receive(LIMIT))).toEqual(parts);
    expect(proxy.statistics.frontEnd).toMatchObject({ messagesIn: 6, bytesIn: 5 });
  });

  it("without a receiver it stops reading: the sender waits, and then everything arrives in order", async () => {
    const { push, pull, front, proxy, backEndpoint } = await pipeline(endpoint, { send: 10, receive: 10 });
    void proxy.run();
    const body = Buffer.alloc(100_000);
    let sent = 0;
    while (await push.send([`${sent}`, body], { timeout: 200 }).then(() => true, isTimeout)) sent++;
    await until(() => proxy.statistics.frontEnd.messagesIn > 0 && front.stats.receiveQueue > 0, "it is full");
    const { frontEnd, backEnd } = proxy.statistics;
    // Nobody is connected to the back end, which therefore has no queue at all: one message is in the proxy's hand.
    expect(frontEnd.messagesIn).toBe(1);
    expect(backEnd.messagesOut).toBe(0);
    expect(front.stats.receiveQueue).toBeGreaterThan(0);
    pull.connect(backEndpoint);
    for (let i = 0; i < sent; i++) expect(texts((await pull.receive(LIMIT)).slice(0, 1))).toEqual([`${i}`]);
  });

  it("a receiver that does not read holds up the sender through the proxy's high-water marks", async () => {
    const { push, pull, back, proxy, backEndpoint } = await pipeline(endpoint, { send: 10, receive: 10 });
    pull.connect(backEndpoint);
    await back.connected({ timeout: 20_000 });
    void proxy.run();
    const body = Buffer.alloc(300_000);
    let sent = 0;
    while (await push.send([`${sent}`, body], { timeout: 300 }).then(() => true, isTimeout)) sent++;
    const held = () => proxy.statistics.frontEnd.messagesIn - proxy.statistics.backEnd.messagesOut;
    await until(() => held() === 1, "one message is in its hand");
    for (let i = 0; i < sent; i++) expect(texts((await pull.receive(LIMIT)).slice(0, 1))).toEqual([`${i}`]);
  });

  it("paused it takes nothing; resumed it goes on with nothing lost and in order", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline(endpoint, { send: 5, receive: 5 });
    pull.connect(backEndpoint);
    void proxy.run();
    await numbered(push, 0, 5);
    await expectNumbers(pull, 0, 5);
    proxy.pause();
    proxy.pause();
    expect(proxy.state).toBe("paused");
    const body = Buffer.alloc(100_000); // together more than the kernel holds
    const sending = push.sendMany(Array.from({ length: 300 }, (_, i) => [`${i}`, body]));
    await turns(50);
    expect(pull.tryReceive()).toBeUndefined();
    expect(proxy.statistics.frontEnd.messagesIn).toBe(5);
    expect(await settled(sending)).toBe(false);
    proxy.resume();
    proxy.resume();
    expect(proxy.state).toBe("running");
    for (let i = 0; i < 300; i++) expect(texts((await pull.receive(LIMIT)).slice(0, 1))).toEqual([`${i}`]);
    await sending;
  });

  it("publishes what it subscribes to", async () => {
    const [publisher, front] = [managed(new Publisher()), managed(new Subscriber())];
    const [back, subscriber] = [managed(new Publisher()), managed(new Subscriber())];
    front.subscribe("a");
    front.connect(await publisher.bind(endpoint()));
    subscriber.subscribe("ab");
    subscriber.connect(await back.bind(endpoint()));
    await publisher.waitForSubscribers(1, LIMIT);
    await back.waitForSubscribers(1, LIMIT);
    const proxy = new Proxy(front, back);
    void proxy.run();
    for (const topic of ["a", "ab", "b", "abc"]) await publisher.send([topic, "x"]);
    expect(texts(await subscriber.receive(LIMIT))).toEqual(["ab", "x"]);
    expect(texts(await subscriber.receive(LIMIT))).toEqual(["abc", "x"]);
    expect(proxy.statistics.frontEnd.messagesIn).toBe(3);
  });

  it("passes on requests and brings back replies", async () => {
    const [client, server] = [managed(new Request()), managed(new Reply())];
    const [front, back] = [managed(new Reply()), managed(new Request())];
    client.connect(await front.bind(endpoint()));
    server.connect(await back.bind(endpoint()));
    void new Proxy(front, back).run();
    const serving = (async () => {
      for await (const [question] of server) await server.send([question, "!"]);
    })();
    for (let i = 0; i < 300; i++) expect(texts(await client.request(`${i}`, LIMIT))).toEqual([`${i}`, "!"]);
    await server.close();
    await serving;
  });
});

describe("capture", () => {
  it("gets a copy of each message, of both directions", async () => {
    const [client, server] = [managed(new Request()), managed(new Reply())];
    const [front, back] = [managed(new Reply()), managed(new Request())];
    client.connect(await front.bind(inprocEndpoint()));
    server.connect(await back.bind(inprocEndpoint()));
    const [capture, monitor] = [managed(new Push({ linger: 0 })), managed(new Pull())];
    monitor.connect(await capture.bind(inprocEndpoint()));
    const proxy = new Proxy(front, back, { capture });
    void proxy.run();
    for (let i = 0; i < 3; i++) {
      const answer = client.request([`q${i}`, ""], LIMIT);
      await server.receive(LIMIT);
      await server.send(`a${i}`);
      await answer;
    }
    const seen = [];
    for (let i = 0; i < 6; i++) seen.push(texts(await monitor.receive(LIMIT)));
    expect(seen).toEqual([["q0", ""], ["a0"], ["q1", ""], ["a1"], ["q2", ""], ["a2"]]);
    expect(proxy.statistics).toMatchObject({ captured: 6, captureDropped: 0 });
    expect(proxy.statistics.frontEnd).toEqual({ messagesIn: 3, bytesIn: 6, messagesOut: 3, bytesOut: 6 });
    expect(proxy.statistics.backEnd).toEqual({ messagesIn: 3, bytesIn: 6, messagesOut: 3, bytesOut: 6 });
  });

  it("never holds up the forwarding: without a peer, full, or closed its copies are dropped and counted", async () => {
    const capture = managed(new Push({ sendHighWaterMark: 10, linger: 0 }));
    const captureEndpoint = await capture.bind(inprocEndpoint());
    const { push, pull, proxy, backEndpoint } = await pipeline(inprocEndpoint, {}, { capture });
    pull.connect(backEndpoint);
    void proxy.run();
    await numbered(push, 0, 500);
    await expectNumbers(pull, 0, 500);
    expect(proxy.statistics).toMatchObject({ captured: 0, captureDropped: 500 });
    const monitor = managed(new Pull({ receiveHighWaterMark: 10 }));
    monitor.connect(captureEndpoint);
    await numbered(push, 500, 1000);
    await expectNumbers(pull, 500, 1000);
    expect(proxy.statistics).toMatchObject({ captured: 20, captureDropped: 980 });
    await expectNumbers(monitor, 500, 520);
    await capture.close();
    await numbered(push, 1000, 1100);
    await expectNumbers(pull, 1000, 1100);
    expect(proxy.statistics).toMatchObject({ captured: 20, captureDropped: 1080 });
    expect(proxy.state).toBe("running");
  });

  it("does not see a message that waits and is given back", async () => {
    const [capture, monitor] = [managed(new Push({ linger: 0 })), managed(new Pull())];
    monitor.connect(await capture.bind(inprocEndpoint()));
    const { push, proxy } = await pipeline(inprocEndpoint, {}, { capture });
    const running = proxy.run();
    await push.send("x");
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await running;
    await turns(5);
    expect(monitor.tryReceive()).toBeUndefined();
    expect(proxy.statistics).toMatchObject({ captured: 0, captureDropped: 0 });
  });
});

describe("fairness of a proxy", () => {
  it("forwards at most 512 messages per direction in one turn of the event loop", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline(inprocEndpoint, { send: 0, receive: 0 });
    pull.connect(backEndpoint);
    const count = 20_000;
    for (let i = 0; i < count; i++) push.trySend(`${i}`);
    void proxy.run();
    let seen = 0;
    let most = 0;
    let rounds = 0;
    while (seen < count) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = proxy.statistics.backEnd.messagesOut;
      most = Math.max(most, now - seen);
      seen = now;
      rounds++;
    }
    expect(most).toBeLessThanOrEqual(512);
    expect(rounds).toBeGreaterThanOrEqual(count / 512);
    await expectNumbers(pull, 0, count);
  });

  it("also where many short bursts come in one turn, as over inproc", async () => {
    const marks = { send: 5, receive: 5 };
    const { push, pull, proxy, backEndpoint } = await pipeline(inprocEndpoint, marks);
    pull.connect(backEndpoint);
    void proxy.run();
    const feeding = push.sendMany(Array.from({ length: 20_000 }, (_, i) => `${i}`));
    const reading = expectNumbers(pull, 0, 20_000);
    let seen = 0;
    let most = 0;
    while (seen < 20_000) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = proxy.statistics.backEnd.messagesOut;
      most = Math.max(most, now - seen);
      seen = now;
    }
    await Promise.all([feeding, reading]);
    expect(most).toBeLessThanOrEqual(1024); // 512 up to the turn's end and 512 from its beginning
  });

  it("timers tick while it is busy", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline(TRANSPORTS[0].endpoint);
    pull.connect(backEndpoint);
    void proxy.run();
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    const feeding = push.sendMany(Array.from({ length: 50_000 }, (_, i) => `${i}`));
    for (let left = 50_000; left > 0; ) left -= (await pull.receiveMany()).length;
    await feeding;
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(3);
  });

  it("two proxies into one back end share its room", async () => {
    const [back, pull] = [managed(new Push({ sendHighWaterMark: 20, linger: 0 })), managed(new Pull())];
    pull.receiveHighWaterMark = 20;
    pull.connect(await back.bind(inprocEndpoint()));
    for (const who of [0, 1]) {
      const push = managed(new Push({ sendHighWaterMark: 0, linger: 0 }));
      const front = managed(new Pull({ receiveHighWaterMark: 0 }));
      push.connect(await front.bind(inprocEndpoint()));
      for (let i = 0; i < 2000; i++) push.trySend([`${who}`, `${i}`]);
      void new Proxy(front, back).run();
    }
    await turns(3); // both have begun
    const next = [0, 0];
    for (let i = 0; i < 4000; i++) {
      if (i % 20 === 0) await turns(2); // a slow reader: room comes in small amounts
      const [who, number] = texts(await pull.receive(LIMIT));
      expect(Number(number)).toBe(next[Number(who)]++);
      if (i === 2000) expect(Math.min(...next)).toBeGreaterThan(500);
    }
  });
});

describe("Proxy between peers of libzmq", () => {
  let peer: PeerProcess;
  beforeAll(async () => {
    peer = await PeerProcess.start("zeromq.js");
  });
  afterAll(() => peer?.stop());

  it.each(["tcp", "ipc"] as const)(
    "PUSH to PULL over %s: 10,000 messages, every octet",
    async (transport) => {
      const endpoint = transport === "tcp" ? "tcp://127.0.0.1:*" : "ipc://*";
      const [front, back] = [managed(new Pull()), managed(new Push())];
      const job = { verb: "connect" as const, count: 10_000, seed: 31 };
      const [frontEndpoint, backEndpoint] = [await front.bind(endpoint), await back.bind(endpoint)];
      const proxy = new Proxy(front, back);
      const running = proxy.run();
      const receiving = await peer.run({ ...job, type: "PULL", endpoint: backEndpoint, role: "receive" });
      const sending = await peer.run({ ...job, type: "PUSH", endpoint: frontEndpoint, role: "send" });
      await sending.done;
      expect(await receiving.done).toMatchObject({ received: 10_000, mismatch: null });
      proxy.terminate();
      await running;
    },
  );

  it("REQ to REP through Reply and Request: 1,000 round trips", async () => {
    const [front, back] = [managed(new Reply()), managed(new Request())];
    const job = { verb: "connect" as const, count: 1000, seed: 41 };
    const endpoints = [await front.bind("tcp://127.0.0.1:*"), await back.bind("tcp://127.0.0.1:*")];
    void new Proxy(front, back).run();
    const replying = await peer.run({ ...job, type: "REP", endpoint: endpoints[1], role: "reply" });
    const asking = await peer.run({ ...job, type: "REQ", endpoint: endpoints[0], role: "request" });
    expect(await asking.done).toMatchObject({ received: 1000, mismatch: null });
    expect(await replying.done).toMatchObject({ received: 1000, mismatch: null });
  });
});
