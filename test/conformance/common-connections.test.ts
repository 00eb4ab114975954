/**
 * Section G: the rules common to all socket types that speak of connections, and of both ends of a pipe.
 */
import { describe, expect, it } from "vitest";
import { Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  temporaryDirectory,
  texts,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { pair } from "../support/pairs.js";
import { message } from "../support/raw-peer.js";

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
