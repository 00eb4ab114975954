/** drain() and the connections of a socket: half-closed ones, peers that die or never end, new ones, and sends that wait for one. */
import { describe, expect, it } from "vitest";
import { Pull, Push, Router, Stream, ZmqError } from "../../src/index.js";
import { ALL, LONG, numbers, take } from "../support/draining.js";
import {
  freePort,
  managed,
  rawConnected,
  rawListen,
  settled,
  standing,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { pushToRaw } from "../support/pairs.js";
import { message } from "../support/raw-peer.js";

describe("connections", () => {
  it("are half-closed: a peer finds our end, and what it then still says arrives", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    peer.socket.allowHalfOpen = true;
    await pull.connected();
    const taken: string[] = [];
    const loop = take(pull, taken);
    const drained = pull.drain(LONG);
    await within(peer.readToEnd(), "our end");
    expect(await settled(drained)).toBe(false);
    peer.write(message("last words"));
    peer.socket.end();
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(["last words"]);
  });

  it("a peer that dies in the middle takes only what it had not sent with it", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 2 }));
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await pull.connected();
    for (const number of numbers(50)) peer.write(message(number));
    await until(() => pull.stats.receiveQueue > 0, "the first is there");
    const taken: string[] = [];
    const drained = pull.drain(LONG);
    peer.write(message("x").subarray(0, 1)); // a message that will not end
    await until(() => peer.socket.writableLength === 0, "it is on its way");
    const loop = take(pull, taken, { hold: 3 });
    peer.close();
    expect(await within(drained, "drain", 50_000)).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(numbers(50));
  });

  it("a peer that dies by a reset ends the wait, too", async () => {
    const { push, peer, listener } = await pushToRaw({ reconnectInterval: 10, linger: 0 });
    peer.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    const drained = push.drain(LONG);
    await listener.close(); // nobody is there any more
    peer.reset();
    const { unsent } = await within(drained, "drain");
    expect(unsent).toBeGreaterThan(0);
    expect(push.stats.droppedUnsent).toBe(unsent);
  });

  it("a peer that never ends, and never stops, ends with the time", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    peer.socket.allowHalfOpen = true;
    await pull.connected();
    const flood = setInterval(() => peer.socket.writableLength < 100_000 && peer.write(message("more")), 1);
    const taken: string[] = [];
    const loop = take(pull, taken);
    const { open, unsent } = await within(pull.drain({ timeout: 300 }), "drain");
    clearInterval(flood);
    expect({ open, unsent }).toEqual({ open: 1, unsent: 0 });
    await within(loop, "the loop");
  });

  it("a ROUTER that is never left alone stops reading, and answers what it has", async () => {
    const router = managed(new Router());
    const peer = await rawConnected(await router.bind("tcp://127.0.0.1:*"), { type: "DEALER" });
    await router.connected();
    const flood = setInterval(() => peer.socket.writableLength < 100_000 && peer.write(message("q")), 1);
    const loop = (async () => {
      for await (const [id, question] of router) await router.send([id, question]);
    })();
    await until(() => router.stats.messagesSent > 10, "it answers");
    const { open, unsent } = await within(router.drain({ timeout: 2000 }), "drain");
    clearInterval(flood);
    expect({ open, unsent }).toEqual({ open: 0, unsent: 0 });
    await within(loop, "the loop");
  });

  it("a STREAM is half-closed as well", async () => {
    const stream = managed(new Stream({ notify: false }));
    const actual = await stream.bind("tcp://127.0.0.1:*");
    const { RawPeer } = await import("../support/raw-peer.js");
    const peer = await RawPeer.dial(actual);
    peer.socket.allowHalfOpen = true;
    await stream.connected();
    const chunks: string[] = [];
    const loop = (async () => {
      for await (const [, chunk] of stream) chunks.push(String(chunk));
    })();
    const drained = stream.drain(LONG);
    await within(peer.readToEnd(), "our end");
    peer.write(Buffer.from("last"));
    peer.socket.end();
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(loop, "the loop");
    expect(chunks.join("")).toContain("last");
    peer.close();
  });
});

