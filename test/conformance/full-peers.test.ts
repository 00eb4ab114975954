/**
 * What becomes of messages for a peer that does not read (J4, J19, I5, N12): `onFull`, its alias `noDrop`, the event
 * "limit", and the counters. What pipes do is in test/unit/patterns/distributor.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Dish, Radio } from "../../src/draft.js";
import {
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
} from "../../src/index.js";
import { managed, rawConnected, record, settled, TRANSPORTS, turns, until } from "../support/helpers.js";
import { command, frame } from "../support/raw-peer.js";

const ANY = "tcp://127.0.0.1:*";
const BODY = Buffer.alloc(100_000);

/** A message for everybody, and how a raw peer asks for it. */
const FANS = [
  {
    type: "Publisher",
    create: (options: object) => new Publisher(options),
    peer: "SUB",
    ask: command("SUBSCRIBE", ""),
    send: (socket: Publisher, text: string) => socket.send([text, BODY]),
  },
  {
    type: "XPublisher",
    create: (options: object) => new XPublisher(options),
    peer: "SUB",
    ask: command("SUBSCRIBE", ""),
    send: (socket: XPublisher, text: string) => socket.send([text, BODY]),
  },
  {
    type: "Radio",
    create: (options: object) => new Radio(options),
    peer: "DISH",
    ask: command("JOIN", "g"),
    send: (socket: Radio, text: string) =>
      socket.send(Buffer.concat([Buffer.from(text), BODY]), { group: "g" }),
  },
] as const;

/** A socket with one raw peer that does not read; `publish` sends numbered messages. */
async function withDeafPeer(fan: (typeof FANS)[number], options: object) {
  const socket = managed(fan.create({ sendHighWaterMark: 10, ...options }));
  const events = record(socket);
  const peer = await rawConnected(await socket.bind(ANY), { type: fan.peer });
  peer.pause();
  peer.write(fan.ask);
  let sent = 0;
  const publish = async () => {
    await (fan.send as (socket: unknown, text: string) => Promise<void>)(socket, `${sent++} `);
    await turns(1);
  };
  await until(async () => {
    await publish(); // nobody asks so far: dropped by routing, not counted
    return socket.stats.outboundQueue > 0 || socket.stats.messagesSent > 30;
  }, "the subscription has come");
  return { socket, events, peer, publish, sent: () => sent };
}

/** Numbers of the messages that a raw peer has got, once it reads. */
async function numbersRead(peer: Awaited<ReturnType<typeof rawConnected>>, last: number, fan: string) {
  peer.resume();
  const numbers: number[] = [];
  while (numbers.at(-1) !== last) {
    const parts = await peer.readMessage();
    numbers.push(Number.parseInt(parts[fan === "Radio" ? 1 : 0].toString("latin1", 0, 8), 10));
  }
  return numbers;
}

