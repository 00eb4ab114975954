/**
 * lastValue: who subscribes gets the last message of every topic that matches, once, before what is published later. With
 * each other over each transport, with raw peers, and with libzmq, whose subscribers know nothing of it.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Proxy, Publisher, Subscriber, XPublisher, XSubscriber } from "../../src/index.js";
import { ANY, foreign } from "../support/foreign.js";
import { managed, rawConnected, record, TRANSPORTS, texts, turns, until } from "../support/helpers.js";
import { command } from "../support/raw-peer.js";

const soon = { timeout: 20_000 };
const keeping = { lastValue: true };
const BODY = Buffer.alloc(100_000, "x");

/** Messages up to the one with the topic "end". */
async function all(subscriber: Subscriber | XSubscriber | zmq.Subscriber, end = "end"): Promise<string[]> {
  const got: string[] = [];
  const next = () => (subscriber instanceof zmq.Subscriber ? subscriber.receive() : subscriber.receive(soon));
  while (!got.at(-1)?.startsWith(end)) got.push(texts((await next()).slice(0, 2)).join(" "));
  return got;
}

/** A subscriber that does not read, when its queue of ten is full. */
async function behind(publisher: Publisher | XPublisher, topic: string) {
  const peer = await rawConnected(publisher.lastEndpoint as string, { type: "SUB" });
  peer.pause();
  peer.write(command("SUBSCRIBE", topic));
  await until(() => publisher.stats.outboundQueue >= 10, "its queue is full");
  return peer;
}

const TYPES = {
  Publisher: (options = {}) => new Publisher({ ...keeping, ...options }),
  XPublisher: (options = {}) => new XPublisher({ ...keeping, ...options }),
};

