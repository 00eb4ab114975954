/**
 * Section J for XPUB and XSUB (J13 to J18, J20, J21, J23, F4): subscriptions that are messages. The bounds on what a peer
 * may make XPUB hold, and XPUB with manual, are in xpub-manual.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Publisher, Subscriber, XPublisher, XSubscriber } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { command, message } from "../support/raw-peer.js";

const next = async (socket: XPublisher | XSubscriber | Subscriber) =>
  texts(await socket.receive({ timeout: 20_000 }));

/** An XPUB and subscribers of its, joined one by one. */
async function publishing(endpoint: string, options: object, count = 1) {
  const publisher = managed(new XPublisher(options));
  const actual = await publisher.bind(endpoint);
  const subscribers: XSubscriber[] = [];
  for (let i = 0; i < count; i++) {
    const subscriber = managed(new XSubscriber());
    subscriber.connect(actual);
    await publisher.connected({ count: i + 1, timeout: 20_000 });
    await subscriber.connected({ timeout: 20_000 });
    subscribers.push(subscriber);
  }
  return { publisher, actual, subscribers };
}

/** Everything that the XPUB has to tell, in the order in which it came; `last` is a marker that a peer sends. */
async function told(publisher: XPublisher, last: string): Promise<string[]> {
  const got: string[] = [];
  for (;;) {
    const [text] = await next(publisher);
    if (text === last) return got;
    got.push(text);
  }
}

