/**
 * conflatePerTopic: only the newest message of each topic waits, for a subscriber and from a publisher. With each other over
 * each transport, with raw peers that do not read, and with libzmq.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Publisher, type Push, Subscriber, XPublisher, XSubscriber } from "../../src/index.js";
import { ANY, bound, foreign } from "../support/foreign.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { loan } from "../support/loans.js";
import { command } from "../support/raw-peer.js";

const soon = { timeout: 20_000 };
const BODY = Buffer.alloc(100_000, "x");
const newest = { conflatePerTopic: true };

/** A publisher, and a subscriber that wants everything. */
async function joined(endpoint: string, publishing: object, subscribing: object) {
  const publisher = managed(new Publisher(publishing));
  const subscriber = managed(new Subscriber(subscribing));
  subscriber.subscribe("");
  subscriber.connect(await publisher.bind(endpoint));
  await publisher.waitForSubscribers(1, soon);
  return { publisher, subscriber };
}

/** What a subscriber that has fallen behind still gets: topics with the last number of each, in the order of arrival. */
async function rest(subscriber: Subscriber | zmq.Subscriber, last: string) {
  const got: string[][] = [];
  const next = () => (subscriber instanceof Subscriber ? subscriber.receive(soon) : subscriber.receive());
  do got.push(texts((await next()).slice(0, 2)));
  while (got.at(-1)?.join(" ") !== last);
  return got;
}

