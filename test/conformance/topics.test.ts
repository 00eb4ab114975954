/**
 * Topics that are too many or too long, and messages that are not wanted any more when they are read (J11, J26, N9).
 */
import { describe, expect, it } from "vitest";
import { Dish, Radio } from "../../src/draft.js";
import { Proxy, Publisher, Pull, Push, Subscriber, XPublisher, XSubscriber } from "../../src/index.js";
import {
  managed,
  rawConnected,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { command, message } from "../support/raw-peer.js";

const timeout = 20_000;
/** A topic as a command, and as a message. */
const FORMS = {
  command: (topic: string | Buffer, subscribe = true) => command(subscribe ? "SUBSCRIBE" : "CANCEL", topic),
  message: (topic: string | Buffer, subscribe = true) =>
    message(Buffer.concat([Buffer.of(Number(subscribe)), Buffer.from(topic)])),
};
const form = Object.keys(FORMS) as (keyof typeof FORMS)[];

describe.each([
  { name: "PUB", Type: Publisher },
  { name: "XPUB", Type: XPublisher },
])("$name with a peer that asks for too much", ({ Type }) => {
  const publishing = async (options: object) => {
    const publisher = managed(new Type(options));
    const events = record(publisher);
    const peer = await rawConnected(await publisher.bind("tcp://127.0.0.1:*"), { type: "SUB" });
    return { publisher, events, peer };
  };

  it.each(form)(
    "in %s form: a topic above maxTopicLength is ignored and told, and the peer stays (J26)",
    async (form) => {
      const { publisher, events, peer } = await publishing({});
      const write = FORMS[form];
      for (const length of [16_385, 1_000_000, 3_000_000, 16_384])
        peer.write(write(Buffer.alloc(length, "t")));
      const event = await events.next("limit");
      expect(event).toMatchObject({ limit: "maxTopicLength", action: "ignored", value: 16_385 });
      expect(event.peer?.address).toBe(event.address);
      await until(() => publisher.topicsCount === 1, "the last one is short enough");
      peer.write(write(Buffer.alloc(16_385, "t"), false), write("small"));
      await until(() => publisher.topicsCount === 2, "it is still served");
      await publisher.send("small");
      expect(texts(await peer.readMessage())).toEqual(["small"]);
      expect(events.of("limit")).toHaveLength(1);
      if (publisher instanceof XPublisher) {
        expect(texts(publisher.tryReceive() as Buffer[])[0]).toHaveLength(16_385);
        expect(texts(publisher.tryReceive() as Buffer[])).toEqual(["\x01small"]);
        expect(publisher.tryReceive()).toBeUndefined();
      }
    },
  );

  it.each(form)(
    "in %s form: topics above maxTopicsPerPeer and maxTopics are ignored and told (J26)",
    async (form) => {
      const { publisher, events, peer } = await publishing({ maxTopics: 5, maxTopicsPerPeer: 3 });
      const write = FORMS[form];
      for (const topic of ["1", "2", "3", "4", "5"]) peer.write(write(topic));
      expect(await events.next("limit")).toMatchObject({ limit: "maxTopicsPerPeer", value: 4 });
      const other = await rawConnected(publisher.lastEndpoint as string, { type: "SUB" });
      for (const topic of ["5", "6", "7", "8"]) other.write(write(topic));
      expect(await events.next("limit", 2)).toMatchObject({
        limit: "maxTopics",
        value: 6,
        action: "ignored",
      });
      await other.barrier();
      expect(publisher.topicsCount).toBe(5);
      for (const topic of ["4", "7", "3", "6"]) await publisher.send(topic);
      expect(texts(await peer.readMessage())).toEqual(["3"]);
      expect(texts(await other.readMessage())).toEqual(["6"]);
      // What the first one held is free when it has left.
      peer.close();
      await events.next("disconnect");
      other.write(write("7"));
      await until(() => publisher.topicsCount === 3, "there is room again");
      expect(events.of("limit")).toHaveLength(2);
    },
  );
});

describe("our own topics above maxTopicLength", () => {
  it("are refused by subscribe(), all or none, and by the send of an XSUB", async () => {
    const subscriber = managed(new Subscriber({ maxTopicLength: 3 }));
    expect(() => subscriber.subscribe("abc", "abcd")).toThrow(
      new RangeError("prefix must have at most 3 bytes (maxTopicLength); got 4"),
    );
    expect(subscriber.topicsCount).toBe(0);
    expect(() => subscriber.setStringOption(6, "abcd")).toThrow(expect.objectContaining({ code: "EINVAL" }));
    const xsub = managed(new XSubscriber({ maxTopicLength: 3 }));
    const invalid = expect.objectContaining({ name: "ZmqError", code: "EINVAL" });
    await expect(xsub.send("\x01abcd")).rejects.toEqual(invalid);
    expect(() => xsub.trySend("\x01abcd")).toThrow(invalid);
    await xsub.send("\x01abc");
    expect(xsub.topicsCount).toBe(1);
    const manual = managed(new XPublisher({ manual: true, maxTopicLength: 3 }));
    expect(() => manual.subscribe("abcd")).toThrow(RangeError);
  });
});

/** All ways to read; each answers what there is, in order. */
const WAYS: Record<string, (socket: Subscriber) => Promise<string[]>> = {
  "tryReceive()": async (socket) => {
    const got: string[] = [];
    for (let one = socket.tryReceive(); one !== undefined; one = socket.tryReceive()) got.push(`${one[0]}`);
    return got;
  },
  "receive()": async (socket) => {
    const got: string[] = [];
    while (got.at(-1) !== "end") got.push(`${(await socket.receive({ timeout }))[0]}`);
    return got;
  },
  "receiveMany()": async (socket) => (await socket.receiveMany(100)).map(String),
  iteration: async (socket) => {
    const got: string[] = [];
    for await (const [part] of socket) if (got.push(`${part}`) && `${part}` === "end") break;
    return got;
  },
  'a "message" listener': async (socket) => {
    const got: string[] = [];
    socket.on("message", ([part]) => got.push(`${part}`));
    await until(() => got.at(-1) === "end", "the last has come");
    return got;
  },
  "a proxy": async (socket) => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    push.connect(await pull.bind("inproc://not wanted any more"));
    const proxy = new Proxy(socket, push);
    const run = proxy.run();
    const got: string[] = [];
    while (got.at(-1) !== "end") got.push(`${(await pull.receive({ timeout }))[0]}`);
    proxy.terminate();
    await run;
    await pull.close();
    return got;
  },
  "readable and tryReceive()": async (socket) => {
    const got: string[] = [];
    while (socket.readable) got.push(`${(socket.tryReceive() as Buffer[])[0]}`);
    expect(socket.stats.receiveQueue).toBe(0);
    return got;
  },
};

