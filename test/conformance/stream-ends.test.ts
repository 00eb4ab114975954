/**
 * Section M: how connections of a STREAM end (M4), and what becomes of unsent octets then.
 */
import { connect as netConnect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Stream } from "../../src/index.js";
import { freePort, managed, rawDial, record, settled, turns, until, within } from "../support/helpers.js";
import { accepted, next, plainServer } from "../support/stream-peers.js";

describe("STREAM", () => {
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