describe.each(TRANSPORTS)("only the newest of each topic waits, over $name", ({ endpoint, name }) => {
  const SIDES = {
    "the publisher": { pub: newest, sub: { receiveHighWaterMark: 1 } },
    "the subscriber": { pub: { sendHighWaterMark: 0, sendHighWaterMarkBytes: 0 }, sub: newest },
    both: { pub: newest, sub: { ...newest, receiveHighWaterMark: 2 } },
  };
  it.each(Object.keys(SIDES) as (keyof typeof SIDES)[])("where %s wants it", async (side) => {
    const { publisher, subscriber } = await joined(
      endpoint(),
      { sendHighWaterMark: 20, ...SIDES[side].pub },
      SIDES[side].sub,
    );
    const rounds = 400;
    for (let i = 0; i < rounds; i++) {
      for (const topic of ["a", "b", "c"]) await publisher.send([topic, `${i}`, BODY]);
      if (i % 20 === 0) await turns(1);
    }
    await publisher.send(["end", "0"]);
    const got = await rest(subscriber, "end 0");
    for (const topic of ["a", "b", "c"]) {
      const numbers = got.filter(([one]) => one === topic).map(([, number]) => Number(number));
      expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
      expect(numbers.at(-1)).toBe(rounds - 1);
    }
    const conflated = publisher.stats.conflated + subscriber.stats.conflated;
    expect(conflated).toBeGreaterThan(10);
    expect(got.length + conflated).toBe(3 * rounds + 1);
    expect(publisher.stats).toMatchObject({ dropped: 0, outboundQueue: 0, unsentBytes: 0 });
    expect(subscriber.stats).toMatchObject({ receiveQueue: 0, receivedBytes: 0 });
  });

  it.each([true, false])(
    "a change from %s acts on what is bound or connected next, on either side",
    async (from) => {
      for (const side of ["publisher", "subscriber"]) {
        const mine = (which: string) => (which === side ? { conflatePerTopic: from } : {});
        const none = { sendHighWaterMark: 0, sendHighWaterMarkBytes: 0 };
        const publisher = managed(new Publisher({ ...none, ...mine("publisher") }));
        const subscriber = managed(new Subscriber({ receiveHighWaterMarkBytes: 0, ...mine("subscriber") }));
        if (side === "publisher") subscriber.receiveHighWaterMark = 1;
        subscriber.subscribe("");
        const at = await publisher.bind(endpoint());
        const socket = side === "publisher" ? publisher : subscriber;
        if (side === "publisher") socket.conflatePerTopic = !from; // before the first peer is there
        subscriber.connect(at);
        socket.conflatePerTopic = !from;
        await publisher.waitForSubscribers(1, soon);
        let sent = 0;
        for (const wanted of [!from, from, !from]) {
          socket.conflatePerTopic = wanted;
          for (let i = 0; i < 130; i++) {
            await publisher.send(["a", `${sent++}`, BODY]);
            if (i % 20 === 0) await turns(1);
          }
        }
        await publisher.send(["end", "0"]);
        const numbers = (await rest(subscriber, "end 0")).slice(0, -1).map(([, number]) => Number(number));
        expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
        expect(numbers.at(-1)).toBe(sent - 1);
        const { conflated } = socket.stats;
        // Within a thread, the one queue between the two is the subscriber's.
        const all = name === "inproc" ? conflated + subscriber.stats.conflated : conflated;
        if (from) expect(all).toBeGreaterThan(10);
        else expect([all, numbers.length]).toEqual([0, sent]);
      }
    },
  );

  it("a newer message takes the place of the older one", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new XSubscriber(newest));
    await subscriber.send("\x01");
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, soon);
    for (const text of ["a 1", "b 1", "a 2", "c 1", "a 3", "b 2"]) await publisher.send(text.split(" "));
    await until(() => subscriber.stats.conflated === 3, "all has come");
    expect(subscriber.stats.receiveQueue).toBe(3);
    const got = [];
    for (let i = 0; i < 3; i++) got.push(texts(await subscriber.receive(soon)).join(" "));
    expect(got).toEqual(["a 3", "b 2", "c 1"]);
    // What was read has left its place: the next message of the topic gets a new one.
    for (const text of ["b 3", "a 4"]) await publisher.send(text.split(" "));
    expect([await subscriber.receive(soon), await subscriber.receive(soon)].map((one) => `${one}`)).toEqual([
      "b,3",
      "a,4",
    ]);
  });

  it("messages of many parts and of one part are told apart by their first part", async () => {
    const { publisher, subscriber } = await joined(endpoint(), {}, newest);
    const many = (text: string) => ["many", ...Array.from({ length: 30 }, () => text)];
    for (const message of ["tick", many("old"), "tick", "tock", many("new"), many("newest")])
      await publisher.send(message);
    await until(() => subscriber.stats.conflated === 3, "all has come");
    expect(texts(await subscriber.receive(soon))).toEqual(["tick"]);
    expect(texts(await subscriber.receive(soon))).toEqual(many("newest"));
    expect(texts(await subscriber.receive(soon))).toEqual(["tock"]);
  });

  it("a first part above 16 KiB is no topic: such messages wait as they are", async () => {
    const { publisher, subscriber } = await joined(endpoint(), {}, newest);
    const long = Buffer.alloc(16385, "t");
    for (const message of [
      [long, "1"],
      [long, "2"],
      [long.subarray(1), "1"],
      [long.subarray(1), "2"],
    ])
      await publisher.send(message);
    await until(
      () => subscriber.stats.conflated === 1 && subscriber.stats.receiveQueue === 3,
      "all has come",
    );
    const got = [];
    for (let i = 0; i < 3; i++) got.push(await subscriber.receive(soon));
    expect(got.map(([topic, body]) => `${topic.length} ${body}`)).toEqual(["16385 1", "16385 2", "16384 2"]);
  });

  it("the subscriber's mark counts topics, and holds", async () => {
    const { publisher, subscriber } = await joined(
      endpoint(),
      { sendHighWaterMark: 5, onFull: "wait" },
      { ...newest, receiveHighWaterMark: 10 },
    );
    let sent = 0;
    for (; sent < 1000 && publisher.trySend([`${sent}`, BODY]); sent++) await turns(1);
    expect(sent).toBeLessThan(1000);
    expect(subscriber.stats.receiveQueue).toBeLessThanOrEqual(name === "inproc" ? 15 : 11);
    expect(subscriber.stats.conflated).toBe(0);
    for (let i = 0; i < sent; i++) expect(`${(await subscriber.receive(soon))[0]}`).toBe(`${i}`);
  });
});

