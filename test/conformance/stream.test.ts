/**
 * Section M (M9 is not built): STREAM and connections without framing. Peers are plain net sockets, the raw peer, and
 * zwire sockets whose bytes are looked at.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Router, Stream } from "../../src/index.js";
import { freePort, managed, rawDial, record, settled, TRANSPORTS, turns, until } from "../support/helpers.js";
import { greeting, message, ready } from "../support/raw-peer.js";
import { accepted, collect, next, plainServer } from "../support/stream-peers.js";

const STREAMS = TRANSPORTS.filter(({ name }) => name !== "inproc");

describe.each(STREAMS)("STREAM over $name", ({ endpoint }) => {
  it("octets come as chunks behind a name of five octets that begins with zero; borders mean nothing (M1)", async () => {
    const stream = managed(new Stream());
    const peer = await rawDial(await stream.bind(endpoint()));
    const [id] = await next(stream);
    expect([id.length, id[0]]).toEqual([5, 0]);
    const sent = Buffer.alloc(300_000, "zwire stream ");
    peer.write(sent);
    let got = Buffer.alloc(0);
    while (got.length < sent.length) {
      const [from, data] = await next(stream);
      expect(from.equals(id)).toBe(true);
      expect(data.length).toBeGreaterThan(0);
      got = Buffer.concat([got, data]);
    }
    expect(got.equals(sent)).toBe(true);
  });

  it("with notify a connection's begin and end are [id, empty] (M2)", async () => {
    const stream = managed(new Stream());
    const peer = await rawDial(await stream.bind(endpoint()));
    const [id, opened] = await next(stream);
    peer.write(Buffer.from("x"));
    const [, data] = await next(stream);
    peer.socket.end();
    const [gone, closed] = await next(stream);
    expect([opened.length, data.toString(), closed.length]).toEqual([0, "x", 0]);
    expect(gone.equals(id)).toBe(true);
    await turns(20);
    expect(stream.tryReceive()).toBeUndefined();
  });

  it("without notify nothing but octets is delivered (M2)", async () => {
    const stream = managed(new Stream({ notify: false }));
    const events = record(stream);
    const actual = await stream.bind(endpoint());
    for (let i = 0; i < 2; i++) {
      const peer = await rawDial(actual);
      peer.write(Buffer.from(`${i}`));
      expect((await next(stream))[1].toString()).toBe(`${i}`);
      peer.close();
      await events.next("disconnect", i + 1);
    }
    expect(stream.tryReceive()).toBeUndefined();
  });

  it("[id, octets] goes out as it is: no framing, and nothing is said first (M3)", async () => {
    const stream = managed(new Stream());
    const peer = await rawDial(await stream.bind(endpoint()));
    const [id] = await next(stream);
    expect(peer.buffered).toBe(0);
    await stream.send([id, "abc"]);
    await stream.send([id, Buffer.from([0, 255])]);
    await stream.send([id, Buffer.alloc(200_000, 7)]);
    expect((await peer.read(5)).toString("latin1")).toBe("abc\0\xff");
    expect((await peer.read(200_000)).every((octet) => octet === 7)).toBe(true);
  });

  it("two STREAM sockets carry each other's octets (M3)", async () => {
    const [bound, dialled] = [managed(new Stream()), managed(new Stream())];
    dialled.connect(await bound.bind(endpoint()));
    const [far] = await next(bound);
    const [near] = await next(dialled);
    expect(dialled.routingId?.equals(near)).toBe(true);
    await dialled.send([near, "ping"]);
    expect((await next(bound))[1].toString()).toBe("ping");
    await bound.send([far, "pong"]);
    expect((await next(dialled))[1].toString()).toBe("pong");
  });
});

describe("STREAM", () => {
  it("a message that is not a name and octets is EINVAL; inproc has no octets (M3)", async () => {
    const { stream, id } = await accepted();
    for (const parts of ["x", [id], [id, "a", "b"]]) {
      await expect(stream.send(parts)).rejects.toMatchObject({ name: "ZmqError", code: "EINVAL" });
    }
    await expect(stream.bind("inproc://stream")).rejects.toMatchObject({ code: "EPROTONOSUPPORT" });
    expect(() => stream.connect("inproc://stream")).toThrow(
      expect.objectContaining({ code: "EPROTONOSUPPORT" }),
    );
  });

  it("what is sent to a dialled connection waits for it, also for the next one (M5, M6)", async () => {
    const endpoint = await freePort();
    const stream = managed(new Stream({ reconnectInterval: 10 }));
    stream.connect(endpoint, { routingId: "there" });
    await stream.send(["there", "first "]);
    await stream.send(["there", "second"]);
    const server = await plainServer(endpoint);
    await until(() => server.sockets.length === 1, "the connection");
    const heard: string[] = [];
    server.sockets[0].on("data", (chunk) => heard.push(String(chunk)));
    await until(() => heard.join("") === "first second", "what waited");
    expect((await next(stream))[1]).toHaveLength(0);
    server.sockets[0].destroy();
    expect((await next(stream))[1]).toHaveLength(0);
    await stream.send(["there", "again"]);
    await until(() => server.sockets.length === 2, "the next connection");
    server.sockets[1].on("data", (chunk) => heard.push(String(chunk)));
    await until(() => heard.join("") === "first secondagain", "what was sent between");
  });

  it("with immediate nothing waits for a connection (M5)", async () => {
    const stream = managed(new Stream({ immediate: true }));
    stream.connect(await freePort(), { routingId: "there" });
    await expect(stream.send(["there", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("an unknown name is EHOSTUNREACH, also one whose connection is gone (M5)", async () => {
    const { stream, peer, id } = await accepted();
    await expect(stream.send(["x", "y"])).rejects.toMatchObject({ name: "ZmqError", code: "EHOSTUNREACH" });
    expect(() => stream.trySend([Buffer.from([0, 1, 2, 3, 4]), "y"])).toThrow(
      expect.objectContaining({ code: "EHOSTUNREACH" }),
    );
    peer.write(Buffer.from("unread"));
    peer.socket.end();
    expect((await next(stream))[1].toString()).toBe("unread");
    expect((await next(stream))[1]).toHaveLength(0);
    await expect(stream.send([id, "late"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("a full peer is EAGAIN or a wait, which ends with the connection (M5)", async () => {
    const { stream, endpoint, peer, id } = await accepted({ sendHighWaterMark: 2 });
    peer.pause();
    for (let refused = 0; refused < 50; refused++) {
      if (stream.trySend([id, Buffer.alloc(1_000_000)])) refused = 0;
      await turns(1);
    }
    await expect(stream.send([id, "x"], { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
    const waiting = stream.send([id, "waits"]);
    expect(await settled(waiting)).toBe(false);
    const outcome = expect(waiting).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    const other = await rawDial(endpoint);
    const [otherId] = await next(stream);
    peer.close();
    await outcome;
    await stream.send([otherId, "free"]);
    expect((await other.read(4)).toString()).toBe("free");
  });

  it("octets that nobody reads stop the reading, and none is lost (G9)", async () => {
    const { stream, peer } = await accepted({ receiveHighWaterMark: 4 });
    const sent = Buffer.alloc(32 << 20);
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32BE(i, i);
    peer.socket.write(sent);
    await until(() => stream.stats.receiveQueue >= 4, "the mark is reached");
    await turns(100);
    expect(stream.stats.receiveQueue).toBeLessThan(20);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    expect((await collect(stream, sent.length)).equals(sent)).toBe(true);
  });

  it("after connect() routingId is the newest connection's; connect() and option 61 can give it (M6)", async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    for (const endpoint of [a, b, c]) await plainServer(endpoint);
    const stream = managed(new Stream());
    expect(stream.routingId).toBeNull();
    stream.connect(a);
    const generated = Buffer.from(stream.routingId as Buffer);
    expect([generated.length, generated[0]]).toEqual([5, 0]);
    expect((await next(stream))[0].equals(generated)).toBe(true);
    stream.connect(b, { routingId: "mine" });
    expect(stream.routingId?.toString()).toBe("mine");
    expect(() => stream.connect(c, { routingId: "mine" })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    expect((await next(stream))[0].toString()).toBe("mine");
    stream.setStringOption(61, "other");
    stream.connect(c);
    expect(stream.getStringOption(5)).toBe("other");
    expect((await next(stream))[0].toString()).toBe("other");
    expect(() => stream.connect(c, { routingId: "mine" })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });

  it("a dialled connection keeps its name over a reconnect, and unsent octets do not go over (M6)", async () => {
    const endpoint = await freePort();
    const server = await plainServer(endpoint, (socket) => socket.pause());
    const stream = managed(new Stream({ reconnectInterval: 20, sendHighWaterMark: 0 }));
    stream.connect(endpoint);
    const [id] = await next(stream);
    for (let i = 0; i < 32; i++) await stream.send([id, Buffer.alloc(1 << 20, "old")]);
    server.sockets[0].destroy();
    expect((await next(stream))[1]).toHaveLength(0); // gone
    await stream.send([id, "between "]); // for the next connection
    const [again, empty] = await next(stream); // there again
    expect([again.equals(id), empty.length]).toEqual([true, 0]);
    await stream.send([id, "new"]);
    await until(() => server.sockets.length === 2, "the second connection");
    const got: Buffer[] = [];
    server.sockets[1].on("data", (chunk) => got.push(chunk as Buffer)).resume();
    await until(() => Buffer.concat(got).length >= 11, "the octets are there");
    expect(Buffer.concat(got).toString()).toBe("between new");
  });

  it("a ZMTP peer that dials shows exactly the 3.1 greeting, in its two steps, READY and its frames (M7)", async () => {
    const stream = managed(new Stream());
    const dealer = managed(new Dealer({ routingId: "me" }));
    dealer.connect(await stream.bind("tcp://127.0.0.1:*"));
    const [id] = await next(stream);
    // The rest follows when the peer has said which version it speaks (A5).
    expect((await collect(stream, 11)).equals(greeting().subarray(0, 11))).toBe(true);
    await stream.send([id, greeting().subarray(0, 11)]);
    expect((await collect(stream, 53)).equals(greeting().subarray(11))).toBe(true);
    await stream.send([id, Buffer.concat([greeting().subarray(11), ready("ROUTER", [["Identity", ""]])])]);
    const identity = ready("DEALER", [["Identity", "me"]]);
    expect((await collect(stream, identity.length)).equals(identity)).toBe(true);
    await stream.send([id, message("from", "STREAM")]);
    expect((await dealer.receive({ timeout: 20_000 })).map(String)).toEqual(["from", "STREAM"]);
    await dealer.send(["a", "", "b"]);
    const frames = message("a", "", "b");
    expect((await collect(stream, frames.length)).equals(frames)).toBe(true);
  });

  it("handshakeInterval and heartbeats do nothing (M8)", async () => {
    const { stream, peer, id } = await accepted({
      handshakeInterval: 20,
      heartbeatInterval: 10,
      heartbeatTimeout: 10,
      heartbeatTimeToLive: 100,
    });
    // A ROUTER with the same options shows that time enough has passed: it gives up a silent peer.
    const router = managed(new Router({ handshakeInterval: 60 }));
    await (await rawDial(await router.bind("tcp://127.0.0.1:*"))).closed();
    expect([peer.buffered, peer.ended]).toEqual([0, false]);
    await stream.send([id, "x"]);
    expect((await peer.read(1)).toString()).toBe("x");
  });
});
