/**
 * Section J, with A7, F1 to F3 and F5: PUB and SUB. Subscriptions on the wire in both forms against a raw peer;
 * matching, dropping and reconnection.
 */
import { describe, expect, it } from "vitest";
import { Publisher, Subscriber } from "../../src/index.js";
import { managed, rawConnected, rawListen, record, texts } from "../support/helpers.js";
import { command, message, type RawPeer } from "../support/raw-peer.js";

/** A SUB that dials a raw publisher of a minor version. */
async function subscribing(minor = 1, topics: string[] = []) {
  const listener = await rawListen();
  const subscriber = managed(new Subscriber({ reconnectInterval: 20 }));
  const events = record(subscriber);
  if (topics.length > 0) subscriber.subscribe(...topics);
  subscriber.connect(listener.endpoint);
  const peer = await listener.accept();
  await peer.handshake({ type: "PUB", minor });
  await subscriber.connected({ timeout: 20_000 });
  return {
    subscriber,
    events,
    listener,
    peer,
    next: async () => texts(await subscriber.receive({ timeout: 20_000 })),
  };
}

/** A PUB with a raw subscriber of a minor version. */
async function publishing(minor = 1, options = {}) {
  const publisher = managed(new Publisher(options));
  const events = record(publisher);
  const endpoint = await publisher.bind("tcp://127.0.0.1:*");
  const peer = await rawConnected(endpoint, { type: "SUB", minor });
  return { publisher, events, endpoint, peer };
}

describe("SUB on the wire", () => {
  it("to a 3.1 peer SUBSCRIBE is the command 04 len 09 SUBSCRIBE topic (F1, A7)", async () => {
    const { peer } = await subscribing(1, ["abc"]);
    const { frame } = await peer.readCommand();
    expect(frame.flags).toBe(4);
    expect(frame.body.toString("latin1")).toBe("\x09SUBSCRIBEabc");
  });

  it.each([
    [245, 4],
    [246, 6],
    [1000, 6],
  ])("SUBSCRIBE with a topic of %i octets has the flags %i (F1)", async (length, flags) => {
    const { peer } = await subscribing(1, ["t".repeat(length)]);
    const { name, data, frame } = await peer.readCommand();
    expect(frame.flags).toBe(flags);
    expect([name, data.toString()]).toEqual(["SUBSCRIBE", "t".repeat(length)]);
  });

  it("to a 3.1 peer CANCEL is the command 04 len 06 CANCEL topic (F2)", async () => {
    const { subscriber, peer } = await subscribing(1, ["abc"]);
    await peer.readCommand();
    subscriber.unsubscribe("abc");
    const { frame } = await peer.readCommand();
    expect(frame.flags).toBe(4);
    expect(frame.body.toString("latin1")).toBe("\x06CANCELabc");
  });

  it("to a 3.0 peer subscriptions are messages: 01 topic and 00 topic (A7)", async () => {
    const { subscriber, peer } = await subscribing(0, ["abc"]);
    expect(texts(await peer.readMessage())).toEqual(["\x01abc"]);
    subscriber.unsubscribe("abc");
    expect(texts(await peer.readMessage())).toEqual(["\x00abc"]);
    subscriber.subscribe();
    expect(texts(await peer.readMessage())).toEqual(["\x01"]);
  });

  it("a topic subscribed twice is told twice, as by libzmq, and cancelled with the last unsubscribe (J7, J14)", async () => {
    const { subscriber, peer } = await subscribing();
    subscriber.subscribe("a");
    subscriber.subscribe("a");
    for (let i = 0; i < 2; i++) expect((await peer.readCommand()).data.toString()).toBe("a");
    await peer.barrier();
    subscriber.unsubscribe("a");
    await peer.barrier();
    subscriber.unsubscribe("a");
    const last = await peer.readCommand();
    expect([last.name, last.data.toString()]).toEqual(["CANCEL", "a"]);
    await peer.barrier();
  });

  it("while one of two users holds a topic, its messages keep coming and no CANCEL goes out (J9)", async () => {
    const { subscriber, peer, next } = await subscribing(1, ["t", "t"]);
    await peer.readCommand();
    subscriber.unsubscribe("t");
    await peer.barrier();
    peer.write(message("topic"));
    expect(await next()).toEqual(["topic"]);
  });

  it("after a reconnect each distinct topic is sent again exactly once (J10)", async () => {
    const { subscriber, listener, peer } = await subscribing(1, ["a", "b", "b", ""]);
    subscriber.subscribe("gone");
    subscriber.unsubscribe("gone");
    peer.close();
    const again = await listener.accept();
    await again.handshake({ type: "PUB" });
    const topics = [];
    for (let i = 0; i < 3; i++) {
      const { name, data } = await again.readCommand();
      expect(name).toBe("SUBSCRIBE");
      topics.push(data.toString());
    }
    expect(topics.sort()).toEqual(["", "a", "b"]);
    await again.barrier();
  });

  it("what does not match is filtered here as well (J11)", async () => {
    const { peer, next } = await subscribing(1, ["yes"]);
    peer.write(message("no", "1"), message("yes", "2"), message("ye"), message(""), message("yes!"));
    expect(await next()).toEqual(["yes", "2"]);
    expect(await next()).toEqual(["yes!"]);
  });

  it("unsubscribe from a topic never subscribed to sends nothing and is no error (J12)", async () => {
    const { subscriber, peer } = await subscribing();
    subscriber.unsubscribe("never");
    subscriber.unsubscribe();
    await peer.barrier();
    subscriber.subscribe("never");
    expect((await peer.readCommand()).name).toBe("SUBSCRIBE");
  });

  it("SUB has linger 0, other types a finite one that is not 0 (J25)", () => {
    expect(managed(new Subscriber()).linger).toBe(0);
    expect(managed(new Publisher()).linger).toBeGreaterThan(0);
  });

  it("SUBSCRIBE from a publisher is ignored (F5)", async () => {
    const { peer, next } = await subscribing(1, [""]);
    await peer.readCommand();
    peer.write(command("SUBSCRIBE", "x"), message("data"));
    expect(await next()).toEqual(["data"]);
  });
});

