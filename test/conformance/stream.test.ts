/**
 * Section M (M9 is not built): STREAM and connections without framing. Peers are plain net sockets, the raw peer, and
 * zwire sockets whose bytes are looked at.
 */
import { createServer, type Socket as NetSocket, connect as netConnect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer, Router, Stream } from "../../src/index.js";
import {
  freePort,
  managed,
  rawDial,
  record,
  settled,
  TRANSPORTS,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { greeting, message, type RawPeer, ready } from "../support/raw-peer.js";

const STREAMS = TRANSPORTS.filter(({ name }) => name !== "inproc");

/** The next message: the connection's name and the bytes. */
async function next(stream: Stream): Promise<[id: Buffer, data: Buffer]> {
  const parts = await stream.receive({ timeout: 20_000 });
  expect(parts).toHaveLength(2);
  return parts as [Buffer, Buffer];
}

/** Bytes of one connection, until there are n. */
async function collect(stream: Stream, n: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let length = 0; length < n; ) {
    const [, data] = await next(stream);
    chunks.push(data);
    length += data.length;
  }
  return Buffer.concat(chunks);
}

/** A bound STREAM and a plain peer; `id` is the peer's name. */
async function accepted(
  options = {},
): Promise<{ stream: Stream; endpoint: string; peer: RawPeer; id: Buffer }> {
  const stream = managed(new Stream(options));
  const endpoint = await stream.bind("tcp://127.0.0.1:*");
  const peer = await rawDial(endpoint);
  const [id, data] = await next(stream);
  expect(data).toHaveLength(0);
  return { stream, endpoint, peer, id };
}

