/**
 * Section R, inproc: names of a context, connect before bind, and messages by reference within one thread.
 */
import { describe, expect, it } from "vitest";
import { Context, Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import { managed, record, texts, turns, within } from "../support/helpers.js";

let names = 0;
const fresh = () => `inproc://inproc-test-${names++}`;

describe("inproc", () => {
  it("a connector that is turned away by a listener of handshake is told of a handshake before its end", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const events = record(push);
    push.connect(await pull.bind(fresh()));
    pull.on("handshake", () => void pull.close());
    const other = fresh();
    await pull.bind(other);
    push.connect(other);
    await turns(5);
    expect(events.names.filter((name) => name === "handshake")).toHaveLength(2);
    expect(events.names.filter((name) => name === "disconnect")).toHaveLength(2);
    expect(push.peers).toHaveLength(0);
  });

  it("a closed connector whose name is bound by a type that does not fit lingers no longer (R23)", async () => {
    const name = fresh();
    const push = managed(new Push({ linger: -1 }));
    push.connect(name);
    await push.send("to nobody");
    const closing = push.close();
    await managed(new Reply()).bind(name);
    await within(closing, "close");
  });

  it("a Request that is closed by a listener of the disconnect that its time-out brings stays closed", async () => {
    const [reply, request] = [managed(new Reply()), managed(new Request())];
    request.connect(await reply.bind(fresh()));
    request.on("disconnect", () => void request.close());
    await expect(request.request("x", { timeout: 20 })).rejects.toMatchObject({ code: "EAGAIN" });
    await turns(20);
    expect([reply.peers.length, request.peers.length]).toEqual([0, 0]);
  });

  it("a connector may come before the binder, and what it sent arrives (R20)", async () => {
    const name = fresh();
    const push = managed(new Push());
    push.connect(name);
    for (let i = 0; i < 50; i++) await push.send([`${i}`, "tail"], { timeout: 100 });
    const pull = managed(new Pull());
    expect(await pull.bind(name)).toBe(name);
    for (let i = 0; i < 50; i++)
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`, "tail"]);
  });

  it("before the bind, the connector's sendHighWaterMark holds (R20)", () => {
    const push = managed(new Push({ sendHighWaterMark: 7 }));
    push.connect(fresh());
    let taken = 0;
    while (push.trySend("x")) taken++;
    expect(taken).toBe(7);
  });

  it.each([
    ["sendHighWaterMark", { sendHighWaterMark: 2 }],
    ["sendHighWaterMarkBytes", { sendHighWaterMarkBytes: 300 }],
    ["maxQueuedBytes", { maxQueuedBytes: 300 }],
  ])(
    "sends that wait for room when the name is bound stay behind what was queued before: %s",
    async (name, options) => {
      const push = managed(new Push(options));
      const pull = managed(new Pull());
      const endpoint = `inproc://order-${name}`;
      push.connect(endpoint);
      const sends = Array.from({ length: 20 }, (_, n) =>
        push.send(`${n}`.padEnd(name === "maxQueuedBytes" ? 80_000 : 3)),
      );
      expect(push.stats.sendQueue).toBeGreaterThan(0);
      await pull.bind(endpoint);
      for (let n = 0; n < 20; n++) {
        const [part] = await within(pull.receive(), `message ${n}`);
        expect(String(part).trim()).toBe(`${n}`);
      }
      await Promise.all(sends);
    },
  );

  it("messages of a connector that is disconnected before the bind count against maxQueuedBytes no more", async () => {
    const push = managed(new Push({ linger: 0, maxQueuedBytes: 1_000_000 }));
    for (let i = 0; i < 5; i++) {
      const name = fresh();
      push.connect(name);
      for (let j = 0; j < 50; j++) await push.send(Buffer.alloc(10_000), { timeout: 0 });
      push.disconnect(name);
      await turns(1);
      expect(push.stats.unsentBytes).toBe(0);
    }
  });

  it("a sender that conflates leaves one message in the queue of a receiver that does not (G14)", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push({ conflate: true }))];
    push.connect(await pull.bind(fresh()));
    await push.connected();
    for (let i = 0; i <= 5000; i++) expect(push.trySend(`${i}`)).toBe(true);
    expect(pull.stats.receiveQueue).toBe(1);
    expect(pull.stats.conflated).toBe(5000);
    expect(texts(await pull.receive())).toEqual(["5000"]);
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("several connectors wait for one binder (R20)", async () => {
    const name = fresh();
    const pushes = [0, 1, 2].map(() => managed(new Push()));
    for (const push of pushes) push.connect(name);
    for (const [i, push] of pushes.entries()) await push.send(`${i}`);
    const pull = managed(new Pull());
    await pull.bind(name);
    const got = [];
    for (let i = 0; i < 3; i++) got.push(...texts(await pull.receive({ timeout: 20_000 })));
    expect(got.sort()).toEqual(["0", "1", "2"]);
  });

  it("what a PUB sent before the bind is gone: there was no subscription (R20)", async () => {
    const name = fresh();
    const publisher = managed(new Publisher());
    publisher.connect(name);
    await publisher.send("early");
    const subscriber = managed(new Subscriber());
    subscriber.subscribe();
    await subscriber.bind(name);
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("late");
    expect(texts(await subscriber.receive({ timeout: 20_000 }))).toEqual(["late"]);
  });

  it("a second bind of a name gives EADDRINUSE; unbind and close free it (R21)", async () => {
    const name = fresh();
    const first = managed(new Pull());
    await first.bind(name);
    await expect(managed(new Pull()).bind(name)).rejects.toMatchObject({ code: "EADDRINUSE", address: name });
    await first.unbind(name);
    const second = managed(new Pull());
    await second.bind(name);
    await second.close();
    await managed(new Pull()).bind(name);
  });

  it("names are per context (R21)", async () => {
    const name = fresh();
    const [one, two] = [new Context(), new Context()];
    const pulls = [
      managed(new Pull({ context: one } as object)),
      managed(new Pull({ context: two } as object)),
    ];
    for (const pull of pulls) await pull.bind(name);
    const push = managed(new Push({ context: two } as object));
    push.connect(name);
    await push.send("x");
    expect(texts(await pulls[1].receive({ timeout: 20_000 }))).toEqual(["x"]);
    expect(pulls[0].tryReceive()).toBeUndefined();
    expect(pulls[1].context).toBe(two);
  });

  it("the connector's identity and socket type reach the binder (R22)", async () => {
    const reply = managed(new Reply());
    const request = managed(new Request({ routingId: "name" }));
    request.connect(await reply.bind(fresh()));
    await reply.connected({ timeout: 20_000 });
    expect([reply.peers[0].socketType, reply.peers[0].routingId.toString()]).toEqual(["REQ", "name"]);
  });

  it("after the binder has closed there is no reconnect (R22)", async () => {
    const name = fresh();
    const push = managed(new Push());
    const events = record(push);
    push.connect(name);
    const first = managed(new Pull());
    await first.bind(name);
    await push.connected({ timeout: 20_000 });
    await first.close();
    await events.next("disconnect");
    const second = managed(new Pull());
    await second.bind(name);
    await turns(20);
    expect(push.peers).toHaveLength(0);
    expect(second.peers).toHaveLength(0);
    // The name may be connected again.
    push.connect(name);
    await push.connected({ timeout: 20_000 });
  });

  it("a connector that closes before any bind still delivers what it had queued (R23)", async () => {
    const name = fresh();
    const push = managed(new Push({ linger: 30_000 }));
    push.connect(name);
    await push.send("left behind");
    const closing = push.close();
    const pull = managed(new Pull());
    await pull.bind(name);
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["left behind"]);
    await closing;
  });

  it("incompatible types do not join (C8)", async () => {
    const name = fresh();
    const pull = managed(new Pull());
    const events = record(pull);
    await pull.bind(name);
    const publisher = managed(new Publisher());
    publisher.connect(name);
    await turns(20);
    expect(pull.peers).toHaveLength(0);
    expect(publisher.peers).toHaveLength(0);
    await events.next("handshake:error:protocol");
  });

  it("messages pass by reference: the receiver sees the sender's memory", async () => {
    const pull = managed(new Pull());
    const push = managed(new Push());
    push.connect(await pull.bind(fresh()));
    const body = Buffer.from("shared");
    await push.send(body);
    const [got] = await pull.receive({ timeout: 20_000 });
    expect(got.buffer).toBe(body.buffer);
    expect(Buffer.isBuffer(got)).toBe(true);
  });

  it("disconnect parts the two, and messages already passed stay readable at the binder (S13)", async () => {
    const name = fresh();
    const pull = managed(new Pull());
    const push = managed(new Push());
    const events = record(pull);
    await pull.bind(name);
    push.connect(name);
    await push.connected({ timeout: 20_000 });
    await push.send("x");
    push.disconnect(name);
    await events.next("disconnect");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
    expect(push.trySend("y")).toBe(false);
    expect(() => push.disconnect(name)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });
});