describe.each(TRANSPORTS)("XPUB and XSUB over $name", ({ endpoint }) => {
  it("the first subscription to a topic and the end of the last one are told, duplicates are not (J13)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), {}, 2);
    const [a, b] = subscribers;
    await a.send("\x01T");
    expect(await next(publisher)).toEqual(["\x01T"]);
    await b.send("\x01T");
    await b.send("mark b");
    expect(await told(publisher, "mark b")).toEqual([]);
    await a.send("\x00T");
    await a.send("mark a");
    expect(await told(publisher, "mark a")).toEqual([]);
    await publisher.send("T still");
    expect(await next(b)).toEqual(["T still"]);
    await b.send("\x00T");
    expect(await next(publisher)).toEqual(["\x00T"]);
    await publisher.send("T gone");
    await b.send("\x01end");
    expect(await next(publisher)).toEqual(["\x01end"]);
    await publisher.send("end");
    expect(await next(b)).toEqual(["end"]);
    expect(a.tryReceive()).toBeUndefined();
  });

  it.each([
    ["null", null, []],
    ["allSubs", "allSubs", ["\x01T", "\x01T"]],
    ["allSubsUnsubs", "allSubsUnsubs", ["\x01T", "\x01T", "\x00T"]],
  ] as const)(
    "with several peers and verbosity %s, what comes between the first and the last (J14)",
    async (_, verbosity, between) => {
      const { publisher, subscribers } = await publishing(endpoint(), { verbosity }, 2);
      const [a, b] = subscribers;
      await a.send("\x01T");
      expect(await next(publisher)).toEqual(["\x01T"]);
      await a.send("\x01T"); // again, by the same peer
      await a.send("mark a");
      const fromA = await told(publisher, "mark a");
      await b.send("\x01T");
      await b.send("\x00T");
      await b.send("mark b");
      expect([...fromA, ...(await told(publisher, "mark b"))]).toEqual(between);
      await a.send("\x00T"); // one of two: nothing goes up (J7)
      await a.send("\x00T");
      expect(await next(publisher)).toEqual(["\x00T"]);
    },
  );

  it.each([
    [null, []],
    ["allSubs", []],
    ["allSubsUnsubs", ["\x00T"]],
  ] as const)(
    "verbosity %s: a peer that leaves while another holds its topic (J14, J15)",
    async (verbosity, gone) => {
      const { publisher, subscribers } = await publishing(endpoint(), { verbosity }, 2);
      const [a, b] = subscribers;
      for (const subscriber of [a, b]) {
        await subscriber.send("\x01T");
        await subscriber.send("mark");
        await told(publisher, "mark");
      }
      await b.send("\x01own");
      expect(await next(publisher)).toEqual(["\x01own"]);
      await b.close();
      const got: string[] = [];
      while (!got.includes("\x00own")) got.push(...(await next(publisher)));
      await a.send("mark");
      got.push(...(await told(publisher, "mark")));
      expect(got.sort()).toEqual(["\x00own", ...gone].sort());
      await publisher.send("T");
      expect(await next(a)).toEqual(["T"]);
    },
  );

  it("a subscriber that closes is last for its topics: each is told as ended, once (J15, J18)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), {});
    for (const topic of ["a", "b", ""]) await subscribers[0].send(`\x01${topic}`);
    for (let i = 0; i < 3; i++) await next(publisher);
    await subscribers[0].close();
    const got = [await next(publisher), await next(publisher), await next(publisher)].flat();
    expect(got.sort()).toEqual(["\x00", "\x00a", "\x00b"]);
    expect(publisher.tryReceive()).toBeUndefined();
  });

  it("also when it is we who unbind or disconnect (J15, J18)", async () => {
    const bound = await publishing(endpoint(), {});
    await bound.subscribers[0].send("\x01T");
    expect(await next(bound.publisher)).toEqual(["\x01T"]);
    await bound.publisher.unbind(bound.actual);
    expect(await next(bound.publisher)).toEqual(["\x00T"]);

    const subscriber = managed(new XSubscriber());
    const publisher = managed(new XPublisher());
    const actual = await subscriber.bind(endpoint());
    publisher.connect(actual);
    await subscriber.connected({ timeout: 20_000 });
    await subscriber.send("\x01T");
    expect(await next(publisher)).toEqual(["\x01T"]);
    publisher.disconnect(actual);
    expect(await next(publisher)).toEqual(["\x00T"]);
    expect(publisher.tryReceive()).toBeUndefined();
  });

  it("a message that begins with neither 00 nor 01 is delivered as it is, and so is an empty one (J16)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), {});
    for (const parts of [["hello"], ["\x02x"], [""], ["several", "", "parts"]]) {
      await subscribers[0].send(parts);
      expect(await next(publisher)).toEqual(parts);
    }
  });

  it("a message that begins with 00 or 01 is a subscription, and its further parts are looked at, too (J17)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), {});
    const [subscriber] = subscribers;
    await subscriber.send(["\x01T", "more", "\x01U", "\x01V"]);
    const told = [["\x01T"], ["more", "\x01U"], ["\x01V"]];
    for (const parts of told) expect(await next(publisher)).toEqual(parts);
    expect([publisher.topicsCount, subscriber.topicsCount]).toEqual([3, 3]);
    await subscriber.send(["\x00T", "\x00never", "\x00U"]);
    for (const parts of [["\x00T"], ["\x00U"]]) expect(await next(publisher)).toEqual(parts);
    expect([publisher.topicsCount, subscriber.topicsCount]).toEqual([1, 1]);
    for (const text of ["T", "V"]) await publisher.send(text);
    expect(await next(subscriber)).toEqual(["V"]);
  });

  it("a message that begins otherwise is one, whatever its further parts; without onlyFirstSubscribe they are looked at (J17)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), {});
    const [subscriber] = subscribers;
    await subscriber.send(["data", "\x01T"]);
    expect(await next(publisher)).toEqual(["data", "\x01T"]);
    expect([publisher.topicsCount, subscriber.topicsCount]).toEqual([0, 0]);
    for (const socket of [publisher, subscriber]) socket.onlyFirstSubscribe = false;
    await subscriber.send(["data", "\x01T", "end"]);
    expect([await next(publisher), await next(publisher)]).toEqual([["data", "\x01T"], ["end"]]);
    expect([publisher.topicsCount, subscriber.topicsCount]).toEqual([1, 1]);
    await publisher.send("T");
    expect(await next(subscriber)).toEqual(["T"]);
  });

  it("with verboseUnsubscribe every end goes upstream, not only the last (J7)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), { verbosity: "allSubsUnsubs" });
    const [subscriber] = subscribers;
    subscriber.verboseUnsubscribe = true;
    for (const text of ["\x01T", "\x01T", "\x00T", "\x00T", "\x00never"]) {
      await subscriber.send(text);
      expect(await next(publisher)).toEqual([text]);
    }
    subscriber.verboseUnsubscribe = false;
    for (const text of ["\x01T", "\x01T", "\x00T", "\x00never", "\x01end"]) await subscriber.send(text);
    for (const text of ["\x01T", "\x01T", "\x01end"]) expect(await next(publisher)).toEqual([text]);
  });

  it("XSUB does not filter what it gets (J11)", async () => {
    const { publisher, subscribers } = await publishing(endpoint(), {}, 1);
    await subscribers[0].send("\x01T");
    await next(publisher);
    await publisher.send("T");
    expect(await next(subscribers[0])).toEqual(["T"]);
    if (endpoint().startsWith("inproc")) return;
    const listener = await rawListen();
    subscribers[0].connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PUB" });
    peer.write(message("unasked"));
    expect(await next(subscribers[0])).toEqual(["unasked"]);
  });

  it("the welcome message comes first, to those who subscribed to it (J23)", async () => {
    const publisher = managed(new XPublisher({ welcomeMessage: "W", verbosity: "allSubs" }));
    const actual = await publisher.bind(endpoint());
    const [asked, other] = [managed(new Subscriber()), managed(new Subscriber())];
    asked.subscribe("W", "T");
    other.subscribe("T");
    const all = managed(new XSubscriber());
    for (const subscriber of [asked, other, all]) subscriber.connect(actual);
    await publisher.connected({ count: 3, timeout: 20_000 });
    await all.send("\x01T");
    await until(() => publisher.stats.receiveQueue === 4, "the subscriptions are here");
    await publisher.send("T");
    expect([await next(asked), await next(asked)]).toEqual([["W"], ["T"]]);
    expect(await next(other)).toEqual(["T"]);
    expect(await next(all)).toEqual(["W"]);
  });

  it("XSUB of several publishers, and XPUB that dials: subscriptions go to all (G1)", async () => {
    const subscriber = managed(new XSubscriber());
    const bound = managed(new XPublisher());
    const dialling = managed(new XPublisher());
    dialling.connect(await subscriber.bind(endpoint()));
    subscriber.connect(await bound.bind(endpoint()));
    await subscriber.connected({ count: 2, timeout: 20_000 });
    await subscriber.send("\x01T");
    await subscriber.send("for all");
    for (const publisher of [bound, dialling]) {
      expect([await next(publisher), await next(publisher)]).toEqual([["\x01T"], ["for all"]]);
      await publisher.send("T");
      expect(await next(subscriber)).toEqual(["T"]);
    }
  });

  it("a forwarder passes every subscription on: verbose behind verbose sees each subscriber come (J14)", async () => {
    const origin = managed(new XPublisher({ verbosity: "allSubs" }));
    const back = managed(new XSubscriber());
    const front = managed(new XPublisher({ verbosity: "allSubsUnsubs" }));
    back.connect(await origin.bind(endpoint()));
    await origin.connected({ timeout: 20_000 });
    const actual = await front.bind(endpoint());
    void (async () => {
      for await (const parts of front) if (!back.closed) await back.send(parts);
    })();
    const subscribers: Subscriber[] = [];
    for (let i = 0; i < 3; i++) {
      const subscriber = managed(new Subscriber());
      subscriber.subscribe("T");
      subscriber.connect(actual);
      expect(await next(origin)).toEqual(["\x01T"]);
      subscribers.push(subscriber);
    }
    // One CANCEL would end the topic upstream (J9): it goes with the last of them only, also when they just leave.
    await subscribers[0].close();
    subscribers[1].unsubscribe("T");
    await front.connected({ count: 2, timeout: 20_000 });
    await until(() => front.stats.messagesReceived === 5, "both ends have been forwarded");
    await turns(20);
    expect(origin.tryReceive()).toBeUndefined();
    await subscribers[2].close();
    expect(await next(origin)).toEqual(["\x00T"]);
  });
});