describe.each(FANS)("a full peer of a $type", (fan) => {
  it("by default what is for it is dropped, told of once, and counted (J4)", async () => {
    const { socket, events, publish } = await withDeafPeer(fan, {});
    expect(socket.onFull).toBe("dropNewest");
    while (socket.stats.dropped < 50) await publish();
    expect(events.of("limit")).toMatchObject([
      { limit: "sendHighWaterMark", action: "dropped", value: 10, peer: { socketType: fan.peer } },
    ]);
  });

  it("a mark in bytes is told of by its name (J4)", async () => {
    const { socket, events, publish } = await withDeafPeer(fan, {
      sendHighWaterMark: 0,
      sendHighWaterMarkBytes: 1_000_000,
    });
    while (socket.stats.dropped < 20) await publish();
    expect(events.of("limit")).toMatchObject([{ limit: "sendHighWaterMarkBytes", action: "dropped" }]);
    expect(socket.stats.unsentBytes).toBeLessThan(1_200_000);
  });

  it("with dropOldest it gets the newest when it reads again, and is told of anew when it stops again (J4)", async () => {
    const { socket, events, peer, publish, sent } = await withDeafPeer(fan, { onFull: "dropOldest" });
    while (socket.stats.dropped < 50) await publish();
    expect(events.of("limit")).toHaveLength(1);
    const numbers = await numbersRead(peer, sent() - 1, fan.type);
    const newest = Array.from({ length: 8 }, (_, i) => sent() - 8 + i);
    expect(numbers.slice(-8)).toEqual(newest);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    await until(() => socket.stats.outboundQueue === 0, "all is written");
    expect(socket.stats.unsentBytes).toBe(0);
    peer.pause();
    const dropped = socket.stats.dropped;
    while (socket.stats.dropped < dropped + 10) await publish();
    expect(events.of("limit")).toHaveLength(2);
  });

  it("with disconnect its connection is closed, told with the reason, and it may come back (J4)", async () => {
    const { socket, events, peer, publish } = await withDeafPeer(fan, { onFull: "disconnect" });
    while (events.of("limit").length === 0) await publish();
    expect(events.of("limit")).toMatchObject([
      { limit: "sendHighWaterMark", action: "closed", peer: { socketType: fan.peer } },
    ]);
    expect((await events.next("disconnect")).error).toMatchObject({ code: "slow-peer" });
    expect(socket.stats).toMatchObject({ peers: 0, outboundQueue: 0, unsentBytes: 0 });
    peer.resume();
    await peer.closed();
    const again = await rawConnected(socket.lastEndpoint!, { type: fan.peer });
    again.write(fan.ask);
    let came = false;
    void again.readMessage().then(() => {
      came = true;
    });
    await until(async () => {
      await publish();
      return came;
    }, "the peer that came back is served");
  });

  it("with wait a send waits for it, and noDrop is another name for that (J19)", async () => {
    for (const options of [{ onFull: "wait" }, { noDrop: true }]) {
      const { socket, peer, sent, events } = await withDeafPeer(fan, options);
      expect([socket.onFull, socket.noDrop]).toEqual(["wait", true]);
      const send = () => (fan.send as (socket: unknown, text: string) => Promise<void>)(socket, "more ");
      let waiting = send();
      while (await settled(waiting)) waiting = send();
      peer.resume();
      await waiting;
      expect(sent()).toBeGreaterThan(0);
      expect([socket.stats.dropped, events.of("limit").length]).toEqual([0, 0]);
    }
  });

  it("noDrop and onFull that contradict each other are a TypeError that names both", () => {
    const both = /noDrop: (true|false) contradicts onFull: "\w+"/;
    expect(() => fan.create({ noDrop: true, onFull: "disconnect" })).toThrow(both);
    expect(() => fan.create({ onFull: "wait", noDrop: false })).toThrow(both);
    expect(() => fan.create({ noDrop: true, onFull: "dropNewest" })).toThrow(TypeError);
    const socket = managed(fan.create({ onFull: "dropOldest", noDrop: false }));
    expect(() => {
      socket.noDrop = true;
    }).toThrow(both);
    expect(socket.onFull).toBe("dropOldest");
    socket.onFull = "wait";
    expect(socket.noDrop).toBe(true);
    socket.noDrop = false;
    expect(socket.onFull).toBe("dropNewest");
  });
});

describe.each(TRANSPORTS)("a full peer of zwire over $name", ({ endpoint }) => {
  it("with dropOldest a subscriber that reads late gets the newest message, in order (J4)", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 10, onFull: "dropOldest" }));
    const subscriber = managed(new Subscriber({ receiveHighWaterMark: 10 }));
    subscriber.subscribe();
    subscriber.connect(await publisher.bind(endpoint()));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    let sent = 0;
    while (publisher.stats.dropped < 50) {
      await publisher.send([`${sent++}`, BODY]);
      await turns(1);
    }
    const numbers: number[] = [];
    while (numbers.at(-1) !== sent - 1)
      numbers.push(Number((await subscriber.receive({ timeout: 20_000 }))[0]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers).toHaveLength(sent - publisher.stats.dropped);
    expect(subscriber.stats.receivedBytes).toBe(0);
  });

  it("with disconnect a zwire subscriber that does not read is parted with, and a good one beside it gets everything (J4)", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 10, onFull: "disconnect" }));
    const events = record(publisher);
    const where = await publisher.bind(endpoint());
    const deaf = managed(new Subscriber({ receiveHighWaterMark: 10, reconnectInterval: 0 }));
    const good = managed(new Subscriber());
    for (const subscriber of [deaf, good]) {
      subscriber.subscribe();
      subscriber.connect(where);
    }
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
    let got = 0;
    good.on("message", () => got++);
    let sent = 0;
    while (events.of("limit").length === 0) {
      await publisher.send([`${sent++}`, BODY]);
      await until(() => got === sent, "the good one keeps up");
    }
    await events.next("disconnect");
    expect(publisher.peers).toHaveLength(1);
    await publisher.send("after");
    await until(() => got === sent + 1, "the good one goes on");
  });

  it("a listener of limit may publish: what it sends comes behind the message that was dropped, for everybody (J4)", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 4 }));
    const bound = await publisher.bind(endpoint());
    const subscribe = (options: object) => {
      const subscriber = managed(new Subscriber(options));
      subscriber.subscribe("");
      subscriber.connect(bound);
      return subscriber;
    };
    const readers = [subscribe({ receiveHighWaterMark: 0 })];
    await publisher.waitForSubscribers(1);
    subscribe({ receiveHighWaterMark: 1 }); // reads nothing
    await publisher.waitForSubscribers(2);
    readers.push(subscribe({ receiveHighWaterMark: 0 }));
    await publisher.waitForSubscribers(3);
    const got = readers.map(() => [] as string[]);
    for (const [at, reader] of readers.entries())
      reader.on("message", ([text]) => void got[at].push(String(text)));
    let sent = 0;
    let within = "";
    publisher.on("limit", () => {
      if (within !== "") return;
      within = `within ${sent}`;
      expect(publisher.trySend([within])).toBe(true);
    });
    while (within === "") {
      await publisher.send([`${++sent}`, BODY]);
      await until(() => got.every((texts) => texts.includes(`${sent}`)), "the others have it");
    }
    await publisher.send(["last"]);
    await until(() => got.every((texts) => texts.includes("last")), "the others have all");
    for (const texts of got) expect(texts.slice(-3)).toEqual([`${sent}`, within, "last"]);
  });

  it("a Router drops, waits or parts by onFull, and by mandatory where that is not set (I5)", async () => {
    for (const onFull of ["dropOldest", "disconnect", "wait"] as const) {
      const router = managed(new Router({ sendHighWaterMark: 5, onFull }));
      const events = record(router);
      const dealer = managed(new Dealer({ receiveHighWaterMark: 5, routingId: "d", reconnectInterval: 0 }));
      dealer.connect(await router.bind(endpoint()));
      await router.connected({ timeout: 20_000 });
      let sent = 0;
      const full = () => events.of("limit").length > 0;
      let waiting = Promise.resolve();
      while (!full() && (await settled(waiting))) {
        waiting = router.send(["d", `${sent++}`, BODY]);
        await turns(1);
      }
      if (onFull === "wait") {
        expect(full()).toBe(false);
        await dealer.receiveMany(5);
        while ((await dealer.receive({ timeout: 20_000 }))[0].toString() !== `${sent - 1}`);
        await waiting;
        continue;
      }
      expect(events.of("limit")[0].type).toBe("limit");
      if (onFull === "disconnect") {
        await events.next("disconnect");
        await router.send(["d", "nobody"]);
        expect(router.peers).toHaveLength(0);
      } else {
        const numbers: number[] = [];
        while (numbers.at(-1) !== sent - 1)
          numbers.push(Number((await dealer.receive({ timeout: 20_000 }))[0]));
        expect(numbers).toHaveLength(sent - router.stats.dropped);
      }
    }
    const router = managed(new Router({ mandatory: true }));
    expect(router.onFull).toBe(null);
    router.onFull = "dropNewest";
    expect(router.mandatory).toBe(true);
  });
});

