/**
 * Section G: rules common to all socket types, and the contracts of send and receive, over tcp, ipc and inproc alike
 * where they do not speak of connections.
 */
import { describe, expect, it } from "vitest";
import { coreOf } from "../../src/api/socket.js";
import { Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  temporaryDirectory,
  texts,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

/** A PUSH and a PULL joined over a transport. */
async function pair(endpoint: string, sending = {}, receiving = {}) {
  const pull = managed(new Pull(receiving));
  const push = managed(new Push(sending));
  push.connect(await pull.bind(endpoint));
  await Promise.all([push.connected({ timeout: 20_000 }), pull.connected({ timeout: 20_000 })]);
  return { push, pull };
}

describe.each(TRANSPORTS)("common rules over $name", ({ endpoint, absent }) => {
  it("a socket binds and connects to several endpoints, mixed freely (G1)", async () => {
    const middle = managed(new Pull());
    const left = managed(new Push());
    const right = managed(new Push());
    const one = await middle.bind(endpoint());
    const two = await middle.bind(endpoint());
    const three = await right.bind(endpoint());
    left.connect(one);
    left.connect(two);
    middle.connect(three);
    await middle.connected({ count: 3, timeout: 20_000 });
    await right.send("right");
    await left.send("left");
    await left.send("left");
    const got = [];
    for (let i = 0; i < 3; i++) got.push(...texts(await middle.receive({ timeout: 20_000 })));
    expect(got.sort()).toEqual(["left", "left", "right"]);
  });

  it("messages sent to an absent peer queue at once and arrive when it appears (G2)", async () => {
    const actual = await absent();
    const push = managed(new Push({ reconnectInterval: 10 }));
    push.connect(actual);
    for (let i = 0; i < 100; i++) await push.send(`${i}`, { timeout: 1000 });
    const pull = managed(new Pull());
    await pull.bind(actual);
    for (let i = 0; i < 100; i++) expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
  });

  it("a high-water mark counts whole messages, and 1000 is the default (G5)", async () => {
    const push = managed(new Push());
    expect([push.sendHighWaterMark, managed(new Pull()).receiveHighWaterMark]).toEqual([1000, 1000]);
    push.sendHighWaterMark = 10;
    push.connect(await absent());
    let taken = 0;
    while (push.trySend(["a", "b", "c"])) taken++;
    expect(taken).toBe(10);
  });

  it("a high-water mark of 0 has no limit (G5)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 0 }));
    push.connect(await absent());
    for (let i = 0; i < 5000; i++) expect(push.trySend("x")).toBe(true);
  });

  it("the second mark counts octets (G5)", async () => {
    const push = managed(new Push({ sendHighWaterMarkBytes: 10_000 }));
    push.connect(await absent());
    let taken = 0;
    while (push.trySend(Buffer.alloc(1000))) taken++;
    expect(taken).toBeGreaterThanOrEqual(9);
    expect(taken).toBeLessThanOrEqual(10);
  });

  it("a mark changed after connecting holds for pipes that exist, and lowering it loses nothing (G7)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 10, reconnectInterval: 10 }));
    push.connect(await absent());
    while (push.trySend("x"));
    push.sendHighWaterMark = 20;
    expect(push.trySend("more")).toBe(true);
    push.sendHighWaterMark = 2;
    expect(push.trySend("none")).toBe(false);
    expect(push.stats.outboundQueue).toBeGreaterThanOrEqual(11);
  });

  it("nothing is dropped when the receiver does not read: the sender is held back (G9)", async () => {
    const { push, pull } = await pair(endpoint(), { sendHighWaterMark: 20 }, { receiveHighWaterMark: 20 });
    const body = Buffer.alloc(50_000, 1);
    let sent = 0;
    while (push.trySend([`${sent}`, body]) || (await refills(push, sent, body))) sent++;
    expect(sent).toBeGreaterThanOrEqual(20);
    for (let i = 0; i < sent; i++)
      expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe(`${i}`);
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("messages of several peers rotate: a busy one does not starve another (G10)", async () => {
    const pull = managed(new Pull());
    const actual = await pull.bind(endpoint());
    const [busy, quiet] = [managed(new Push()), managed(new Push())];
    busy.connect(actual);
    quiet.connect(actual);
    await pull.connected({ count: 2, timeout: 20_000 });
    for (let i = 0; i < 500; i++) await busy.send("busy");
    for (let i = 0; i < 5; i++) await quiet.send("quiet");
    await until(() => pull.stats.receiveQueue === 505, "all are queued");
    const first = [];
    for (let i = 0; i < 20; i++) first.push(...texts(await pull.receive()));
    expect(first.filter((text) => text === "quiet")).toHaveLength(5);
  });

  it("successive messages rotate over peers (G11)", async () => {
    const push = managed(new Push());
    const actual = await push.bind(endpoint());
    const pulls = [managed(new Pull()), managed(new Pull()), managed(new Pull())];
    for (const pull of pulls) pull.connect(actual);
    await push.connected({ count: 3, timeout: 20_000 });
    for (let i = 0; i < 9; i++) await push.send(`${i}`);
    for (const pull of pulls) {
      const got = [];
      for (let i = 0; i < 3; i++) got.push(Number(texts(await pull.receive({ timeout: 20_000 }))[0]));
      expect([got[1] - got[0], got[2] - got[1]]).toEqual([3, 3]);
    }
  });

  it("a timeout of -1 waits, 0 fails at once with EAGAIN, n fails after n ms (G13)", async () => {
    const pull = managed(new Pull());
    await pull.bind(endpoint());
    const push = managed(new Push());
    await push.bind(endpoint());
    expect(await settled(pull.receive().catch(() => {}))).toBe(false);
    for (const operation of [
      (timeout: number) => pull.receive({ timeout }),
      (timeout: number) => push.send("x", { timeout }),
    ]) {
      await expect(operation(0)).rejects.toMatchObject({ name: "ZmqError", code: "EAGAIN" });
      await turns(1); // a timer counts from the beginning of its turn
      const began = performance.now();
      await expect(operation(60)).rejects.toMatchObject({ code: "EAGAIN" });
      expect(performance.now() - began).toBeGreaterThan(30);
    }
  });

  it("sendTimeout and receiveTimeout hold for calls without one of their own (G13)", async () => {
    const pull = managed(new Pull({ receiveTimeout: 0 }));
    await pull.bind(endpoint());
    const push = managed(new Push({ sendTimeout: 0 }));
    await push.bind(endpoint());
    await expect(pull.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    await expect(push.send("x")).rejects.toMatchObject({ code: "EAGAIN" });
    expect(await settled(pull.receive({ timeout: 1000 }).catch(() => {}))).toBe(false);
  });

  it("an aborted or timed-out receive loses no message and the other waiters keep their order (G13)", async () => {
    const { push, pull } = await pair(endpoint());
    const aborter = new AbortController();
    const first = pull.receive({ signal: aborter.signal });
    const second = pull.receive({ timeout: 10 });
    const third = pull.receive();
    const fourth = pull.receive();
    aborter.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    await expect(second).rejects.toMatchObject({ code: "EAGAIN" });
    await push.send("a");
    await push.send("b");
    expect(texts(await third)).toEqual(["a"]);
    expect(texts(await fourth)).toEqual(["b"]);
    await expect(pull.receive({ signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });

  it("a conflating pair keeps only the newest message and refuses multipart (G14)", async () => {
    const pull = managed(new Pull({ conflate: true }));
    const push = managed(new Push({ conflate: true }));
    push.connect(await pull.bind(endpoint()));
    await Promise.all([push.connected({ timeout: 20_000 }), pull.connected({ timeout: 20_000 })]);
    for (let i = 0; i <= 100; i++) await push.send(`${i}`);
    await until(
      () => pull.stats.receiveQueue === 1 && push.stats.outboundQueue === 0,
      "the newest has arrived",
    );
    await turns(20);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["100"]);
    expect(pull.tryReceive()).toBeUndefined();
    expect(() => push.send(["a", "b"])).toThrow(TypeError);
  });

  it("bind only and no peer: a send waits, or fails with EAGAIN; connect accepts at once (G16)", async () => {
    const bound = managed(new Push());
    const actual = await bound.bind(endpoint());
    expect(bound.trySend("x")).toBe(false);
    const waiting = bound.send("first");
    expect(await settled(waiting)).toBe(false);
    const pull = managed(new Pull());
    pull.connect(actual);
    await waiting;
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["first"]);
  });

  it("multipart messages with empty parts, 0 octets and 1 MiB, arrive as they were", async () => {
    const { push, pull } = await pair(endpoint());
    const big = Buffer.alloc(1 << 20, "zwire");
    await push.send(["", "a", big, ""]);
    const got = await pull.receive({ timeout: 20_000 });
    expect(got.map((part) => part.length)).toEqual([0, 1, big.length, 0]);
    expect(got[2].equals(big)).toBe(true);
    expect(got.every(Buffer.isBuffer)).toBe(true);
  });

  it("sendMany, receiveMany, iteration, tryReceive and on(message) give the same messages in order", async () => {
    const { push, pull } = await pair(endpoint());
    await push.sendMany(Array.from({ length: 1500 }, (_, i) => `${i}`));
    const got: string[] = [];
    while (got.length < 500) got.push(...(await pull.receiveMany(100, { timeout: 20_000 })).flatMap(texts));
    for await (const parts of pull) {
      got.push(...texts(parts));
      if (got.length === 1000) break;
    }
    expect(pull.closed).toBe(false);
    await until(() => pull.stats.receiveQueue > 0, "something is ready");
    got.push(...texts(pull.tryReceive()!));
    const listener = (parts: Buffer[]) => got.push(...texts(parts));
    pull.on("message", listener);
    await until(() => got.length === 1500, "all have been heard");
    pull.off("message", listener);
    expect(got).toEqual(Array.from({ length: 1500 }, (_, i) => `${i}`));
    await push.send("after");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["after"]);
  });

  it("a listener for one message that throws takes no further one", async () => {
    const { push, pull } = await pair(endpoint());
    await push.sendMany(["one", "two"]);
    await until(() => pull.stats.receiveQueue === 2, "both are there");
    await turns(2);
    const later: (() => void)[] = [];
    coreOf(pull).turns.defer = (run) => later.push(run);
    pull.once("message", (parts) => {
      throw new Error(texts(parts)[0]);
    });
    expect(later.shift()).toThrow("one");
    for (const run of later) run();
    expect(texts(pull.tryReceive() ?? [])).toEqual(["two"]);
  });

  it("iteration ends when the socket closes", async () => {
    const { push, pull } = await pair(endpoint());
    await push.send("one");
    const got: string[] = [];
    for await (const parts of pull) {
      got.push(...texts(parts));
      void pull.close();
    }
    expect(got).toEqual(["one"]);
  });

  it("timers tick while a tight loop of sends and receives runs", async () => {
    const { push, pull } = await pair(endpoint());
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    // As many as it takes: a quick machine passes thousands in the millisecond between two ticks.
    for (let i = 0; i < 2_000_000 && ticks < 3; i++) {
      await push.send("x");
      await pull.receive();
    }
    clearInterval(timer);
    expect(ticks).toBeGreaterThanOrEqual(3);
  });

  it("stats count messages sent and received, and depths", async () => {
    const { push, pull } = await pair(endpoint());
    for (let i = 0; i < 10; i++) await push.send(["a", "b"]);
    for (let i = 0; i < 10; i++) await pull.receive({ timeout: 20_000 });
    expect(push.stats.messagesSent).toBe(10);
    expect(pull.stats.messagesReceived).toBe(10);
    expect(pull.stats.receiveQueue).toBe(0);
    expect(push.stats.peers).toBe(1);
  });
});

/** After a refusal: whether a message is taken once the kernel and the receiver have had their turns. */
async function refills(push: Push, n: number, body: Buffer): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    await turns(1);
    if (push.trySend([`${n}`, body])) return true;
  }
  return false;
}