/** A publisher, and a subscriber without a library that reads only when told to. */
async function deaf(Type: typeof Publisher | typeof XPublisher, options: object) {
  const socket = managed(new Type({ ...newest, ...options }));
  const events = record(socket);
  const peer = await rawConnected(await socket.bind(ANY), { type: "SUB" });
  peer.pause();
  peer.write(command("SUBSCRIBE", ""));
  if (socket instanceof XPublisher) await socket.receive(soon);
  else await (socket as Publisher).waitForSubscribers(1, soon);
  // Fill the kernel, with messages that are not conflated because each has a topic of its own.
  let fill = 0;
  while (socket.stats.outboundQueue < 2) {
    await socket.send([`fill ${fill++}`, BODY]);
    await turns(1);
  }
  /** Everything up to the message with the topic "end". */
  const readAll = async (): Promise<string[]> => {
    await socket.send(["end", ""]);
    peer.resume();
    const got: string[] = [];
    while (got.at(-1) !== "end") {
      const [topic, body] = await peer.readMessage();
      got.push(body.length < 100 && body.length > 0 ? `${topic} ${body}` : `${topic}`);
    }
    return got.filter((text) => !text.startsWith("fill"));
  };
  return { socket, events, peer, readAll };
}

describe.each([Publisher, XPublisher])("%o with a subscriber that does not read", (Type) => {
  it("keeps one message of each topic in its place, however many are sent", async () => {
    const { socket, readAll } = await deaf(Type, {});
    const before = socket.stats.outboundQueue;
    for (let i = 0; i < 1000; i++)
      for (const topic of ["fast", ...(i % 100 ? [] : ["slow"])]) await socket.send([topic, `${i}`]);
    expect(socket.stats.outboundQueue).toBe(before + 2);
    expect(socket.stats).toMatchObject({ dropped: 0, conflated: 999 + 9 });
    expect(await readAll()).toEqual(["fast 999", "slow 900", "end"]);
    await until(() => socket.stats.unsentBytes === 0, "all is gone");
  });

  it("at the mark, a message of a new topic is dropped, and one of a topic that waits takes its place", async () => {
    const { socket, events, readAll } = await deaf(Type, { sendHighWaterMark: 10 });
    while (socket.stats.dropped === 0) await socket.send([`new ${socket.stats.outboundQueue}`, "old"]);
    expect(socket.stats.outboundQueue).toBe(10);
    expect(events.of("limit")).toMatchObject([{ limit: "sendHighWaterMark", action: "dropped", value: 10 }]);
    await socket.send(["new 9", "young"]);
    expect(socket.stats).toMatchObject({ dropped: 1, conflated: 1, outboundQueue: 10 });
    const read = readAll(); // "end" has no room: it goes when there is some
    expect(await settled(read)).toBe(false);
    await socket.send(["end", ""]);
    expect(await read).toContain("new 9 young");
  });

  it("with dropOldest the oldest makes room for a new topic", async () => {
    const { socket, readAll } = await deaf(Type, { sendHighWaterMark: 10, onFull: "dropOldest" });
    for (let i = 0; i < 50; i++) await socket.send([`new ${i}`, "old"]);
    expect(socket.stats.outboundQueue).toBe(10);
    await socket.send(["new 49", "young"]);
    const got = await readAll();
    expect(got.slice(-3)).toEqual(["new 48 old", "new 49 young", "end"]);
  });

  it("a larger message does not take a place above the mark in bytes, and a smaller one does", async () => {
    const { socket, events, readAll } = await deaf(Type, {
      sendHighWaterMark: 0,
      sendHighWaterMarkBytes: 1e6,
    });
    await socket.send(["a", BODY.subarray(0, 50)]);
    for (let i = 0; socket.stats.dropped === 0; i++) await socket.send([`fill more ${i}`, BODY]);
    const { unsentBytes } = socket.stats;
    expect(unsentBytes).toBeLessThan(1.3e6);
    for (let i = 0; i < 20; i++) await socket.send(["a", BODY]);
    expect(socket.stats.unsentBytes).toBe(unsentBytes);
    expect(socket.stats.dropped).toBe(21);
    expect(events.of("limit")).toMatchObject([{ limit: "sendHighWaterMarkBytes", action: "dropped" }]);
    await socket.send(["a", "small"]);
    expect(socket.stats.conflated).toBe(1);
    const read = readAll();
    expect(await settled(read)).toBe(false);
    await socket.send(["end", ""]);
    expect(await read).toEqual(["a small", "end"]);
  });

  it("a subscriber that leaves in the middle takes what waits for it along", async () => {
    const { socket, peer } = await deaf(Type, {});
    const other = managed(new Subscriber());
    other.subscribe("a");
    other.connect(socket.lastEndpoint as string);
    await until(() => socket.topicsCount === 2, "the second has subscribed");
    for (let i = 0; i < 100; i++) await socket.send(["a", `${i}`, BODY]);
    peer.close();
    await until(() => socket.peers.length === 1, "it has left");
    await socket.send(["a", "last"]);
    expect((await rest(other, "a last")).length).toBeLessThanOrEqual(101);
    await until(() => socket.stats.unsentBytes === 0, "nothing is counted for it any more");
    expect(socket.stats.outboundQueue).toBe(0);
  });
});