describe.each(Object.keys(TYPES) as (keyof typeof TYPES)[])("%s with lastValue", (type) => {
  describe.each(TRANSPORTS)("over $name", ({ endpoint }) => {
    it("gives a newcomer the last of every topic that matches, in the order of publishing, then what comes", async () => {
      const publisher = managed(TYPES[type]());
      const bound = await publisher.bind(endpoint());
      for (const text of ["a.1 old", "b.1 x", "a.2 y", "a.1 new", "c z"])
        await publisher.send(text.split(" "));
      expect(publisher.stats).toMatchObject({ lastValues: 4, lastValuesEvicted: 0 });
      const subscriber = managed(new Subscriber());
      subscriber.subscribe("a.", "end");
      subscriber.connect(bound);
      await until(() => publisher.topicsCount === 2, "it has subscribed");
      await publisher.send(["a.1", "newest"]);
      await publisher.send(["end", ""]);
      expect(await all(subscriber)).toEqual(["a.2 y", "a.1 new", "a.1 newest", "end "]);
      // Another subscription of the same peer gets its own values; one that it has is not new.
      subscriber.subscribe("b", "a.");
      await until(() => publisher.topicsCount === 3, "and again");
      await publisher.send(["end", "again"]);
      expect(await all(subscriber)).toEqual(["b.1 x", "end again"]);
    });

    it("loses and repeats nothing while it publishes in the turn of the subscription", async () => {
      const publisher = managed(TYPES[type]());
      const bound = await publisher.bind(endpoint());
      await publisher.send(["t", "0"]);
      const subscriber = managed(new Subscriber());
      subscriber.subscribe("t");
      subscriber.connect(bound);
      let sent = 0;
      while (sent < 5000 && publisher.topicsCount === 0) {
        await publisher.send(["t", `${++sent}`]);
        await turns(1);
      }
      const before = sent;
      for (let i = 0; i < 200; i++) await publisher.send(["t", `${++sent}`]);
      const got = await all(subscriber, `t ${sent}`);
      const numbers = got.map((text) => Number(text.slice(2)));
      // The last value when its subscription came, and every message from there on.
      expect(numbers).toEqual(
        Array.from({ length: numbers.length }, (_, i) => sent - numbers.length + 1 + i),
      );
      expect(numbers[0]).toBeLessThanOrEqual(before);
    });

    it("gives what its own memory holds, whatever became of the sender's and of a receiver's", async () => {
      const publisher = managed(TYPES[type]());
      const bound = await publisher.bind(endpoint());
      const mine = Buffer.from("value");
      await publisher.send(["t", mine]);
      mine.fill("!");
      for (let i = 0; i < 2; i++) {
        const subscriber = managed(new Subscriber());
        subscriber.subscribe("t");
        subscriber.connect(bound);
        const message = await subscriber.receive(soon);
        expect(texts(message)).toEqual(["t", "value"]);
        for (const part of message) part.fill("?");
      }
    });
  });

  it("more values than its queue takes reach a newcomer, with what is published meanwhile, and the marks hold", async () => {
    const publisher = managed(TYPES[type]({ sendHighWaterMark: 10 }));
    const bound = await publisher.bind(ANY);
    const topics = 300;
    for (let i = 0; i < topics; i++) await publisher.send([`t${i}`, "0", BODY]);
    const peer = await rawConnected(bound, { type: "SUB" });
    peer.pause();
    peer.write(command("SUBSCRIBE", "t"));
    await until(
      () => publisher.topicsCount === 1 && publisher.stats.outboundQueue >= 10,
      "its queue is full",
    );
    await publisher.send(["t7", "1", BODY]);
    await publisher.send([`t${topics - 1}`, "1", BODY]);
    await publisher.send([`t${topics - 1}`, "2", BODY]);
    await publisher.send(["t-new", "0", BODY]);
    expect(publisher.stats.outboundQueue).toBeLessThanOrEqual(10);
    peer.resume();
    const got: string[] = [];
    while (got.at(-1) !== "t-new 0") got.push(texts((await peer.readMessage()).slice(0, 2)).join(" "));
    const last = new Map(got.map((text) => text.split(" ") as [string, string]));
    expect(last.size).toBe(topics + 1);
    expect([last.get("t7"), last.get(`t${topics - 1}`)]).toEqual(["1", "2"]);
    // t7 was among those sent before; the others came once. What is newer came after what is older.
    expect(got.length).toBeLessThanOrEqual(topics + 2);
    expect(got.slice(-3)).toEqual(["t7 1", `t${topics - 1} 2`, "t-new 0"]);
    expect(publisher.stats).toMatchObject({ dropped: 0 });
    await publisher.send(["t7", "live", BODY]);
    expect(`${(await peer.readMessage())[1]}`).toBe("live");
  });

  it("a subscription that comes while others are served gets its values, too, and a cancelled one none", async () => {
    const publisher = managed(TYPES[type]({ sendHighWaterMark: 10 }));
    await publisher.bind(ANY);
    for (let i = 0; i < 200; i++)
      for (const topic of ["a", "b", "c"]) await publisher.send([`${topic}${i}`, "0", BODY]);
    const peer = await behind(publisher, "a");
    for (const what of ["b", "c"]) peer.write(command("SUBSCRIBE", what));
    peer.write(command("CANCEL", "c"));
    peer.write(command("SUBSCRIBE", "end"));
    await until(() => publisher.topicsCount === 3, "they have come");
    await publisher.send(["end", ""]);
    peer.resume();
    const got: string[] = [];
    while (got.length < 401) got.push(`${(await peer.readMessage())[0]}`);
    expect(got.filter((topic) => topic.startsWith("a"))).toEqual(
      Array.from({ length: 200 }, (_, i) => `a${i}`),
    );
    expect(new Set(got.filter((topic) => topic.startsWith("b"))).size).toBe(200);
    expect(got).toContain("end");
  });

  it("a drain gives a newcomer all that it is due, however many values there are", async () => {
    const publisher = managed(TYPES[type]({ sendHighWaterMark: 100, lastValueTopics: 0, linger: 0 }));
    const bound = await publisher.bind(ANY);
    for (let i = 0; i < 9000; i++) await publisher.send([`x${i}`, ""]);
    for (let i = 0; i < 500; i++) await publisher.send([`t${i}`, Buffer.alloc(10_000)]);
    const subscriber = managed(new Subscriber({ reconnectInterval: -1 }));
    subscriber.subscribe("t");
    subscriber.connect(bound);
    await until(() => publisher.topicsCount === 1, "it has subscribed");
    const drained = publisher.drain(soon);
    for (let i = 0; i < 500; i++) expect(`${(await subscriber.receive(soon))[0]}`).toBe(`t${i}`);
    expect(await drained).toMatchObject({ unsent: 0 });
  });

  it("a send that is kept does not wait until a newcomer has gone through very many values", async () => {
    const publisher = managed(TYPES[type]({ lastValueTopics: 0 }));
    const bound = await publisher.bind(ANY);
    const peer = await rawConnected(bound, { type: "SUB" });
    peer.write(command("SUBSCRIBE", "hot"));
    await until(() => publisher.topicsCount === 1, "it has subscribed");
    for (let i = 0; i < 60_000; i++) publisher.trySend([`v${i}`, ""]);
    peer.write(command("SUBSCRIBE", "more"));
    while (publisher.topicsCount < 2) await turns(1); // no sleep: it is to have gone through few of them
    for (let i = 1; i <= 3; i++) publisher.trySend(["hot", `${i}`]);
    // In its turn, after the values that are due. One part has no value that could be kept, so it comes at once.
    expect(`${(await peer.readMessage())[1]}`).toBe("3");
    peer.write(command("SUBSCRIBE", "most"));
    await until(() => publisher.topicsCount === 3, "and again");
    for (const text of ["hot 1", "hot 2"]) publisher.trySend([text]);
    for (const text of ["hot 1", "hot 2"]) expect(texts(await peer.readMessage())).toEqual([text]);
    publisher.trySend(["hot", "live"]);
    expect(`${(await peer.readMessage())[1]}`).toBe("live");
  });

  it("a peer that leaves while it is served leaves nothing behind", async () => {
    const publisher = managed(TYPES[type]({ sendHighWaterMark: 10 }));
    const bound = await publisher.bind(ANY);
    for (let i = 0; i < 300; i++) await publisher.send([`t${i}`, "0", BODY]);
    for (let round = 0; round < 3; round++) {
      const peer = await behind(publisher, "");
      for (let i = 0; i < 300; i++) await publisher.send([`t${i}`, `${round}`, BODY]);
      peer.close();
      await until(() => publisher.peers.length === 0, "it has left");
    }
    expect(publisher.stats).toMatchObject({ lastValues: 300, outboundQueue: 0, unsentBytes: 0 });
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("t");
    subscriber.connect(bound);
    expect(await all(subscriber, "t299")).toEqual(Array.from({ length: 300 }, (_, i) => `t${i} 2`));
  });

  it("with onFull wait nothing published is skipped for who is behind", async () => {
    const publisher = managed(TYPES[type]({ sendHighWaterMark: 10, onFull: "wait" }));
    await publisher.bind(ANY);
    for (let i = 0; i < 100; i++) await publisher.send([`t${i}`, "0", BODY]);
    const peer = await behind(publisher, "t");
    const sends = [1, 2, 3].map((number) => publisher.send(["t5", `${number}`]));
    expect(publisher.trySend(["t5", "no room"])).toBe(false);
    peer.resume();
    await Promise.all(sends);
    const got: string[] = [];
    while (got.at(-1) !== "t5 3") got.push(texts((await peer.readMessage()).slice(0, 2)).join(" "));
    expect(got).toHaveLength(103);
    expect(got.slice(-3)).toEqual(["t5 1", "t5 2", "t5 3"]);
  });

  it("drops the oldest values above its limits, counts them, and tells once", async () => {
    const publisher = managed(TYPES[type]({ lastValueTopics: 3 }));
    const events = record(publisher);
    const bound = await publisher.bind(ANY);
    for (const topic of ["a", "b", "c", "a", "d", "e"]) await publisher.send([topic, "1"]);
    expect(publisher.stats).toMatchObject({ lastValues: 3, lastValuesEvicted: 2 });
    expect(events.of("limit")).toMatchObject([{ limit: "lastValueTopics", action: "dropped", value: 4 }]);
    publisher.lastValueTopics = 0;
    publisher.lastValueBytes = 250_000;
    await publisher.send(["large", BODY]);
    await publisher.send(["larger", BODY]);
    await publisher.send(["largest", BODY]);
    expect(publisher.stats).toMatchObject({ lastValues: 2, lastValuesEvicted: 6 });
    // Larger than all that may be kept: then the topic has no value, rather than an outdated one.
    await publisher.send(["largest", Buffer.alloc(250_000)]);
    expect(publisher.stats).toMatchObject({ lastValues: 1, lastValuesEvicted: 7 });
    expect(events.of("limit").map(({ limit }) => limit)).toEqual(["lastValueTopics", "lastValueBytes"]);
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("l");
    subscriber.connect(bound);
    expect(`${(await subscriber.receive(soon))[0]}`).toBe("larger");
  });

  it("forget() forgets topics, or all; turning the option off does, too", async () => {
    const publisher = managed(TYPES[type]());
    const bound = await publisher.bind(ANY);
    for (const topic of ["a", "ab", "b", "c"]) await publisher.send([topic, "1"]);
    publisher.forget("a", "nothing");
    publisher.forget(Buffer.from("b"));
    const subscriber = managed(new Subscriber());
    subscriber.subscribe();
    subscriber.connect(bound);
    expect(await all(subscriber, "c")).toEqual(["ab 1", "c 1"]);
    publisher.forget();
    expect(publisher.stats.lastValues).toBe(0);
    await publisher.send(["a", "2"]);
    publisher.lastValue = false;
    expect(publisher.stats.lastValues).toBe(0);
    expect(() => publisher.forget(undefined as never)).toThrow(TypeError);
    await publisher.close();
    expect(() => publisher.forget()).toThrow(expect.objectContaining({ code: "EBADF" }));
  });

  it("close() sends what a newcomer has not got yet", async () => {
    const publisher = managed(TYPES[type]());
    const bound = await publisher.bind(ANY);
    for (let i = 0; i < 50; i++) await publisher.send([`t${i}`, "0"]);
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("t");
    subscriber.connect(bound);
    await until(() => publisher.topicsCount === 1, "it has subscribed");
    await publisher.send(["t49", "1"]);
    await publisher.close();
    expect(await all(subscriber, "t49 1")).toHaveLength(51);
  });

  it("contradicts invertMatching, whichever comes first", () => {
    expect(() => TYPES[type]({ invertMatching: true })).toThrow(
      new TypeError("invertMatching: true contradicts lastValue: true: set one of them"),
    );
    const publisher = managed(TYPES[type]({ lastValue: false, invertMatching: true }));
    expect(() => {
      publisher.lastValue = true;
    }).toThrow(new TypeError("lastValue: true contradicts invertMatching: true: set one of them"));
  });

  it("gives its values to subscribers of libzmq, in order and before what is published", async () => {
    const publisher = managed(TYPES[type]());
    const bound = await publisher.bind(ANY);
    for (let i = 0; i < 5000; i++) await publisher.send([`t${i % 500}`, `${i}`]);
    const subscriber = foreign(new zmq.Subscriber({ receiveHighWaterMark: 0 }));
    subscriber.subscribe("t", "end");
    subscriber.connect(bound);
    await until(() => publisher.topicsCount === 2, "it has subscribed");
    await publisher.send(["t7", "live"]);
    await publisher.send(["end", ""]);
    const values = Array.from({ length: 500 }, (_, i) => `t${i} ${4500 + i}`);
    expect(await all(subscriber)).toEqual([...values, "t7 live", "end "]);
    const second = foreign(new zmq.Subscriber({ receiveHighWaterMark: 0 }));
    second.subscribe("t", "end");
    second.connect(bound);
    expect(await all(second)).toEqual([
      ...values.filter((text) => !text.startsWith("t7 ")),
      "t7 live",
      "end ",
    ]);
  });
});