describe("new peers", () => {
  it("bind() and connect() are refused, and what is bound is free", async () => {
    const pull = managed(new Pull());
    const other = managed(new Pull());
    const actual = await pull.bind("tcp://127.0.0.1:*");
    let finish = (): void => {};
    const peer = await rawConnected(actual, { type: "PUSH" });
    peer.socket.allowHalfOpen = true;
    await pull.connected();
    const drained = pull.drain(LONG);
    await within(peer.readToEnd(), "our end");
    await expect(pull.bind("tcp://127.0.0.1:*")).rejects.toMatchObject({ code: "EBADF" });
    expect(() => pull.connect(actual)).toThrow(/EBADF|drained/);
    expect(() => pull.connect(actual)).toThrow(ZmqError);
    await other.bind(actual);
    finish = () => peer.close();
    finish();
    await within(drained, "drain");
  });

  it("a bind that is under way comes to nothing", async () => {
    const pull = managed(new Pull());
    const endpoint = await freePort();
    const bound = pull.bind(endpoint);
    const drained = pull.drain(LONG);
    await expect(bound).rejects.toMatchObject({ code: "EBADF" });
    expect(await within(drained, "drain")).toEqual(ALL);
    await managed(new Pull()).bind(endpoint);
  });

  it("while it is connecting it stops, also in the middle of a handshake", async () => {
    const listener = await rawListen();
    const pull = managed(new Pull());
    pull.connect(listener.endpoint);
    pull.connect(await freePort());
    const peer = await listener.accept();
    await peer.read(10); // half of the greeting
    expect(await within(pull.drain(LONG), "drain")).toEqual(ALL);
    await within(peer.closed(), "the handshake");
  });

  it("a peer that is in the middle of its handshake with us is turned away", async () => {
    const pull = managed(new Pull());
    const { rawDial } = await import("../support/helpers.js");
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    await peer.read(10); // half of the greeting
    expect(await within(pull.drain(LONG), "drain")).toEqual(ALL);
    await within(peer.closed(), "the handshake");
  });
});

describe("sends", () => {
  it("that wait, with nobody who could come, are rejected at once", async () => {
    const push = managed(new Push());
    await push.bind("tcp://127.0.0.1:*");
    const sends = [push.send("a"), push.send("b")];
    expect(await within(push.drain({ timeout: -1 }), "drain")).toEqual(ALL);
    for (const sent of sends) await expect(sent).rejects.toMatchObject({ code: "EBADF" });
  });

  it("what waits for a peer that is not there is sent when it comes, as with linger", async () => {
    const endpoint = await freePort();
    const push = managed(new Push({ reconnectInterval: 10 }));
    push.connect(endpoint);
    for (const number of numbers(10)) await push.send(number);
    const drained = push.drain(LONG);
    await turns(20);
    expect(await settled(drained)).toBe(false);
    const pull = managed(new Pull());
    await pull.bind(endpoint);
    for (const number of numbers(10)) expect(String(await pull.receive({ timeout: 20_000 }))).toBe(number);
    expect(await within(drained, "drain")).toEqual(ALL);
  });

  it.each([0, -1])(
    "a peer that disconnectPeer() lets linger has the time it was given, linger %d",
    async (linger) => {
      const pull = managed(new Pull({ receiveHighWaterMark: 5 }));
      const push = managed(new Push({ linger }));
      push.connect(await pull.bind("tcp://127.0.0.1:*"));
      await push.connected();
      for (let i = 0; i < 400; i++) await push.send(Buffer.alloc(50_000));
      expect(push.disconnectPeer(push.peerStats[0], { linger: 50_000 })).toBe(true);
      const drained = push.drain(LONG);
      await turns(20);
      expect(await settled(drained)).toBe(false);
      for (let i = 0; i < 400; i++) await within(pull.receive(), `message ${i}`);
      expect(await within(drained, "drain")).toEqual(ALL);
      expect(push.stats.droppedUnsent).toBe(0);
    },
  );

  it("no longer than linger says, and no longer than there is time", async () => {
    for (const [linger, timeout] of [
      [0, 60_000],
      [30, 60_000],
      [-1, 30],
    ]) {
      const push = managed(new Push({ reconnectInterval: 10, linger }));
      push.connect(await freePort());
      for (const number of numbers(7)) await push.send(number);
      expect(await within(push.drain({ timeout }), "drain")).toEqual({ unread: 0, unsent: 7, open: 0 });
      expect(push.stats.droppedUnsent).toBe(7);
    }
  });

  it("a peer that is there and does not read is waited for until the end of the time", async () => {
    const { push, peer } = await pushToRaw({ linger: 0 });
    peer.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    const unsent = await standing(() => push.stats.outboundQueue, "the kernel has its share");
    const refused = expect(push.send("never")).rejects.toMatchObject({ code: "EBADF" });
    const drained = await within(push.drain({ timeout: 100 }), "drain");
    expect(drained).toMatchObject({ unread: 0, unsent });
    await refused;
  });
});