describe.each(TRANSPORTS)("messages queued and not wanted any more, over $name", ({ endpoint }) => {
  const queued = async (bindsSubscriber: boolean) => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("T", "end");
    if (bindsSubscriber) publisher.connect(await subscriber.bind(endpoint()));
    else subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, { timeout });
    await until(() => publisher.topicsCount === 2, "both topics are there");
    for (let i = 0; i < 500; i++) await publisher.send(`T ${i}`);
    await publisher.send("end");
    await until(() => subscriber.readable && subscriber.stats.receiveQueue === 501, "all is there");
    return { publisher, subscriber };
  };

  it.each(Object.keys(WAYS))("after unsubscribe() none of them comes by %s (J11)", async (way) => {
    const { subscriber } = await queued(way.length % 2 === 0);
    subscriber.unsubscribe("T");
    expect(await WAYS[way](subscriber)).toEqual(["end"]);
    expect(subscriber.readable).toBe(false);
  });

  it("those come that another subscription, or the same once more, still wants (J7, J11)", async () => {
    const { subscriber } = await queued(false);
    subscriber.subscribe("T 10", "T 20");
    subscriber.subscribe("T 20");
    subscriber.unsubscribe("T", "T 20");
    const wanted = [
      "T 10",
      "T 20",
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((i) => [`T 10${i}`, `T 20${i}`]),
    ];
    const got = await WAYS["tryReceive()"](subscriber);
    expect(got.sort()).toEqual([...wanted, "end"].sort());
  });

  it("nor one that a proxy took and gave back", async () => {
    const { subscriber } = await queued(false);
    const push = managed(new Push());
    await push.bind("inproc://nobody to send to");
    const proxy = new Proxy(subscriber, push);
    const run = proxy.run();
    await turns(3);
    proxy.terminate();
    await run;
    subscriber.unsubscribe("T");
    expect(await WAYS["tryReceive()"](subscriber)).toEqual(["end"]);
  });

  it("with conflate the newest goes, and what is subscribed to next comes", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new Subscriber({ conflate: true }));
    subscriber.subscribe("T");
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, { timeout });
    for (let i = 0; i < 10; i++) await publisher.send(`T ${i}`);
    await until(() => subscriber.readable, "the newest is there");
    subscriber.unsubscribe("T");
    expect(subscriber.readable).toBe(false);
    const received = subscriber.receive({ timeout });
    expect(await settled(received)).toBe(false);
    subscriber.subscribe("U");
    await until(() => publisher.topicsCount === 1 && publisher.trySend("U 1"), "it may come");
    await until(() => publisher.trySend("U 2"), "or this one");
    expect(`${await received}`).toMatch(/^U/);
  });

  it("XSUB gives what has come, as libzmq does: it does not filter (J11)", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new XSubscriber());
    await subscriber.send("\x01T");
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, { timeout });
    await publisher.send("T");
    await until(() => subscriber.readable, "it is there");
    await subscriber.send("\x00T");
    expect(`${subscriber.tryReceive()}`).toBe("T");
  });

  it("after Dish.leave() none of the group's comes (N9)", async () => {
    const radio = managed(new Radio());
    const dish = managed(new Dish());
    dish.join("G", "end");
    dish.connect(await radio.bind(endpoint()));
    await radio.connected({ timeout });
    await until(() => {
      void radio.send("first", { group: "end" });
      return dish.readable;
    }, "it has joined");
    for (let i = 0; i < 500; i++) await radio.send(`${i}`, { group: "G" });
    await radio.send("last", { group: "end" });
    await until(() => dish.stats.receiveQueue >= 502, "all is there");
    dish.leave("G");
    for (let one = ""; one !== "last"; ) {
      expect(dish.readable).toBe(true);
      const [part, { group }] = await dish.receive({ timeout });
      expect(`${group}`).toBe("end");
      one = `${part}`;
    }
    expect(dish.readable).toBe(false);
  });
});