describe("common rules, of connections", () => {
  it("the queue of a dialled connection survives its loss (G3)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ reconnectInterval: 20 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "PULL" });
    await push.send("0");
    expect(texts(await first.readMessage())).toEqual(["0"]);
    first.close();
    await events.next("disconnect");
    for (let i = 1; i <= 50; i++) await push.send(`${i}`);
    const second = await listener.accept();
    await second.handshake({ type: "PULL" });
    for (let i = 1; i <= 50; i++) expect(texts(await second.readMessage())).toEqual([`${i}`]);
  });

  it("a message that was half on the wire is never delivered in part, and what waited behind it arrives (G3)", async () => {
    // ipc: a unix socket's buffers are small, so the kernel cannot have taken all of it.
    const listener = await rawListen(`ipc://${temporaryDirectory()}/s`);
    const push = managed(new Push({ reconnectInterval: 20 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "PULL" });
    first.pause();
    const body = Buffer.alloc(8 << 20, 3);
    await push.send(["big", body]);
    await turns(20);
    await push.send("next");
    expect(push.stats.outboundQueue).toBe(2);
    first.close();
    await events.next("disconnect");
    const second = await listener.accept();
    await second.handshake({ type: "PULL" });
    // The kernel has not taken all of it, so it is sent again, whole.
    const got = await second.readMessage();
    expect([got[0].toString(), got[1].equals(body)]).toEqual(["big", true]);
    expect(texts(await second.readMessage())).toEqual(["next"]);
  });

  it("the queue of an accepted connection dies with it (G4)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 100 }));
    const events = record(push);
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const gone = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    gone.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    expect(push.stats.outboundQueue).toBeGreaterThan(0);
    gone.close();
    await events.next("disconnect");
    expect(push.stats.outboundQueue).toBe(0);
    const next = await rawConnected(endpoint, { type: "PULL" });
    await push.send("new");
    expect(texts(await next.readMessage())).toEqual(["new"]);
  });

  it("messages already read from a lost peer stay readable (G4)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    peer.write(message("a"), message("b", "c"));
    await peer.barrier();
    peer.close();
    await events.next("disconnect");
    expect(texts(await pull.receive())).toEqual(["a"]);
    expect(texts(await pull.receive())).toEqual(["b", "c"]);
  });

  it("an inproc pipe holds the sum of both marks, and 0 on either side removes the limit (G6)", async () => {
    const fill = async (sending: number, receiving: number) => {
      const name = `inproc://g6-${sending}-${receiving}`;
      const { push } = await pair(name, { sendHighWaterMark: sending }, { receiveHighWaterMark: receiving });
      let taken = 0;
      while (taken < 5000 && push.trySend("x")) taken++;
      return taken;
    };
    expect(await fill(1000, 1000)).toBe(2000);
    expect(await fill(10, 5)).toBe(15);
    expect(await fill(0, 5)).toBe(5000);
    expect(await fill(10, 0)).toBe(5000);
  });

  it("a full sender is woken after about half its peer's queue is consumed (G8)", async () => {
    const { push, pull } = await pair("inproc://g8", { sendHighWaterMark: 10 }, { receiveHighWaterMark: 10 });
    while (push.trySend("x"));
    const waiting = push.send("late");
    await pull.receive();
    expect(await settled(waiting)).toBe(false);
    for (let i = 0; i < 12; i++) await pull.receive();
    await within(waiting, "the sender is woken");
  });

  it("above the receive mark reading stops: the far side's writes back up (G9)", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    const body = Buffer.alloc(100_000, 2);
    for (let i = 0; i < 400; i++) peer.write(message(`${i}`, body));
    await until(() => pull.stats.receiveQueue >= 10, "the mark is reached");
    await turns(100);
    expect(pull.stats.receiveQueue).toBeLessThan(100);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    for (let i = 0; i < 400; i++)
      expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe(`${i}`);
  });

  it("the receive mark in octets holds as well (G9)", async () => {
    const pull = managed(new Pull({ receiveHighWaterMarkBytes: 1_000_000 }));
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    const body = Buffer.alloc(100_000, 2);
    for (let i = 0; i < 300; i++) peer.write(message(`${i}`, body));
    await until(() => pull.stats.receiveQueue >= 10, "the mark is reached");
    await turns(100);
    expect(pull.stats.receiveQueue).toBeLessThan(60);
    for (let i = 0; i < 300; i++)
      expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe(`${i}`);
  });

  it("a full peer is skipped (G11)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 3 }));
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const slow = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    slow.pause();
    while (push.trySend(Buffer.alloc(500_000)));
    const quick = managed(new Pull());
    quick.connect(endpoint);
    await push.connected({ count: 2, timeout: 20_000 });
    for (let i = 0; i < 50; i++) {
      await push.send(`${i}`, { timeout: 20_000 });
      expect(texts(await quick.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
    }
  });

  it("a multipart message cut by the peer's end is gone, and the next one starts clean (G12)", async () => {
    const push = managed(new Push());
    const events = record(push);
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const first = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    first.pause();
    await push.send(["head", Buffer.alloc(32 << 20), "tail"]);
    first.close();
    await events.next("disconnect");
    const second = await rawConnected(endpoint, { type: "PULL" });
    await push.send(["clean", "message"]);
    expect(texts(await second.readMessage())).toEqual(["clean", "message"]);
  });

  it.each([
    ["SUB", Subscriber, "PUB", 1],
    ["PUB", Publisher, "SUB", 1],
    ["REQ", Request, "REP", 1],
    ["PUSH", Push, "PULL", 2],
    ["PULL", Pull, "PUSH", 2],
    ["REP", Reply, "REQ", 2],
  ] as const)(
    "%s connected twice to one endpoint has the right number of connections (G15)",
    async (_, Type, type, n) => {
      const listener = await rawListen();
      const socket = managed(new Type());
      socket.connect(listener.endpoint);
      socket.connect(listener.endpoint);
      for (let i = 0; i < n; i++) await (await listener.accept()).handshake({ type });
      await socket.connected({ count: n, timeout: 20_000 });
      await turns(50);
      expect(listener.accepted).toBe(n);
    },
  );
});