/** A plain tcp server that counts what it gets. */
async function plainServer(endpoint: string, onSocket: (socket: NetSocket) => void = () => {}) {
  const sockets: NetSocket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    onSocket(socket);
  });
  const [, host, port] = /^tcp:\/\/(.*):(\d+)$/.exec(endpoint) as unknown as [string, string, string];
  await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  onTestFinished(close);
  return { sockets, close };
}

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

  it("[id, empty] closes that connection and no other (M4)", async () => {
    const { stream, endpoint, peer, id } = await accepted();
    const other = await rawDial(endpoint);
    const [otherId] = await next(stream);
    await stream.send([id, ""]);
    await peer.closed();
    await stream.send([otherId, "still here"]);
    expect((await other.read(10)).toString()).toBe("still here");
    expect(stream.tryReceive()).toBeUndefined(); // as libzmq: who closes is not told
    await expect(stream.send([id, ""])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("what the kernel takes at once is sent before the close, in one turn: a reply and its end (M4)", async () => {
    const { stream, peer, id } = await accepted();
    for (const part of ["head ", "body ", "tail"]) void stream.send([id, part]);
    void stream.send([id, ""]);
    expect((await peer.readToEnd()).toString()).toBe("head body tail");
  });

  it("unsent data of a peer that does not read is dropped by the close (M4)", async () => {
    const { stream, peer, id } = await accepted({ sendHighWaterMark: 0 });
    peer.pause();
    for (let i = 0; i < 64; i++) await stream.send([id, Buffer.alloc(1 << 20)]);
    expect(stream.stats.outboundQueue).toBeGreaterThan(0);
    await stream.send([id, ""]);
    expect(stream.stats.outboundQueue).toBe(0);
    peer.resume();
    expect((await peer.readToEnd()).length).toBeLessThan(64 << 20);
  });

  it("a dialled connection that is closed is not dialled again (M4)", async () => {
    const endpoint = await freePort();
    const server = await plainServer(endpoint);
    const stream = managed(new Stream({ reconnectInterval: 10 }));
    const events = record(stream);
    stream.connect(endpoint);
    const [id] = await next(stream);
    await stream.send([id, ""]);
    await events.next("close");
    await turns(50);
    expect([server.sockets.length, events.of("connect:retry").length]).toEqual([1, 0]);
    expect(() => stream.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("a connection may be closed by the listener that is told of it (M4)", async () => {
    const stream = managed(new Stream());
    const seen: number[] = [];
    stream.on("message", ([id, data]) => {
      seen.push(data.length);
      if (seen.length === 1) void stream.send([id, ""]);
    });
    const endpoint = await stream.bind("tcp://127.0.0.1:*");
    await turns(5); // from now on the listener is called as soon as there is something
    const peer = await rawDial(endpoint);
    await peer.closed();
    expect(seen).toEqual([0]);
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

  it("a connection that is closed by the listener who is told of it leaves no peer behind (M4)", async () => {
    const stream = managed(new Stream());
    const events = record(stream);
    const endpoint = await stream.bind("tcp://127.0.0.1:*");
    let told = 0;
    stream.on("message", ([id, data]) => {
      told++;
      if (data.length === 0) void stream.send([id, ""]);
    });
    await turns(5);
    const peer = await rawDial(endpoint);
    await peer.closed();
    await events.next("disconnect");
    expect([stream.peers.length, stream.stats.peers, told]).toEqual([0, 0, 1]);
    expect(events.names.filter((name) => name === "handshake" || name === "disconnect")).toEqual([
      "handshake",
      "disconnect",
    ]);
  });

  it("a connection that is closed by a listener of handshake is not told as a message (M4)", async () => {
    const stream = managed(new Stream());
    const events = record(stream);
    const endpoint = await stream.bind("tcp://127.0.0.1:*");
    stream.on("handshake", () => void stream.unbind(endpoint));
    const peer = await rawDial(endpoint);
    await peer.closed();
    await events.next("close");
    expect(stream.peers).toHaveLength(0);
  });

  it("a close that waited in line behind a full peer's sends does not lose those behind it (M4)", async () => {
    const { stream, endpoint, peer, id } = await accepted({ sendHighWaterMark: 2 });
    const gone = await rawDial(endpoint);
    const [second] = await next(stream);
    peer.pause();
    for (let refused = 0; refused < 50; refused++) {
      if (stream.trySend([id, Buffer.alloc(1_000_000)])) refused = 0;
      await turns(1);
    }
    const sends = [
      [id, "a"],
      [second, ""],
      [id, "b"],
      [id, "c"],
    ].map((parts) =>
      stream.send(parts).then(
        () => "sent",
        (error) => error.code,
      ),
    );
    peer.resume();
    expect(await within(Promise.all(sends), "all are sent")).toEqual(["sent", "sent", "sent", "sent"]);
    expect(stream.stats.sendQueue).toBe(0);
    await gone.closed();
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

  it("a STREAM that closes sends what is unsent within its linger, on every connection (S9)", async () => {
    const { stream, endpoint, peer, id } = await accepted({ linger: 20_000, sendHighWaterMark: 0 });
    const dialling = netConnect({ host: "127.0.0.1", port: Number(endpoint.split(":").pop()) });
    let got = 0;
    dialling.on("data", (chunk) => (got += chunk.length));
    onTestFinished(() => void dialling.destroy());
    const [second] = await next(stream);
    for (const name of [id, second]) await stream.send([name, Buffer.alloc(20 << 20)]);
    await within(stream.close(), "close", 15_000);
    expect((await peer.readToEnd()).length).toBe(20 << 20);
    await until(() => got === 20 << 20, "the other has all too");
  });

  it("a disconnected endpoint whose peer appears while it lingers sends the rest, and tells nothing (S13)", async () => {
    const endpoint = await freePort();
    const stream = managed(new Stream({ linger: 30_000, reconnectInterval: 10 }));
    stream.connect(endpoint, { routingId: "a" });
    await stream.send(["a", "unsent"]);
    stream.disconnect(endpoint);
    let got = "";
    const server = await plainServer(endpoint, (socket) => {
      socket.on("data", (chunk) => (got += chunk));
    });
    await until(() => got === "unsent", "the rest");
    await until(() => server.sockets[0].readableEnded || server.sockets[0].destroyed, "the end");
    await turns(20);
    expect(stream.tryReceive()).toBeUndefined();
    await expect(stream.send(["a", "nobody"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("a disconnected endpoint whose connection ends while it lingers leaves nothing behind (S13)", async () => {
    const endpoint = await freePort();
    const server = await plainServer(endpoint, (socket) => socket.pause());
    const stream = managed(new Stream({ linger: -1, sendHighWaterMark: 0, reconnectInterval: 10 }));
    const events = record(stream);
    stream.connect(endpoint, { routingId: "a" });
    await next(stream);
    for (let i = 0; i < 64; i++) await stream.send(["a", Buffer.alloc(1 << 20)]);
    stream.disconnect(endpoint);
    server.sockets[0].destroy();
    await events.next("disconnect");
    await turns(20);
    await expect(stream.send(["a", "nobody"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    stream.connect(endpoint, { routingId: "a" });
  });

  it("a STREAM that lingers over a dialled connection ends with it (S9)", async () => {
    const endpoint = await freePort();
    const server = await plainServer(endpoint, (socket) => socket.pause());
    const stream = managed(new Stream({ linger: -1, sendHighWaterMark: 0, reconnectInterval: 10 }));
    stream.connect(endpoint);
    const [id] = await next(stream);
    for (let i = 0; i < 64; i++) await stream.send([id, Buffer.alloc(1 << 20)]);
    const closing = stream.close();
    expect(await settled(closing)).toBe(false);
    server.sockets[0].destroy();
    await within(closing, "close");
    expect(server.sockets).toHaveLength(1);
  });
});