describe("messages that came before the subscriptions changed", () => {
  it("are matched even where they are not ready to be read yet, over inproc", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("T");
    subscriber.connect(await publisher.bind("inproc://not ready yet"));
    publisher.trySend("T 1");
    subscriber.unsubscribe("T");
    expect(subscriber.tryReceive()).toBeUndefined();
    await turns(3);
    expect(subscriber.tryReceive()).toBeUndefined();
  });

  it("with invertMatching it is subscribe() that they are not wanted after (J24)", async () => {
    const publisher = managed(new Publisher({ invertMatching: true }));
    const subscriber = managed(new Subscriber({ invertMatching: true }));
    subscriber.connect(await publisher.bind("inproc://inverted and queued"));
    for (const text of ["A", "B"]) await publisher.send(text);
    await until(() => subscriber.readable && subscriber.stats.receiveQueue === 2, "both are there");
    subscriber.subscribe("A");
    expect(await WAYS["tryReceive()"](subscriber)).toEqual(["B"]);
  });
});

describe("an XPUB with many topics whose subscriber leaves", () => {
  it.each([false, true])(
    "is told the end of each, in slices, and nothing of the next peer is mixed up (manual: %s)",
    async (manual) => {
      const publisher = managed(new XPublisher({ manual, receiveHighWaterMark: 0, messagePeers: true }));
      const events = record(publisher);
      const subscriber = managed(new XSubscriber());
      publisher.connect(await subscriber.bind("tcp://127.0.0.1:*"));
      await publisher.connected({ timeout });
      for (let i = 0; i < 20_000; i++) subscriber.trySend(`\x01${i}`);
      const [first] = publisher.peers;
      const held = new Set<string>();
      for (let i = 0; i < 20_000; i++) held.add(`${(await publisher.receive({ timeout }))[0].subarray(1)}`);
      expect(held.size).toBe(20_000);
      await subscriber.close();
      await events.next("disconnect");
      for (let i = 0; i < 20_000; i++) {
        const received = await publisher.receive({ timeout });
        expect(publisher.peerOf(received)).toBe(first);
        expect(received[0][0]).toBe(0);
        held.delete(`${received[0].subarray(1)}`);
      }
      expect(held.size).toBe(0);
      expect(publisher.tryReceive()).toBeUndefined();
    },
  );
});
