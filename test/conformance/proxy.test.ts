/**
 * Proxy, from a user's chair: what goes through, in which order, how back-pressure acts through it, and what is left
 * when it stops. Types with two directions are in proxy-both-ways.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Proxy,
  type ProxyOptions,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Subscriber,
} from "../../src/index.js";
import { managed, settled, TRANSPORTS, texts, turns, until, within } from "../support/helpers.js";
import { MessageCheck, MessageSource } from "../support/messages.mjs";
import { PeerProcess } from "../support/peer-process.js";

const LIMIT = { timeout: 20_000 };
const inprocEndpoint = TRANSPORTS[2].endpoint;

/** push → (front: Pull, back: Push) → pull, connected, with a proxy that does not run yet. */
async function pipeline(
  endpoint: () => string = inprocEndpoint,
  marks: { send?: number; receive?: number } = {},
  options?: ProxyOptions,
) {
  const sending = { sendHighWaterMark: marks.send ?? 1000, linger: 0 };
  const receiving = { receiveHighWaterMark: marks.receive ?? 1000 };
  const [push, front] = [managed(new Push(sending)), managed(new Pull(receiving))];
  const [back, pull] = [managed(new Push(sending)), managed(new Pull(receiving))];
  push.connect(await front.bind(endpoint()));
  const backEndpoint = await back.bind(endpoint());
  const proxy = new Proxy(front, back, options);
  return { push, front, back, pull, proxy, backEndpoint };
}

async function numbered(push: Push, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await push.send(`${i}`);
}

async function expectNumbers(socket: Pull, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) expect(texts(await socket.receive(LIMIT))).toEqual([`${i}`]);
}

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

