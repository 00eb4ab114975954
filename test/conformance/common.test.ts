/**
 * Section G: rules common to all socket types, and the contracts of send and receive, over tcp, ipc and inproc alike
 * where they do not speak of connections.
 */
import { describe, expect, it } from "vitest";
import { coreOf } from "../../src/api/socket.js";
import { Pull, Push } from "../../src/index.js";
import { managed, settled, TRANSPORTS, texts, turns, until } from "../support/helpers.js";
import { pair } from "../support/pairs.js";

/** After a refusal: whether a message is taken once the kernel and the receiver have had their turns. */
async function refills(push: Push, n: number, body: Buffer): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    await turns(1);
    if (push.trySend([`${n}`, body])) return true;
  }
  return false;
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