describe("PUB on the wire", () => {
  const forms: Record<string, (subscribe: boolean, topic: string) => Buffer> = {
    command: (subscribe, topic) => command(subscribe ? "SUBSCRIBE" : "CANCEL", topic),
    message: (subscribe, topic) => message(`${subscribe ? "\x01" : "\x00"}${topic}`),
  };

  for (const minor of [0, 1]) {
    for (const form of Object.keys(forms)) {
      it(`subscriptions in ${form} form from a 3.${minor} peer are honoured (F3)`, async () => {
        const { publisher, peer } = await publishing(minor);
        peer.write(forms[form](true, "a"));
        await publisher.waitForSubscribers(1, { timeout: 20_000 });
        await publisher.send("b");
        await publisher.send("a1");
        expect(texts(await peer.readMessage())).toEqual(["a1"]);
        peer.write(forms[form](false, "a"));
        await peer.barrier();
        await publisher.send("a2");
        await peer.barrier();
      });
    }
  }

  it("PUB without a subscriber: the send succeeds and the message is gone (J1)", async () => {
    const { publisher, peer } = await publishing();
    for (let i = 0; i < 5000; i++) await publisher.send("lost", { timeout: 0 });
    peer.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("first");
    expect(texts(await peer.readMessage())).toEqual(["first"]);
  });

  it("the first frame is matched octet by octet, later ones are not; the empty topic matches all (J2)", async () => {
    const { publisher, endpoint, peer } = await publishing();
    const all = await rawConnected(endpoint, { type: "SUB" });
    peer.write(command("SUBSCRIBE", Buffer.from([0xff, 0x00])));
    all.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
    const sent = [
      [Buffer.from([0xff, 0x00, 1]), "tail"],
      [Buffer.from([0xff]), Buffer.from([0xff, 0x00])],
      ["", Buffer.from([0xff, 0x00])],
      [Buffer.from([0xff, 0x00])],
    ];
    for (const parts of sent) await publisher.send(parts);
    expect((await peer.readMessage()).map((part) => part.toString("hex"))).toEqual(["ff0001", "7461696c"]);
    expect((await peer.readMessage()).map((part) => part.toString("hex"))).toEqual(["ff00"]);
    await peer.barrier();
    for (const parts of sent) expect(await all.readMessage()).toHaveLength(parts.length);
  });

  it("a subscriber that matches by several topics gets one copy (J3)", async () => {
    const { publisher, peer } = await publishing();
    peer.write(command("SUBSCRIBE", ""), command("SUBSCRIBE", "a"), command("SUBSCRIBE", "ab"));
    await peer.barrier();
    await publisher.send("abc");
    expect(texts(await peer.readMessage())).toEqual(["abc"]);
    await peer.barrier();
  });

  it("a full subscriber loses whole messages only, and others lose none (J4)", async () => {
    const { publisher, endpoint, peer: slow } = await publishing(1, { sendHighWaterMark: 10 });
    slow.write(command("SUBSCRIBE", ""));
    const quick = managed(new Subscriber());
    quick.subscribe();
    quick.connect(endpoint);
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
    slow.pause();
    const body = Buffer.alloc(300_000, 5);
    const total = 300;
    for (let i = 0; i < total; i++) {
      await publisher.send([`${i}`, body, "end"]);
      const parts = await quick.receive({ timeout: 20_000 });
      if (parts[0].toString() !== `${i}` || parts.length !== 3) expect.fail(`${i} came as ${parts[0]}`);
    }
    const { dropped } = publisher.stats;
    expect(dropped).toBeGreaterThan(0);
    slow.resume();
    let last = -1;
    for (let i = 0; i < total - dropped; i++) {
      const parts = await slow.readMessage();
      expect(parts.map((part) => part.length).slice(1)).toEqual([body.length, 3]);
      expect(Number(parts[0])).toBeGreaterThan(last);
      last = Number(parts[0]);
    }
    await slow.barrier();
  });

  it("a late joiner sees only what was sent after its subscription was processed (J5)", async () => {
    const { publisher, endpoint, peer } = await publishing();
    peer.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("before");
    const late = await rawConnected(endpoint, { type: "SUB" });
    late.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
    await publisher.send("after");
    expect(texts(await late.readMessage())).toEqual(["after"]);
    expect(texts(await peer.readMessage())).toEqual(["before"]);
  });

  it("what subscribers send is discarded (J6)", async () => {
    const { publisher, events, peer } = await publishing();
    peer.write(
      message("data", "more"),
      message("\x02x"),
      message(""),
      message("data", "\x01a"),
      command("SUBSCRIBE", "x"),
    );
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("abc");
    await publisher.send("x");
    expect(texts(await peer.readMessage())).toEqual(["x"]);
    expect(events.of("disconnect")).toHaveLength(0);
    expect("receive" in publisher).toBe(false);
  });

  it("two SUBSCRIBEs and one CANCEL of a topic leave none (J8)", async () => {
    const { publisher, peer } = await publishing();
    peer.write(
      command("SUBSCRIBE", "t"),
      command("SUBSCRIBE", "t"),
      command("CANCEL", "t"),
      command("SUBSCRIBE", "u"),
    );
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await peer.barrier();
    await publisher.send("t");
    await publisher.send("u");
    expect(texts(await peer.readMessage())).toEqual(["u"]);
  });

  it("a CANCEL of a topic that is a prefix of another one leaves the other (J2)", async () => {
    const { publisher, peer } = await publishing();
    peer.write(
      command("SUBSCRIBE", "a"),
      command("SUBSCRIBE", "abc"),
      command("CANCEL", "a"),
      command("CANCEL", "ab"),
    );
    await peer.barrier();
    await publisher.send("a");
    await publisher.send("ab");
    await publisher.send("abcd");
    expect(texts(await peer.readMessage())).toEqual(["abcd"]);
  });

  it("ten thousand topics, and topics of 10 KB, still match correctly (J26)", async () => {
    const { publisher, peer } = await publishing();
    const topics = Array.from({ length: 10_000 }, (_, i) => `topic/${(i * 7919) % 1_000_003}/`);
    const long = "l".repeat(10_000);
    peer.write(...topics.map((topic) => command("SUBSCRIBE", topic)), command("SUBSCRIBE", `${long}x`));
    await peer.barrier();
    await publisher.send(`${topics[1234]}yes`);
    await publisher.send("topic/none/no");
    await publisher.send(`${long}y`);
    await publisher.send(`${long}xyz`);
    expect(texts(await peer.readMessage())).toEqual([`${topics[1234]}yes`]);
    expect(texts(await peer.readMessage())).toEqual([`${long}xyz`]);
    peer.write(...topics.map((topic) => command("CANCEL", topic)));
    await peer.barrier();
    for (const topic of topics.slice(0, 100)) await publisher.send(topic);
    await peer.barrier();
  });

  it("waitForSubscribers counts peers with a subscription, not connections", async () => {
    const { publisher, endpoint, peer } = await publishing();
    await expect(publisher.waitForSubscribers(1, { timeout: 20 })).rejects.toMatchObject({ code: "EAGAIN" });
    peer.write(command("SUBSCRIBE", "a"), command("SUBSCRIBE", "b"));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await expect(publisher.waitForSubscribers(2, { timeout: 20 })).rejects.toMatchObject({ code: "EAGAIN" });
    const second: RawPeer = await rawConnected(endpoint, { type: "SUB" });
    second.write(command("SUBSCRIBE", ""));
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
  });
});