describe("when a proxy stops", () => {
  it("gives back the message that waits: the next receive has it, then what follows", async () => {
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 20);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await running;
    expect(proxy.statistics.frontEnd).toMatchObject({ messagesIn: 0, bytesIn: 0 });
    expect(front.stats.receiveQueue).toBe(20);
    await expectNumbers(front, 0, 20);
    expect(front.stats.messagesReceived).toBe(20);
    // Both sockets are as they were.
    await push.send("more");
    expect(texts(await front.receive(LIMIT))).toEqual(["more"]);
    pull.connect(backEndpoint);
    await back.send("by hand", LIMIT);
    expect(texts(await pull.receive(LIMIT))).toEqual(["by hand"]);
  });

  it("can run again, as can another proxy over the same sockets, and takes what was given back first", async () => {
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline();
    const first = proxy.run();
    await numbered(push, 0, 10);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await first;
    pull.connect(backEndpoint);
    const second = proxy.run();
    await expectNumbers(pull, 0, 10);
    proxy.terminate();
    await second;
    expect(proxy.statistics.backEnd.messagesOut).toBe(10);
    const other = new Proxy(front, back);
    const third = other.run();
    await numbered(push, 10, 20);
    await expectNumbers(pull, 10, 20);
    other.terminate();
    await third;
  });

  it("a given back message keeps its place when the socket has a listener or many read", async () => {
    const { push, front, proxy } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 6);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await running;
    expect((await front.receiveMany(2)).map((parts) => texts(parts)[0])).toEqual(["0", "1"]);
    const heard: string[] = [];
    front.on("message", (parts) => heard.push(texts(parts)[0]));
    await until(() => heard.length === 4, "four messages");
    expect(heard).toEqual(["2", "3", "4", "5"]);
  });

  it("a request in hand is given back with the duty to reply to it", async () => {
    const client = managed(new Request());
    const [front, back] = [managed(new Reply()), managed(new Request())];
    client.connect(await front.bind(inprocEndpoint()));
    await back.bind(inprocEndpoint());
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    const answer = client.request("question", LIMIT);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a request in hand");
    proxy.terminate();
    await running;
    expect(texts(await front.receive(LIMIT))).toEqual(["question"]);
    await expect(front.receive()).rejects.toMatchObject({ code: "EFSM" });
    await front.send("answer");
    expect(texts(await answer)).toEqual(["answer"]);
  });

  it("a reply in hand is given back to the socket that asked", async () => {
    // The back end asks by hand; its reply finds a front end, a Push, that nobody is connected to.
    const server = managed(new Reply());
    const [front, back] = [managed(new Push({ linger: 0 })), managed(new Request())];
    await front.bind(inprocEndpoint());
    server.connect(await back.bind(inprocEndpoint()));
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    await back.send("question");
    await server.receive(LIMIT);
    await server.send("answer");
    await until(() => proxy.statistics.backEnd.messagesIn === 1, "a reply in hand");
    proxy.terminate();
    await running;
    expect(texts(await back.receive(LIMIT))).toEqual(["answer"]);
    await expect(back.receive()).rejects.toMatchObject({ code: "EFSM" });
  });

  it("terminates while paused, with a message in hand", async () => {
    const { push, front, proxy } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 3);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.pause();
    proxy.terminate();
    await running;
    await expectNumbers(front, 0, 3);
  });

  it("closeSockets closes both, not the capture socket, and what was accepted is still delivered", async () => {
    const capture = managed(new Publisher());
    const options = { closeSockets: true, capture };
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline(
      TRANSPORTS[0].endpoint,
      {},
      options,
    );
    pull.connect(backEndpoint);
    back.linger = 20_000;
    const running = proxy.run();
    await numbered(push, 0, 500);
    await until(() => proxy.statistics.backEnd.messagesOut === 500, "500 messages forwarded");
    proxy.terminate();
    await running;
    expect([front.closed, back.closed, capture.closed]).toEqual([true, true, false]);
    await expectNumbers(pull, 0, 500);
  });

  it.each(["front", "back"] as const)("ends when its %s end is closed", async (which) => {
    const { push, front, proxy, ...sockets } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 5);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    await { front, ...sockets }[which].close();
    await within(running, "the end of the run");
    expect(proxy.state).toBe("terminated");
    if (which === "front") {
      expect(proxy.statistics).toMatchObject({ undeliverable: 1, frontEnd: { messagesIn: 1 } });
    } else {
      expect(proxy.statistics).toMatchObject({ undeliverable: 0, frontEnd: { messagesIn: 0 } });
      await expectNumbers(front, 0, 5);
    }
  });

  it("ends when a socket is closed while it is paused, or while it forwards", async () => {
    const one = await pipeline();
    const paused = one.proxy.run();
    one.proxy.pause();
    await one.back.close();
    await within(paused, "the end of a paused run");
    const other = await pipeline(TRANSPORTS[0].endpoint);
    other.pull.connect(other.backEndpoint);
    const running = other.proxy.run();
    const feeding = numbered(other.push, 0, 100_000).catch(() => {});
    await until(() => other.proxy.statistics.backEnd.messagesOut > 2000, "traffic");
    await Promise.all([other.front.close(), other.back.close({ linger: 0 })]);
    await within(running, "the end of a busy run");
    await other.push.close({ linger: 0 });
    await feeding;
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

describe("the sockets while a proxy runs", () => {
  it("receives are refused with EBUSY, as is another proxy; sends of one's own go through", async () => {
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    const running = proxy.run();
    const busy = { code: "EBUSY" };
    await expect(front.receive()).rejects.toMatchObject(busy);
    await expect(front.receiveMany()).rejects.toMatchObject(busy);
    await expect(front[Symbol.asyncIterator]().next()).rejects.toMatchObject(busy);
    expect(() => front.tryReceive()).toThrow(expect.objectContaining(busy));
    expect(() => front.on("message", () => {})).toThrow(expect.objectContaining(busy));
    await expect(proxy.run()).rejects.toMatchObject(busy);
    await expect(new Proxy(front, back).run()).rejects.toMatchObject(busy);
    expect(proxy.state).toBe("running");
    await back.send("mine");
    expect(texts(await pull.receive(LIMIT))).toEqual(["mine"]);
    await numbered(push, 0, 3);
    await expectNumbers(pull, 0, 3);
    proxy.terminate();
    await running;
    // The refused listener has not stayed behind.
    await push.send("x");
    expect(texts(await front.receive(LIMIT))).toEqual(["x"]);
  });

  it("a message in hand waits behind sends of the application that came first", async () => {
    const { push, pull, back, proxy, backEndpoint } = await pipeline();
    const own = back.send("first");
    void proxy.run();
    await push.send("second");
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    pull.connect(backEndpoint);
    await own;
    expect(texts(await pull.receive(LIMIT))).toEqual(["first"]);
    expect(texts(await pull.receive(LIMIT))).toEqual(["second"]);
  });

  it("binds and connects work", async () => {
    const { pull, front, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    void proxy.run();
    const another = managed(new Push());
    another.connect(await front.bind(inprocEndpoint()));
    await another.send("x");
    expect(texts(await pull.receive(LIMIT))).toEqual(["x"]);
  });
});

describe("misuse of a proxy", () => {
  it("arguments are checked", () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const make =
      (...given: unknown[]) =>
      () =>
        new (Proxy as new (...given: unknown[]) => Proxy)(...given);
    expect(make()).toThrow(new TypeError("Front-end must be a socket object"));
    expect(make({}, push)).toThrow(new TypeError("Front-end must be a socket object"));
    expect(make(pull)).toThrow(new TypeError("Back-end must be a socket object"));
    expect(make(pull, null)).toThrow(new TypeError("Back-end must be a socket object"));
    expect(make(pull, push, null)).toThrow(TypeError);
    expect(make(pull, push, { captur: push })).toThrow(/captur/);
    expect(make(pull, push, { capture: {} })).toThrow(/capture/);
    expect(make(pull, push, { capture: managed(new Pull()) })).toThrow(/capture/);
    expect(make(pull, push, { capture: push })).toThrow(/capture/);
    expect(make(pull, push, { closeSockets: 1 })).toThrow(/closeSockets/);
    expect(make(pull, managed(new Subscriber()))).toThrow(/frontEnd and backEnd/);
    expect(make(push, managed(new Publisher()))).toThrow(/frontEnd and backEnd/);
    const proxy = new Proxy(pull, push);
    expect([proxy.frontEnd, proxy.backEnd]).toEqual([pull, push]);
    expect(() => {
      (proxy as { frontEnd: unknown }).frontEnd = push;
    }).toThrow(TypeError);
  });

  it("run rejects with EINVAL when a socket is neither bound nor connected, or closed", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const proxy = new Proxy(pull, push, { closeSockets: true });
    const front = { code: "EINVAL", message: /Front-end socket must be bound or connected/ };
    await expect(proxy.run()).rejects.toMatchObject({
      ...front,
      message: expect.stringMatching(front.message),
    });
    const endpoint = await pull.bind(inprocEndpoint());
    await expect(proxy.run()).rejects.toThrow(/Back-end socket must be bound or connected/);
    push.connect(inprocEndpoint());
    expect([proxy.state, pull.closed, push.closed]).toEqual(["idle", false, false]);
    await pull.unbind(endpoint);
    await expect(proxy.run()).rejects.toThrow(/Front-end/);
    pull.connect(inprocEndpoint());
    const running = proxy.run();
    proxy.terminate();
    await running;
    await expect(proxy.run()).rejects.toMatchObject({ code: "EINVAL" });
  });

  it("run rejects with EBUSY while somebody else receives from the front end, and leaves it alone", async () => {
    const { push, pull, front, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    const waiting = front.receive();
    await expect(proxy.run()).rejects.toMatchObject({ code: "EBUSY", message: /1 receives wait/ });
    await push.send("a");
    expect(texts(await waiting)).toEqual(["a"]);
    const heard: string[] = [];
    const listener = (parts: Buffer[]) => heard.push(texts(parts)[0]);
    front.on("message", listener);
    await expect(proxy.run()).rejects.toMatchObject({ code: "EBUSY" });
    expect(proxy.state).toBe("idle");
    await push.send("b");
    await until(() => heard.length === 1, "a message at the listener");
    front.off("message", listener);
    void proxy.run();
    await push.send("c");
    expect(texts(await pull.receive(LIMIT))).toEqual(["c"]);
  });

  it("pause, resume and terminate reject what makes no sense in the state", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    const outOfTurn = expect.objectContaining({ code: "EFSM" });
    expect(proxy.state).toBe("idle");
    for (const call of ["pause", "resume", "terminate"] as const)
      expect(() => proxy[call]()).toThrow(outOfTurn);
    await push.send("x");
    const running = proxy.run();
    proxy.pause(); // at once: nothing has been forwarded
    await turns(20);
    expect(proxy.statistics.frontEnd.messagesIn).toBe(0);
    proxy.terminate();
    proxy.terminate();
    await running;
    for (const call of ["pause", "resume"] as const) expect(() => proxy[call]()).toThrow(outOfTurn);
    proxy.terminate();
  });

  it("a message that the other side cannot send is counted, and the next ones go through", async () => {
    const [push, front, back, pull] = [new Push(), new Pull(), new Push({ conflate: true }), new Pull()];
    for (const socket of [push, front, back, pull]) managed(socket);
    push.connect(await front.bind(inprocEndpoint()));
    pull.connect(await back.bind(inprocEndpoint()));
    const proxy = new Proxy(front, back);
    void proxy.run();
    await push.send(["two", "parts"]);
    await push.send("one");
    expect(texts(await pull.receive(LIMIT))).toEqual(["one"]);
    expect(proxy.statistics).toMatchObject({ undeliverable: 1, backEnd: { messagesOut: 1 } });
  });

  it("a pattern used out of turn ends the run with EFSM, and the message is given back", async () => {
    const [push, front, back] = [managed(new Push()), managed(new Pull()), managed(new Reply())];
    push.connect(await front.bind(inprocEndpoint()));
    await back.bind(inprocEndpoint());
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    await push.send("a reply to nothing");
    await expect(running).rejects.toMatchObject({ code: "EFSM" });
    expect(proxy.state).toBe("terminated");
    expect(texts(await front.receive(LIMIT))).toEqual(["a reply to nothing"]);
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

/** For a send that may time out: false then. */
function isTimeout(error: { code?: string }): false {
  expect(error.code).toBe("EAGAIN");
  return false;
}