describe("only the newest of each topic", () => {
  it("with wait, a send waits at the mark and goes on when there is room", async () => {
    const { socket, peer } = await deaf(Publisher, { sendHighWaterMark: 5, onFull: "wait" });
    let sent = 0;
    while (socket.trySend([`new ${sent}`, "x"])) sent++;
    const waiting = socket.send(["late", "y"]);
    expect(await settled(waiting)).toBe(false);
    peer.resume();
    await waiting;
    for (let topic = ""; topic !== "late"; ) topic = `${(await peer.readMessage())[0]}`;
  });

  it("many subscribers that do not read hold one copy together", async () => {
    const { socket } = await deaf(Publisher, {});
    for (let i = 0; i < 9; i++) {
      const peer = await rawConnected(socket.lastEndpoint as string, { type: "SUB" });
      peer.pause();
      peer.write(command("SUBSCRIBE", ""));
      await (socket as Publisher).waitForSubscribers(2 + i, soon);
    }
    for (let i = 0; i < 200; i++) {
      await socket.send([`fill ${i % 4}`, Buffer.alloc(1_000_000)]);
      if (i % 10 === 0) await turns(1);
    }
    expect(socket.stats.outboundQueue).toBeGreaterThan(30);
    // Ten queues of four topics of a megabyte, and what is under way to each.
    expect(socket.stats.unsentBytes).toBeLessThan(20e6);
  });

  it("what waits for a dialled subscriber comes on its next connection, in its place", async () => {
    const listener = await rawListen();
    const publisher = managed(new Publisher({ ...newest, reconnectInterval: 10 }));
    publisher.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "SUB" });
    peer.pause();
    peer.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(1, soon);
    for (let i = 0; publisher.stats.outboundQueue < 2; i++) {
      await publisher.send([`fill ${i}`, BODY]);
      await turns(1);
    }
    for (let i = 0; i < 10; i++) for (const topic of ["a", "b"]) await publisher.send([topic, `${i}`]);
    peer.close();
    const again = await listener.accept();
    await again.handshake({ type: "SUB" });
    const got: string[] = [];
    while (got.at(-1) !== "b 9") got.push((await again.readMessage()).map((part) => `${part}`).join(" "));
    expect(got.slice(-2)).toEqual(["a 9", "b 9"]);
    expect(got.slice(0, -2).every((one) => one.startsWith("fill"))).toBe(true);
    expect(publisher.stats).toMatchObject({ conflated: 18, outboundQueue: 0, unsentBytes: 0 });
  });

  it("does not touch what an XPublisher is told of subscriptions", async () => {
    const publisher = managed(new XPublisher({ ...newest, verbosity: "allSubsUnsubs" }));
    const subscriber = managed(new XSubscriber());
    const endpoint = await publisher.bind(ANY);
    for (const text of ["\x01a", "\x00a", "\x01a"]) await subscriber.send(text);
    subscriber.connect(endpoint);
    await subscriber.connected(soon);
    for (const text of ["\x01b", "\x00b", "\x01b", "\x00b", "up", "up"]) await subscriber.send(text);
    const got = [];
    for (let i = 0; i < 7; i++) got.push(`${await publisher.receive(soon)}`);
    expect(got).toEqual(["\x01a", "\x01b", "\x00b", "\x01b", "\x00b", "up", "up"]);
    expect(publisher.stats.conflated).toBe(0);
  });

  it("a small message that waits for long does not keep the chunk alive that it came in", async () => {
    const { publisher, subscriber } = await joined(ANY, {}, newest);
    for (let i = 0; i < 500; i++) void publisher.send([`${i}`, "value"]);
    await until(() => subscriber.stats.receiveQueue === 500, "all has come");
    for (let i = 0; i < 500; i++) {
      const [topic, body] = await subscriber.receive(soon);
      expect(topic.buffer.byteLength + body.buffer.byteLength).toBeLessThan(20);
    }
  });

  it("a loan that waits is copied, and back at once; one that was sent comes back when it is replaced", async () => {
    const { publisher, subscriber } = await joined("ipc://*", newest, newest);
    for (let i = 0; i < 20; i++)
      await publisher.send(["a", loan(publisher as unknown as Push, 256 * 1024, i)]);
    await publisher.send(["end", ""]);
    await until(
      () => publisher.stats.outboundQueue === 0 && publisher.stats.loanedBytes === 0,
      "all are back",
    );
    const got = await rest(subscriber, "end ");
    expect(got.length).toBeGreaterThanOrEqual(2);
    expect(got.length + publisher.stats.conflated + subscriber.stats.conflated).toBe(21);
  });

  it("contradicts conflate: true, whichever comes first", () => {
    expect(() => new Publisher({ conflate: true, conflatePerTopic: true })).toThrow(
      new TypeError("conflatePerTopic: true contradicts conflate: true: set one of them"),
    );
    const subscriber = managed(new Subscriber(newest));
    expect(subscriber.conflate).toBe(false);
    expect(() => {
      subscriber.conflate = true;
    }).toThrow(new TypeError("conflate: true contradicts conflatePerTopic: true: set one of them"));
    subscriber.conflate = false;
    expect(subscriber.conflatePerTopic).toBe(true);
    subscriber.conflatePerTopic = false;
    subscriber.conflate = true;
    expect([subscriber.conflate, subscriber.conflatePerTopic]).toEqual([true, false]);
  });
});

