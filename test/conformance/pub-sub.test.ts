/**
 * Section J: PUB and SUB with each other over each transport, and with libzmq. Their bytes are in pub-sub-wire.test.ts.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Publisher, Subscriber } from "../../src/index.js";
import { managed, record, settled, TRANSPORTS, texts, turns } from "../support/helpers.js";

describe.each(TRANSPORTS)("PUB and SUB over $name", ({ endpoint }) => {
  it("a bound SUB gets what a dialling PUB publishes, and the other way round (J27)", async () => {
    for (const subscriberBinds of [true, false]) {
      const publisher = managed(new Publisher());
      const subscriber = managed(new Subscriber());
      subscriber.subscribe("a");
      if (subscriberBinds) publisher.connect(await subscriber.bind(endpoint()));
      else subscriber.connect(await publisher.bind(endpoint()));
      await publisher.waitForSubscribers(1, { timeout: 20_000 });
      await publisher.send(["b", "no"]);
      await publisher.send(["a", "yes"]);
      expect(texts(await subscriber.receive({ timeout: 20_000 }))).toEqual(["a", "yes"]);
    }
  });

  it("topics come and go while connected (J7, J9)", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new Subscriber());
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.connected({ timeout: 20_000 });
    subscriber.subscribe("a", "b", "b");
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    subscriber.unsubscribe("a", "b");
    subscriber.subscribe("end");
    // "end" is the last thing said: once it is heard, so is everything before it.
    let ended = false;
    for (let i = 0; i < 500 && !ended; i++) {
      await publisher.send("end");
      await turns(2);
      ended = subscriber.tryReceive() !== undefined;
    }
    expect(ended).toBe(true);
    for (const topic of ["a", "b", "c", "end!"]) await publisher.send(topic);
    const got: string[] = [];
    while (!got.includes("end!")) got.push(...texts(await subscriber.receive({ timeout: 20_000 })));
    expect(got.filter((text) => text !== "end")).toEqual(["b", "end!"]);
  });

  it("with invertMatching on both sides a subscriber gets everything but its topics (J24)", async () => {
    const publisher = managed(new Publisher({ invertMatching: true }));
    const subscriber = managed(new Subscriber({ invertMatching: true }));
    subscriber.subscribe("a");
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("a1");
    await publisher.send("b1");
    expect(texts(await subscriber.receive({ timeout: 20_000 }))).toEqual(["b1"]);
  });

  it("with noDrop a send waits, or fails with EAGAIN, while a matching subscriber is full (J19)", async () => {
    const publisher = managed(new Publisher({ noDrop: true, sendHighWaterMark: 5 }));
    const subscriber = managed(new Subscriber({ receiveHighWaterMark: 5 }));
    subscriber.subscribe();
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    const body = Buffer.alloc(200_000);
    let sent = 0;
    const more = () =>
      publisher.send([`${sent}`, body], { timeout: 50 }).then(
        () => ++sent,
        (error) => error,
      );
    let outcome = await more();
    while (typeof outcome === "number") outcome = await more();
    expect(outcome).toMatchObject({ code: "EAGAIN" });
    for (let i = 0; i < sent; i++) {
      expect((await subscriber.receive({ timeout: 20_000 }))[0].toString()).toBe(`${i}`);
    }
    expect(publisher.stats.dropped).toBe(0);
  });
});

describe("PUB and SUB with libzmq", () => {
  it("a libzmq subscriber's two subscriptions to one topic end as libzmq ends them (J8, J9)", async () => {
    const publisher = managed(new Publisher());
    const subscriber = new zmq.Subscriber({ linger: 0, receiveTimeout: 20_000 });
    subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"));
    subscriber.subscribe("t");
    subscriber.subscribe("t");
    subscriber.unsubscribe("t");
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("t still");
    expect(texts(await subscriber.receive())).toEqual(["t still"]);
    subscriber.unsubscribe("t");
    subscriber.subscribe("u");
    let heard = false;
    const hearing = subscriber.receive().then((parts) => {
      heard = true;
      return parts;
    });
    while (!heard) {
      await publisher.send("t gone");
      await publisher.send("u");
      await turns(2);
    }
    expect(texts(await hearing)).toEqual(["u"]);
    subscriber.close();
  });

  it("our SUB subscribes again at a libzmq publisher that came back (J10)", async () => {
    const subscriber = managed(new Subscriber({ reconnectInterval: 10 }));
    subscriber.subscribe("t");
    const first = new zmq.Publisher({ linger: 0 });
    await first.bind("tcp://127.0.0.1:*");
    const endpoint = first.lastEndpoint!;
    const events = record(subscriber);
    subscriber.connect(endpoint);
    await events.next("handshake");
    await first.unbind(endpoint);
    first.close();
    await events.next("disconnect");
    const second = new zmq.Publisher({ linger: 0 });
    await second.bind(endpoint);
    await events.next("handshake", 2);
    const hearing = subscriber.receive({ timeout: 20_000 });
    while (!(await settled(hearing))) await second.send(["t", "back"]);
    expect(texts(await hearing)).toEqual(["t", "back"]);
    second.close();
  });
});
