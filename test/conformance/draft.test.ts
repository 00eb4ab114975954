/**
 * Section N, the draft types that route by number or take turns: CLIENT, SERVER, SCATTER, GATHER, PEER, CHANNEL (N1 to
 * N7). RADIO and DISH are in radio-dish.test.ts; what CHANNEL shares with PAIR is in pair.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Channel, Client, Dish, Gather, Peer, Radio, Scatter, Server } from "../../src/draft.js";
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
  within,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

const timeout = 20_000;

describe("messages of one part", () => {
  it.each([
    ["CLIENT", () => new Client()],
    ["SCATTER", () => new Scatter()],
    ["CHANNEL", () => new Channel()],
  ] as const)("%s refuses several parts with EINVAL, and takes one in an array (N1)", async (_, make) => {
    const socket = managed(make());
    socket.connect("inproc://n1");
    for (const parts of [
      ["a", "b"],
      ["", ""],
    ]) {
      await expect(socket.send(parts)).rejects.toMatchObject({ name: "ZmqError", code: "EINVAL" });
      expect(() => socket.trySend(parts)).toThrow(expect.objectContaining({ code: "EINVAL" }));
      await expect(socket.sendMany([parts])).rejects.toMatchObject({ code: "EINVAL" });
    }
    await socket.send(["a"]);
    expect(socket.stats.outboundQueue).toBe(1);
  });

  it.each([
    ["SERVER", () => new Server(), { routingId: 1 }],
    ["PEER", () => new Peer(), { routingId: 1 }],
    ["RADIO", () => new Radio(), { group: "g" }],
  ] as const)(
    "%s refuses several parts, which its interface has no place for, with a TypeError (N1)",
    (_, make, to) => {
      const socket = managed(make()) as Server;
      for (const parts of [
        ["a", "b"],
        ["", ""],
      ]) {
        expect(() => socket.send(parts as never, to as never)).toThrow(TypeError);
        expect(() => socket.trySend(parts as never, to as never)).toThrow(TypeError);
      }
    },
  );

  it.each([
    ["CLIENT", () => new Client(), "SERVER"],
    ["SERVER", () => new Server(), "CLIENT"],
    ["GATHER", () => new Gather(), "SCATTER"],
    ["PEER", () => new Peer(), "PEER"],
    ["CHANNEL", () => new Channel(), "CHANNEL"],
  ] as const)(
    "%s skips all of a message of several parts and delivers the next single one (N2)",
    async (_, make, type) => {
      const socket = managed(make());
      const peer = await rawConnected(await socket.bind("tcp://127.0.0.1:*"), { type });
      peer.write(message("a", "b"), message("one"), message("", "", "c"), message("", ""), message(""));
      for (const text of ["one", ""]) expect((await socket.receive({ timeout }))[0].toString()).toBe(text);
      await peer.barrier();
      expect(socket.tryReceive()).toBeUndefined();
    },
  );

  it("their sockets say that they are thread-safe ones, option 81 too (N1)", () => {
    for (const Type of [Client, Server, Radio, Dish, Scatter, Gather, Peer, Channel]) {
      const socket = managed(new Type());
      expect([socket.threadSafe, socket.getInt32Option(81)]).toEqual([true, 1]);
    }
  });
});

describe.each(TRANSPORTS)("SERVER and CLIENT over $name", ({ endpoint }) => {
  it("a message carries the number of its peer, and a reply by that number reaches it (N3)", async () => {
    const server = managed(new Server());
    const actual = await server.bind(endpoint());
    const clients = [0, 1, 2].map(() => managed(new Client()));
    for (const client of clients) client.connect(actual);
    for (const [i, client] of clients.entries()) await client.send(`${i}`);
    const numbers = new Set<number>();
    for (let i = 0; i < 3; i++) {
      const [text, { routingId }] = await server.receive({ timeout });
      expect(Number.isInteger(routingId) && routingId > 0 && routingId < 2 ** 32).toBe(true);
      numbers.add(routingId);
      await server.send(`reply to ${text}`, { routingId });
    }
    expect(numbers.size).toBe(3);
    for (const [i, client] of clients.entries()) {
      expect(texts(await client.receive({ timeout }))).toEqual([`reply to ${i}`]);
    }
  });

  it("an unknown number is EHOSTUNREACH, and so is one whose peer left with messages unread (N3)", async () => {
    const server = managed(new Server());
    const client = managed(new Client());
    client.connect(await server.bind(endpoint()));
    for (const text of ["1", "2", "3"]) await client.send(text);
    const [, from] = await server.receive({ timeout });
    await until(() => server.stats.receiveQueue === 2, "all are here");
    await client.close();
    await until(() => server.stats.peers === 0, "the client has left");
    const unreachable = { name: "ZmqError", code: "EHOSTUNREACH" };
    await expect(server.send("x", from)).rejects.toMatchObject(unreachable);
    for (const text of ["2", "3"]) {
      const [part, { routingId }] = await server.receive({ timeout });
      expect([part.toString(), routingId]).toEqual([text, from.routingId]);
    }
    expect(() => server.trySend("x", from)).toThrow(expect.objectContaining(unreachable));
    const other = { routingId: (from.routingId ^ 0x55555555) >>> 0 || 1 };
    await expect(server.sendMany([["x", other]])).rejects.toMatchObject(unreachable);
  });

  it("a full peer is a wait or EAGAIN, never a loss (N3)", async () => {
    const server = managed(new Server({ sendHighWaterMark: 3 }));
    const client = managed(new Client({ receiveHighWaterMark: 3 }));
    client.connect(await server.bind(endpoint()));
    await client.send("hello");
    const [, from] = await server.receive({ timeout });
    const sends: Promise<void>[] = [];
    for (let i = 0; i < 30; i++) sends.push(server.send(Buffer.alloc(500_000, i), from));
    await turns(50);
    expect(server.stats.sendQueue).toBeGreaterThan(0);
    expect(server.trySend("x", from)).toBe(false);
    await expect(server.send("x", { ...from, timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
    for (let i = 0; i < 30; i++) expect((await client.receive({ timeout }))[0][0]).toBe(i);
    await Promise.all(sends);
  });

  it("CLIENT with several servers sends in turn and receives from all (N4)", async () => {
    const client = managed(new Client());
    const servers = [0, 1, 2].map(() => managed(new Server()));
    for (const server of servers) client.connect(await server.bind(endpoint()));
    await client.connected({ count: 3, timeout });
    for (let i = 0; i < 9; i++) await client.send(`${i}`);
    for (const [who, server] of servers.entries()) {
      const got: number[] = [];
      for (let i = 0; i < 3; i++) {
        const [part, from] = await server.receive({ timeout });
        got.push(Number(part));
        await server.send(`${who}`, from);
      }
      expect([got[1] - got[0], got[2] - got[1]]).toEqual([3, 3]);
    }
    const replies: string[] = [];
    for (let i = 0; i < 9; i++) replies.push(...texts(await client.receive({ timeout })));
    expect(replies.sort().join("")).toBe("000111222");
  });

  it("CLIENT without a server waits, or fails with EAGAIN (N4)", async () => {
    const client = managed(new Client());
    const actual = await client.bind(endpoint());
    await expect(client.send("x", { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
    const waiting = client.send("kept");
    expect(await settled(waiting)).toBe(false);
    const server = managed(new Server());
    server.connect(actual);
    await within(waiting, "the send goes on");
    expect((await server.receive({ timeout }))[0].toString()).toBe("kept");
  });
});

describe("SERVER on the wire", () => {
  it("a send that waits for a full peer is EHOSTUNREACH when that one leaves (N3)", async () => {
    const server = managed(new Server({ sendHighWaterMark: 1 }));
    const peer = await rawConnected(await server.bind("tcp://127.0.0.1:*"), { type: "CLIENT" });
    peer.write(message("x"));
    const [, from] = await server.receive({ timeout });
    peer.pause();
    for (let refused = 0; refused < 50; refused++) {
      if (server.trySend(Buffer.alloc(1_000_000), from)) refused = 0;
      await turns(1);
    }
    const waiting = server.send("late", from);
    const outcome = expect(waiting).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    expect(await settled(waiting)).toBe(false);
    peer.close();
    await outcome;
  });

  it("the number is ours: an Identity chooses nothing, and each connection gets another (N3)", async () => {
    const server = managed(new Server());
    const endpoint = await server.bind("tcp://127.0.0.1:*");
    const numbers: number[] = [];
    for (let i = 0; i < 3; i++) {
      const peer = await rawConnected(endpoint, { type: "CLIENT", properties: [["Identity", "same"]] });
      peer.write(message("x"));
      const [, from] = await server.receive({ timeout });
      numbers.push(from.routingId);
      await server.send("y", from);
      expect(texts(await peer.readMessage())).toEqual(["y"]);
      if (i === 0) peer.close();
    }
    expect(new Set(numbers).size).toBe(3);
  });

  it("a routingId of the wrong type or out of range is refused at once (U2)", () => {
    const server = managed(new Server());
    expect(() => server.send("x", undefined as never)).toThrow(/routingId/);
    expect(() => server.send("x", {} as never)).toThrow(TypeError);
    expect(() => server.send("x", { routingId: "1" } as never)).toThrow(TypeError);
    for (const routingId of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
      expect(() => server.send("x", { routingId })).toThrow(RangeError);
    }
  });
});

describe.each(TRANSPORTS)("SCATTER and GATHER over $name", ({ endpoint }) => {
  it("SCATTER hands out in turn to those with room, waits when none has, and drops nothing (N5)", async () => {
    const scatter = managed(new Scatter({ sendHighWaterMark: 5 }));
    const actual = await scatter.bind(endpoint());
    await expect(scatter.send("x", { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
    const gathers = [0, 1].map(() => managed(new Gather({ receiveHighWaterMark: 5 })));
    for (const gather of gathers) gather.connect(actual);
    await scatter.connected({ count: 2, timeout });
    const sends: Promise<void>[] = [];
    for (let i = 0; i < 70; i++) sends.push(scatter.send(Buffer.alloc(1_000_000, i)));
    await turns(50);
    expect(scatter.stats.sendQueue).toBeGreaterThan(0);
    const got: number[][] = [[], []];
    await Promise.all(
      gathers.map(async (gather, who) => {
        while (got[0].length + got[1].length < 70) {
          const parts = await gather.receive({ timeout: 300 }).catch(() => null);
          if (parts !== null) got[who].push(parts[0][0]);
        }
      }),
    );
    await Promise.all(sends);
    expect([...got[0], ...got[1]].sort((a, b) => a - b)).toEqual(Array.from({ length: 70 }, (_, i) => i));
    for (const own of got) expect(own).toEqual([...own].sort((a, b) => a - b)); // E14: in order
    for (const own of got) expect(own.length).toBeGreaterThan(5);
  });

  it("GATHER takes from several in turn (N5)", async () => {
    const gather = managed(new Gather());
    const actual = await gather.bind(endpoint());
    const [busy, quiet] = [managed(new Scatter()), managed(new Scatter())];
    for (const scatter of [busy, quiet]) scatter.connect(actual);
    await gather.connected({ count: 2, timeout });
    for (let i = 0; i < 300; i++) await busy.send("busy");
    for (let i = 0; i < 5; i++) await quiet.send("quiet");
    await until(() => gather.stats.receiveQueue === 305, "all are here");
    const first: string[] = [];
    for (let i = 0; i < 15; i++) first.push(...texts(await gather.receive()));
    expect(first.filter((text) => text === "quiet")).toHaveLength(5);
  });
});

describe.each(TRANSPORTS)("PEER over $name", ({ endpoint, absent }) => {
  it("connectPeer() tells the number at once: messages to it queue, and it is the one they come back with (N6)", async () => {
    const actual = await absent();
    const dialling = managed(new Peer({ reconnectInterval: 10 }));
    const routingId = dialling.connectPeer(actual);
    expect(Number.isInteger(routingId) && routingId > 0).toBe(true);
    await dialling.send("queued", { routingId });
    const bound = managed(new Peer());
    await bound.bind(actual);
    const [part, from] = await bound.receive({ timeout });
    expect(part.toString()).toBe("queued");
    await bound.send("back", from);
    const [back, of] = await dialling.receive({ timeout });
    expect([back.toString(), of.routingId]).toEqual(["back", routingId]);
  });

  it("disconnectPeer() ends the connection of that number, also of two to one endpoint (N6)", async () => {
    const bound = managed(new Peer());
    const actual = await bound.bind(endpoint());
    const dialling = managed(new Peer());
    const [first, second] = [dialling.connectPeer(actual), dialling.connectPeer(actual)];
    await dialling.connected({ count: 2, timeout });
    await dialling.send("1", { routingId: first });
    const [, firstFrom] = await bound.receive({ timeout });
    await dialling.send("2", { routingId: second });
    const [, secondFrom] = await bound.receive({ timeout });
    expect(firstFrom.routingId).not.toBe(secondFrom.routingId);
    dialling.disconnectPeer(second);
    await until(() => bound.stats.peers === 1, "one is gone");
    await expect(dialling.send("x", { routingId: second })).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    await expect(bound.send("x", secondFrom)).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    await bound.send("still", firstFrom);
    expect((await dialling.receive({ timeout }))[0].toString()).toBe("still");
    const unreachable = expect.objectContaining({ name: "ZmqError", code: "EHOSTUNREACH" });
    expect(() => dialling.disconnectPeer(second)).toThrow(unreachable);
    expect(() => dialling.disconnectPeer(12345)).toThrow(unreachable);
    dialling.disconnect(actual);
    expect(() => dialling.disconnectPeer(first)).toThrow(unreachable);
  });

  it("with immediate connectPeer() is EINVAL and connects nothing (N6)", async () => {
    const peer = managed(new Peer({ immediate: true }));
    const actual = await absent();
    expect(() => peer.connectPeer(actual)).toThrow(
      expect.objectContaining({ name: "ZmqError", code: "EINVAL", address: actual }),
    );
    expect(() => peer.disconnect(actual)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});

describe("PEER on the wire", () => {
  it("the number of a dialled peer stays over a reconnect, and its queue (N6)", async () => {
    const listener = await rawListen();
    const dialling = managed(new Peer({ reconnectInterval: 20 }));
    const events = record(dialling);
    const routingId = dialling.connectPeer(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "PEER" });
    first.write(message("1"));
    expect((await dialling.receive({ timeout }))[1]).toEqual({ routingId });
    first.close();
    await events.next("disconnect");
    await dialling.send("queued", { routingId });
    const second = await listener.accept();
    await second.handshake({ type: "PEER" });
    expect(texts(await second.readMessage())).toEqual(["queued"]);
    second.write(message("2"));
    expect((await dialling.receive({ timeout }))[1]).toEqual({ routingId });
  });
});
