/**
 * Subscriptions between libzmq and us, both ways: what XPUB is told of them and of their ends, long topics, welcome
 * messages, reconnection.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Subscriber, XPublisher, XSubscriber } from "../../src/index.js";
import { ANY, bound, foreign, read, soon } from "../support/foreign.js";
import { managed, record, texts, until } from "../support/helpers.js";

describe("subscriptions of libzmq at our XPUB", () => {
  const next = async (xpub: XPublisher): Promise<string> => texts(await xpub.receive(soon)).join("|");

  it("a topic is told when it begins and when it ends, not in between (J8, J13)", async () => {
    const xpub = managed(new XPublisher());
    const endpoint = await xpub.bind(ANY);
    const [a, b] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    for (const sub of [a, b]) sub.connect(endpoint);
    a.subscribe("t", "t");
    expect(await next(xpub)).toBe("\x01t");
    a.unsubscribe("t"); // one of two: libzmq says nothing
    a.subscribe("fence a");
    expect(await next(xpub)).toBe("\x01fence a");
    b.subscribe("t", "fence b");
    expect(await next(xpub)).toBe("\x01fence b");
    a.unsubscribe("t", "fence a");
    expect(await next(xpub)).toBe("\x00fence a"); // b still has t
    b.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
    b.close();
    expect(await next(xpub)).toBe("\x00fence b"); // J15
  });

  it("with allSubs every subscription is told, duplicates of one peer too (J14)", async () => {
    const xpub = managed(new XPublisher({ verbosity: "allSubs" }));
    const endpoint = await xpub.bind(ANY);
    const [a, b] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    for (const sub of [a, b]) sub.connect(endpoint);
    a.subscribe("t", "t", "fence");
    expect([await next(xpub), await next(xpub), await next(xpub)]).toEqual(["\x01t", "\x01t", "\x01fence"]);
    b.subscribe("t", "end");
    expect([await next(xpub), await next(xpub)]).toEqual(["\x01t", "\x01end"]);
    a.unsubscribe("t", "t", "fence");
    expect(await next(xpub)).toBe("\x00fence"); // b still has t
    b.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
  });

  it("with allSubsUnsubs every cancellation is told as well (J14)", async () => {
    const xpub = managed(new XPublisher({ verbosity: "allSubsUnsubs" }));
    const endpoint = await xpub.bind(ANY);
    const [a, b] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    for (const sub of [a, b]) sub.connect(endpoint);
    a.subscribe("t");
    expect(await next(xpub)).toBe("\x01t");
    b.subscribe("t");
    expect(await next(xpub)).toBe("\x01t");
    a.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
    b.unsubscribe("t");
    expect(await next(xpub)).toBe("\x00t");
  });

  it.each([245, 246, 300, 70_000])(
    "a topic of %i octets is told whole, matches and is cancelled (F1)",
    async (length) => {
      const xpub = managed(new XPublisher({ maxTopicLength: 70_000 }));
      const topic = Buffer.alloc(length, "0123456789abcdef-");
      const sub = foreign(new zmq.Subscriber());
      sub.connect(await xpub.bind(ANY));
      sub.subscribe(topic);
      expect(await xpub.receive(soon)).toEqual([Buffer.concat([Buffer.of(1), topic])]);
      await xpub.send(topic.subarray(0, -1));
      await xpub.send([topic, "body"]);
      expect(await sub.receive()).toEqual([topic, Buffer.from("body")]);
      sub.unsubscribe(topic);
      expect(await xpub.receive(soon)).toEqual([Buffer.concat([Buffer.of(0), topic])]);
    },
  );

  it("the welcome message is the first, to those that subscribed to it, again after a reconnect (J23)", async () => {
    const xpub = managed(new XPublisher({ welcomeMessage: "W elcome" }));
    const events = record(xpub);
    const endpoint = await xpub.bind(ANY);
    const [asked, other] = [foreign(new zmq.Subscriber()), foreign(new zmq.Subscriber())];
    asked.subscribe("W", "news");
    other.subscribe("news");
    for (const sub of [asked, other]) sub.connect(endpoint);
    for (let i = 0; i < 2; i++) await xpub.receive(soon); // W and news
    await events.next("handshake", 2);
    await until(() => xpub.peers.length === 2, "both are there");
    expect(await read(asked)).toEqual(["W elcome"]);
    const both = Promise.all([read(asked), read(other)]);
    // Until the second subscription to news, which is not told, has come as well.
    const timer = setInterval(() => void xpub.send("news"), 5);
    expect(await both).toEqual([["news"], ["news"]]);
    clearInterval(timer);
    await xpub.unbind(endpoint);
    await xpub.bind(endpoint);
    let message = await read(asked);
    while (message[0] === "news") message = await read(asked);
    expect(message).toEqual(["W elcome"]);
  });
});

describe("our subscriptions at libzmq's XPUB", () => {
  it.each([245, 246, 300, 70_000])(
    "a topic of %i octets arrives whole, matches and is cancelled (F1, F2)",
    async (length) => {
      const xpub = foreign(new zmq.XPublisher());
      const topic = Buffer.alloc(length, "0123456789abcdef-");
      const sub = managed(new Subscriber({ maxTopicLength: 70_000 }));
      sub.connect(await bound(xpub));
      sub.subscribe(topic);
      expect(await xpub.receive()).toEqual([Buffer.concat([Buffer.of(1), topic])]);
      await xpub.send(topic.subarray(0, -1));
      await xpub.send([topic, "body"]);
      expect(await sub.receive(soon)).toEqual([topic, Buffer.from("body")]);
      sub.unsubscribe(topic);
      expect(await xpub.receive()).toEqual([Buffer.concat([Buffer.of(0), topic])]);
    },
  );

  it("XSUB: a verbose XPUB gets each subscription, and one cancellation with the last holder (J9, J12, J14)", async () => {
    const xpub = foreign(new zmq.XPublisher());
    xpub.verbosity = "allSubsUnsubs";
    const xsub = managed(new XSubscriber());
    xsub.connect(await bound(xpub));
    await xsub.connected(soon);
    const sent = ["\x01t", "\x01t", "\x00t", "\x01fence 1", "\x00t", "\x00never", "\x01fence 2"];
    for (const topic of sent) await xsub.send(topic);
    const seen: string[] = [];
    while (!seen.includes("\x01fence 2")) seen.push(...(await read(xpub)));
    expect(seen).toEqual(["\x01t", "\x01t", "\x01fence 1", "\x00t", "\x01fence 2"]);
  });

  it("libzmq's welcome message is the first (J23)", async () => {
    const xpub = foreign(new zmq.XPublisher());
    xpub.welcomeMessage = "W elcome";
    const sub = managed(new Subscriber());
    sub.subscribe("W", "n");
    sub.connect(await bound(xpub));
    expect((await read(xpub))[0].slice(0, 1)).toBe("\x01");
    await read(xpub);
    await xpub.send("news");
    expect(texts(await sub.receive(soon))).toEqual(["W elcome"]);
    expect(texts(await sub.receive(soon))).toEqual(["news"]);
  });

  it("a message of our XSUB reaches libzmq's XPUB, and the other way round (J16)", async () => {
    const theirs = foreign(new zmq.XPublisher());
    const xsub = managed(new XSubscriber());
    xsub.connect(await bound(theirs));
    await xsub.send("\x01");
    expect(await read(theirs)).toEqual(["\x01"]);
    await xsub.send(["up", "stream"]);
    expect([...(await read(theirs))]).toEqual(["up", "stream"]);

    const ours = managed(new XPublisher());
    const dialling = foreign(new zmq.XSubscriber());
    dialling.connect(await ours.bind(ANY));
    await dialling.send(["up", "stream"]);
    expect(texts(await ours.receive(soon))).toEqual(["up", "stream"]);
  });
});

describe("reconnection", () => {
  it("our XSUB subscribes again at a libzmq XPUB that came back, each topic once (J10)", async () => {
    const first = new zmq.XPublisher({ linger: 0, receiveTimeout: 20_000 });
    const endpoint = await bound(first);
    const xsub = managed(new XSubscriber({ reconnectInterval: 10 }));
    const events = record(xsub);
    xsub.connect(endpoint);
    await xsub.connected(soon);
    for (const topic of ["\x01a", "\x01b", "\x01b", "\x01gone", "\x00gone"]) await xsub.send(topic);
    for (let topic = ""; topic !== "\x00gone"; ) [topic] = await read(first);
    await first.unbind(endpoint);
    first.close();
    await events.next("disconnect");
    const second = foreign(new zmq.XPublisher());
    second.verbosity = "allSubs";
    await second.bind(endpoint);
    const topics = [await read(second), await read(second)].flat().sort();
    expect(topics).toEqual(["\x01a", "\x01b"]);
    await xsub.send("\x01fence");
    expect(await read(second)).toEqual(["\x01fence"]);
  });

  it("libzmq's SUB that leaves and comes back is told twice (J15)", async () => {
    const xpub = managed(new XPublisher());
    const endpoint = await xpub.bind(ANY);
    const sub = foreign(new zmq.Subscriber());
    sub.subscribe("t");
    sub.connect(endpoint);
    expect(texts(await xpub.receive(soon))).toEqual(["\x01t"]);
    const again = read(sub); // libzmq subscribes anew only inside a call of its socket
    again.catch(() => {}); // awaited below
    await xpub.unbind(endpoint);
    await xpub.bind(endpoint);
    expect(texts(await xpub.receive(soon))).toEqual(["\x00t"]);
    expect(texts(await xpub.receive(soon))).toEqual(["\x01t"]);
    await xpub.send("t again");
    expect(await again).toEqual(["t again"]);
  });
});

it("what a libzmq SUB had asked for ends when we disconnect from it (J15)", async () => {
  const xpub = managed(new XPublisher());
  const sub = foreign(new zmq.Subscriber());
  sub.subscribe("t");
  const endpoint = await bound(sub);
  sub.receive().catch(() => {}); // a bound libzmq socket acts only inside its calls
  xpub.connect(endpoint);
  expect(texts(await xpub.receive(soon))).toEqual(["\x01t"]);
  xpub.disconnect(endpoint);
  expect(texts(await xpub.receive(soon))).toEqual(["\x00t"]);
});