describe("what is dropped is counted where it can be read", () => {
  it("replies to requesters that have left, or do not read, show in the stats of a Reply (H16)", async () => {
    const reply = managed(new Reply({ sendHighWaterMark: 1 }));
    const endpoint = await reply.bind(ANY);
    const request = new Request();
    request.connect(endpoint);
    await request.send("question");
    await reply.receive({ timeout: 20_000 });
    await request.close({ linger: 0 });
    await until(() => reply.peers.length === 0, "it has left");
    await reply.send("too late");
    expect(reply.stats.dropped).toBe(1);
    const deaf = await rawConnected(endpoint, { type: "REQ" });
    deaf.pause();
    while (reply.stats.dropped < 3) {
      deaf.write(frame("", { more: true }), frame("again"));
      await reply.receive({ timeout: 20_000 });
      await reply.send(BODY);
    }
  });
});

describe("a message of more parts than maxMessageParts", () => {
  it("is a RangeError of send, trySend and sendMany that names the option, and nothing is sent", async () => {
    const push = managed(new Push({ maxMessageParts: 3 }));
    const pull = managed(new Pull());
    push.connect(await pull.bind(ANY));
    const four = ["1", "2", "3", "4"];
    const error = expect.objectContaining({
      name: "RangeError",
      message: expect.stringMatching(/at most 3 parts \(maxMessageParts\); got 4/),
    });
    expect(() => push.send(four)).toThrow(error);
    expect(() => push.trySend(four)).toThrow(error);
    await expect(push.sendMany([["first"], four])).rejects.toThrow(error);
    await push.send(["1", "2", "3"]);
    expect((await pull.receive({ timeout: 20_000 })).map(String)).toEqual(["first"]);
    expect(await pull.receive({ timeout: 20_000 })).toHaveLength(3);
    expect(() => managed(new Push()).trySend(new Array(65537).fill(""))).toThrow(RangeError);
  });
});

describe("inproc between a Radio and a Dish", () => {
  it("with dropOldest a Dish that reads late gets the newest (N12)", async () => {
    const radio = managed(new Radio({ sendHighWaterMark: 4, onFull: "dropOldest" }));
    const dish = managed(new Dish({ receiveHighWaterMark: 4 }));
    dish.connect(await radio.bind("inproc://full-radio"));
    dish.join("g");
    for (let i = 0; i < 100; i++) await radio.send(`${i}`, { group: "g" });
    const got: string[] = [];
    for (let i = 0; i < 8; i++) got.push(String((await dish.receive({ timeout: 20_000 }))[0]));
    expect(got).toEqual(["92", "93", "94", "95", "96", "97", "98", "99"]);
    expect(radio.stats.dropped).toBe(92);
  });
});