describe("lastValue", () => {
  it("with manual, values go to whom subscribe() subscribes", async () => {
    const publisher = managed(new XPublisher({ ...keeping, manual: true }));
    const bound = await publisher.bind(ANY);
    await publisher.send(["inner.a", "1"]);
    await publisher.send(["a", "2"]);
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("a");
    subscriber.connect(bound);
    expect(`${await publisher.receive(soon)}`).toBe("\x01a");
    publisher.subscribe("inner.");
    await publisher.send(["inner.b", "3"]);
    // The Subscriber asked for something else, and drops it; XSubscriber does not.
    publisher.subscribe("a");
    expect(texts(await subscriber.receive(soon))).toEqual(["a", "2"]);
    const raw = managed(new XSubscriber());
    await raw.send("\x01a");
    raw.connect(bound);
    expect(`${await publisher.receive(soon)}`).toBe("\x01a");
    publisher.subscribe("inner.");
    expect(await all(raw, "inner.b")).toEqual(["inner.a 1", "inner.b 3"]);
  });

  it("contradicts manualLastValue", () => {
    expect(() => new XPublisher({ lastValue: true, manualLastValue: true })).toThrow(
      new TypeError("manualLastValue: true contradicts lastValue: true: set one of them"),
    );
  });

  it("of a proxy's XPublisher serves newcomers behind it", async () => {
    const front = managed(new XSubscriber());
    const back = managed(new XPublisher(keeping));
    const publisher = managed(new Publisher());
    publisher.connect(await front.bind(ANY));
    const bound = await back.bind(ANY);
    const proxy = new Proxy(front, back);
    const run = proxy.run();
    const first = managed(new Subscriber());
    first.subscribe("t");
    first.connect(bound);
    await publisher.waitForSubscribers(1, soon);
    for (const text of ["t1 a", "t2 b", "t1 c"]) await publisher.send(text.split(" "));
    expect(await all(first, "t1 c")).toEqual(["t1 a", "t2 b", "t1 c"]);
    const second = managed(new Subscriber());
    second.subscribe("t");
    second.connect(bound);
    expect(await all(second, "t1 c")).toEqual(["t2 b", "t1 c"]);
    proxy.terminate();
    await run;
  });

  it("together with conflatePerTopic a newcomer that does not read gets the newest of each topic once", async () => {
    const publisher = managed(new Publisher({ ...keeping, conflatePerTopic: true, sendHighWaterMark: 10 }));
    await publisher.bind(ANY);
    for (let i = 0; i < 200; i++) await publisher.send([`t${i}`, "0", BODY]);
    const peer = await behind(publisher, "t");
    for (let round = 1; round < 4; round++)
      for (let i = 100; i < 200; i++) await publisher.send([`t${i}`, `${round}`, BODY]);
    peer.resume();
    const got: string[] = [];
    while (got.at(-1) !== "t199 3") got.push(texts((await peer.readMessage()).slice(0, 2)).join(" "));
    expect(got).toHaveLength(200);
    expect(publisher.stats.dropped).toBe(0);
  });

  it("messages of one part, and those with a first part above 16 KiB, are not kept", async () => {
    const publisher = managed(new Publisher(keeping));
    await publisher.send("one part");
    await publisher.send([Buffer.alloc(16385), "long"]);
    expect(publisher.stats.lastValues).toBe(0);
    await publisher.send([Buffer.alloc(16384), "kept"]);
    expect(publisher.stats.lastValues).toBe(1);
  });

  it("many newcomers at once get everything", async () => {
    const publisher = managed(new Publisher({ ...keeping, sendHighWaterMark: 100 }));
    const bound = await publisher.bind(ANY);
    for (let i = 0; i < 1000; i++) await publisher.send([`t${i}`, "0"]);
    const subscribers = Array.from({ length: 20 }, () =>
      managed(new Subscriber({ receiveHighWaterMark: 50 })),
    );
    for (const subscriber of subscribers) {
      subscriber.subscribe("t");
      subscriber.connect(bound);
    }
    await publisher.waitForSubscribers(20, soon);
    for (const subscriber of subscribers) {
      expect(await all(subscriber, "t999")).toEqual(Array.from({ length: 1000 }, (_, i) => `t${i} 0`));
    }
  });
});