describe("only the newest of each topic, with libzmq", () => {
  it("at our Publisher, for a libzmq subscriber that falls behind", async () => {
    const publisher = managed(new Publisher({ ...newest, sendHighWaterMark: 5 }));
    const subscriber = foreign(new zmq.Subscriber({ receiveHighWaterMark: 2 }));
    subscriber.subscribe("");
    subscriber.connect(await publisher.bind(ANY));
    await publisher.waitForSubscribers(1, soon);
    let sent = 0;
    for (; publisher.stats.conflated < 300; sent++) {
      for (const topic of ["a", "b"]) await publisher.send([topic, `${sent}`, BODY]);
      await turns(1);
    }
    await publisher.send(["end", "0"]);
    const got = await rest(subscriber, "end 0");
    for (const topic of ["a", "b"]) {
      const numbers = got.filter(([one]) => one === topic).map(([, number]) => Number(number));
      expect(numbers.at(-1)).toBe(sent - 1);
      expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
    }
    expect(got.length + publisher.stats.conflated).toBe(2 * sent + 1);
    expect(publisher.stats.dropped).toBe(0);
  });

  it("at our Subscriber, from a libzmq publisher", async () => {
    const publisher = foreign(new zmq.XPublisher());
    const subscriber = managed(new Subscriber(newest));
    subscriber.subscribe("");
    subscriber.connect(await bound(publisher));
    await publisher.receive(); // the subscription
    for (let i = 0; i < 100; i++) for (const topic of ["a", "b", "c"]) await publisher.send([topic, `${i}`]);
    await until(() => subscriber.stats.conflated === 297, "all has come");
    expect(await rest(subscriber, "c 99")).toEqual([
      ["a", "99"],
      ["b", "99"],
      ["c", "99"],
    ]);
  });
});