describe("XPUB and XSUB on the wire", () => {
  it.each([0, 1])(
    "from a 3.%i peer both forms of a subscription are told as messages (F4, J13)",
    async (minor) => {
      const publisher = managed(new XPublisher());
      const peer = await rawConnected(await publisher.bind("tcp://127.0.0.1:*"), { type: "XSUB", minor });
      peer.write(command("SUBSCRIBE", "a"), message("\x01b"), command("CANCEL", "a"), message("\x00b"));
      for (const text of ["\x01a", "\x01b", "\x00a", "\x00b"]) expect(await next(publisher)).toEqual([text]);
      peer.write(message("data"));
      expect(await next(publisher)).toEqual(["data"]);
    },
  );

  it("what XSUB is given as 01 and 00 goes out as commands; an end of nothing does not (J17, J12)", async () => {
    const listener = await rawListen();
    const subscriber = managed(new XSubscriber());
    subscriber.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "XPUB" });
    await subscriber.connected({ timeout: 20_000 });
    await subscriber.send("\x00never");
    await subscriber.send(Buffer.from([1]));
    expect(await peer.readCommand()).toMatchObject({ name: "SUBSCRIBE", data: Buffer.alloc(0) });
    await subscriber.send("\x01T");
    expect((await peer.readCommand()).data.toString()).toBe("T");
    await subscriber.send("\x00T");
    expect(await peer.readCommand()).toMatchObject({ name: "CANCEL", data: Buffer.from("T") });
    await subscriber.send(["\x00", "T"]);
    expect(texts(await peer.readMessage())).toEqual(["\x00", "T"]);
    await peer.barrier();
  });

  it("XSUB passes each of several subscriptions on, and one CANCEL with the last (J7, J9)", async () => {
    const listener = await rawListen();
    const subscriber = managed(new XSubscriber({ reconnectInterval: 20 }));
    subscriber.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "XPUB" });
    await subscriber.connected({ timeout: 20_000 });
    for (let i = 0; i < 2; i++) {
      await subscriber.send("\x01T");
      expect((await peer.readCommand()).name).toBe("SUBSCRIBE");
    }
    await subscriber.send("\x00T");
    await peer.barrier();
    peer.close();
    const again = await listener.accept(); // J10: once each
    await again.handshake({ type: "XPUB" });
    expect((await again.readCommand()).data.toString()).toBe("T");
    await again.barrier();
    await subscriber.send("\x00T");
    expect((await again.readCommand()).name).toBe("CANCEL");
  });

  it("a peer that breaks off, and one that never subscribed, tell what they should (J15)", async () => {
    const publisher = managed(new XPublisher());
    const events = record(publisher);
    const endpoint = await publisher.bind("tcp://127.0.0.1:*");
    const silent = await rawConnected(endpoint, { type: "SUB" });
    const peer = await rawConnected(endpoint, { type: "SUB" });
    peer.write(command("SUBSCRIBE", "T"), message("unread"));
    await peer.barrier();
    silent.close();
    await events.next("disconnect");
    peer.reset();
    await events.next("disconnect", 2);
    const got = [await next(publisher), await next(publisher), await next(publisher)];
    expect(got).toEqual([["\x01T"], ["unread"], ["\x00T"]]);
    expect(publisher.tryReceive()).toBeUndefined();
  });

  it("the welcome message is the first after each handshake, whatever the peer subscribes to (J23)", async () => {
    const listener = await rawListen();
    const dialling = managed(new XPublisher({ welcomeMessage: "W", reconnectInterval: 20 }));
    dialling.connect(listener.endpoint);
    for (let i = 0; i < 2; i++) {
      const peer = await listener.accept();
      await peer.handshake({ type: "SUB" });
      expect(texts(await peer.readMessage())).toEqual(["W"]);
      await peer.barrier();
      peer.close();
    }
    const bound = managed(new XPublisher({ welcomeMessage: "W" }));
    const endpoint = await bound.bind("tcp://127.0.0.1:*");
    expect(texts(await (await rawConnected(endpoint, { type: "SUB" })).readMessage())).toEqual(["W"]);
    bound.welcomeMessage = null;
    await (await rawConnected(endpoint, { type: "SUB" })).barrier();
  });

  it("XSUB has linger 0 as SUB has, XPUB a finite one (J25)", () => {
    expect(managed(new XSubscriber()).linger).toBe(0);
    expect(managed(new XPublisher()).linger).toBe(managed(new Publisher()).linger);
  });
});
