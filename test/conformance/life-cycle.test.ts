/**
 * Section S: closing and linger, unbind and disconnect. Redialling has a file of its own.
 */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Dealer, Pull, Push, Subscriber } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawDial,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { pushToNobody, pushToRaw } from "../support/pairs.js";
import { message } from "../support/raw-peer.js";

describe("closing", () => {
  it.each(TRANSPORTS)(
    "over $name a closed socket that lingers sends its data when the peer appears (S9, S10)",
    async ({ name, absent }) => {
      const endpoint = await absent();
      const push = managed(new Push({ linger: -1, reconnectInterval: 10 }));
      push.connect(endpoint);
      for (let i = 0; i < 100; i++) await push.send(`${i}`);
      const closing = push.close();
      expect(push.closed).toBe(true);
      // An inproc queue needs nobody to carry it: close has nothing to wait for, and it arrives all the same (R23).
      if (name !== "inproc") expect(await settled(closing)).toBe(false);
      const pull = managed(new Pull());
      await pull.bind(endpoint);
      for (let i = 0; i < 100; i++) expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
      await within(closing, "close");
    },
  );

  it("with immediate a close that lingers ends when the connection is lost: nothing is left to flush (S8, S9)", async () => {
    const { listener, push, peer } = await pushToRaw({ immediate: true, linger: -1, reconnectInterval: 10 });
    peer.pause();
    for (let i = 0; i < 40; i++) push.trySend(Buffer.alloc(1_000_000));
    const closing = push.close();
    expect(await settled(closing)).toBe(false);
    peer.close();
    await within(closing, "close");
    expect(listener.accepted).toBe(1);
  });

  it("linger 0 drops at once what is unsent (S9)", async () => {
    const { push } = await pushToNobody({ reconnectInterval: 10 });
    await push.send("gone");
    await within(push.close({ linger: 0 }), "close"); // by default it would linger for longer
  });

  it("linger n waits for n ms and then drops (S9)", async () => {
    const { push } = await pushToNobody({ linger: 700, reconnectInterval: 10 });
    await push.send("gone");
    const timers = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => timers.mockRestore());
    const closing = push.close();
    // Not by the clock: see S1.
    expect(timers.mock.calls.map(([, milliseconds]) => milliseconds)).toContain(700);
    expect(await settled(closing)).toBe(false);
    await within(closing, "close");
  });

  it("with nothing unsent close does not linger (S9)", async () => {
    const push = managed(new Push({ linger: -1 }));
    const pull = managed(new Pull());
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await push.send("x");
    await pull.receive({ timeout: 20_000 });
    await within(push.close(), "close");
  });

  it("a large backlog at a slow peer is flushed whole before close resolves (S9)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 0, linger: 20_000 }));
    const pull = managed(new Pull({ receiveHighWaterMark: 5 }));
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    const body = Buffer.alloc(500_000, 9);
    for (let i = 0; i < 100; i++) await push.send([`${i}`, body]);
    const closing = push.close();
    for (let i = 0; i < 100; i++) {
      const parts = await pull.receive({ timeout: 20_000 });
      expect([parts[0].toString(), parts[1].length]).toEqual([`${i}`, body.length]);
    }
    await within(closing, "close");
  });

  it("close rejects the sends that still wait for room, and they are not sent", async () => {
    const push = managed(new Push());
    await push.bind("tcp://127.0.0.1:*");
    const sends = [push.send("a"), push.send("b")];
    const closing = push.close();
    for (const send of sends) await expect(send).rejects.toMatchObject({ code: "EBADF" });
    await closing;
    expect(push.close()).toBe(closing);
  });

  it.each(TRANSPORTS)(
    "close() inside a listener of close gives the same promise, and the end is told once (over $name)",
    async ({ endpoint }) => {
      const pull = managed(new Pull());
      const events = record(pull);
      await pull.bind(endpoint());
      let inner: Promise<void> | undefined;
      pull.on("close", () => {
        inner = pull.close();
      });
      const closing = pull.close();
      await closing;
      expect(inner).toBe(closing);
      await turns(5);
      expect(events.of("end")).toHaveLength(1);
    },
  );

  it.each(TRANSPORTS)(
    "a bind() that close() overtook tells nothing after the end (over $name)",
    async ({ endpoint }) => {
      const pull = managed(new Pull());
      const events = record(pull);
      const binding = expect(pull.bind(endpoint())).rejects.toMatchObject({ code: "EBADF" });
      await pull.close();
      await binding;
      await turns(5);
      expect(events.names.at(-1)).toBe("end");
    },
  );

  it("await using closes the socket", async () => {
    let seen: Push | undefined;
    {
      await using push = new Push();
      await push.bind("tcp://127.0.0.1:*");
      seen = push;
    }
    expect(seen.closed).toBe(true);
  });

  it("the default linger is finite, and 0 for SUB", () => {
    expect(managed(new Push()).linger).toBeGreaterThan(0);
    expect(managed(new Push()).linger).toBeLessThan(10 * 60_000);
    expect(managed(new Subscriber()).linger).toBe(0);
  });
});

describe("unbind and disconnect", () => {
  it.each(TRANSPORTS)(
    "over $name unbind closes the listener and every connection that it accepted (S12)",
    async ({ name, endpoint }) => {
      const pull = managed(new Pull());
      const events = record(pull);
      const kept = await pull.bind(endpoint());
      const gone = await pull.bind(endpoint());
      const [left, right] = [managed(new Push({ linger: 0 })), managed(new Push({ linger: 0 }))];
      left.connect(kept);
      right.connect(gone);
      await pull.connected({ count: 2, timeout: 20_000 });
      await pull.unbind(gone);
      await until(() => pull.peers.length === 1 && right.peers.length === 0, "the connection is closed");
      if (name !== "inproc") await events.next("close");
      await left.send("still");
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["still"]);
      await expect(pull.unbind(gone)).rejects.toMatchObject({ code: "ENOENT", address: gone });
    },
  );

  it("a wildcard is unbound by its resolved name only (S12)", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    await expect(pull.unbind("tcp://127.0.0.1:*")).rejects.toMatchObject({ code: "ENOENT" });
    await pull.unbind(endpoint);
    await expect(rawDial(endpoint)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it.each(["localhost", "127.1", "*"])(
    "unbind takes the words of bind, as for host %s (S12)",
    async (host) => {
      const probe = managed(new Pull());
      const port = (await probe.bind("tcp://127.0.0.1:*")).split(":")[2];
      await probe.close();
      const pull = managed(new Pull());
      const endpoint = await pull.bind(`tcp://${host}:${port}`);
      expect(endpoint).not.toBe(`tcp://${host}:${port}`);
      await pull.unbind(`tcp://${host}:${port}`);
      await expect(rawDial(`tcp://127.0.0.1:${port}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      await expect(pull.unbind(`tcp://${host}:${port}`)).rejects.toMatchObject({ code: "ENOENT" });
      // By its own name it goes too, and its words mean nothing then.
      await pull.bind(`tcp://${host}:${port}`);
      await pull.unbind(endpoint);
      await expect(pull.unbind(`tcp://${host}:${port}`)).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  it("disconnect ends redialling, and an unknown endpoint gives ENOENT (S13)", async () => {
    const { listener, push, events, peer } = await pushToRaw({ reconnectInterval: 10 });
    push.disconnect(listener.endpoint);
    await peer.closed();
    await turns(50);
    expect(listener.accepted).toBe(1);
    expect(events.of("connect:retry")).toHaveLength(0);
    expect(push.peers).toHaveLength(0);
    expect(() => push.disconnect(listener.endpoint)).toThrow(
      expect.objectContaining({ code: "ENOENT", address: listener.endpoint }),
    );
  });

  it("disconnect while nobody is there ends the attempts (S13)", async () => {
    const { endpoint, push, events } = await pushToNobody({ reconnectInterval: 5, linger: 0 });
    await events.next("connect:retry", 2);
    push.disconnect(endpoint);
    const listener = await rawListen(endpoint);
    const before = events.events.length;
    // Another socket with the same interval finds the listener: had ours still dialled, it would have, too.
    const other = managed(new Push({ reconnectInterval: 5 }));
    other.connect(endpoint);
    await (await listener.accept()).handshake({ type: "PULL" });
    await turns(50);
    expect(listener.accepted).toBe(1);
    expect(events.events.slice(before).filter((event) => event.type.startsWith("connect"))).toEqual([]);
  });

  it("unread input of a disconnected endpoint is lost (S13)", async () => {
    const listener = await rawListen();
    const pull = managed(new Pull());
    pull.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PUSH" });
    peer.write(message("unread"), message("too"));
    await peer.barrier();
    expect(pull.stats.receiveQueue).toBe(2);
    pull.disconnect(listener.endpoint);
    expect(pull.tryReceive()).toBeUndefined();
    expect(pull.stats.receiveQueue).toBe(0);
  });

  it("unsent output of a disconnected endpoint follows linger (S13)", async () => {
    const { endpoint, push } = await pushToNobody({ reconnectInterval: 10, linger: 30_000 });
    await push.send("unsent");
    push.disconnect(endpoint);
    expect(push.trySend("nobody")).toBe(false);
    const listener = await rawListen(endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    expect(texts(await peer.readMessage())).toEqual(["unsent"]);
    await peer.closed();
  });

  /** A Push, disconnected, that has much left to send to a peer that does not read. */
  async function leaving(linger: number) {
    const { listener, push, events, peer } = await pushToRaw({ linger, sendHighWaterMark: 0 });
    peer.pause();
    for (let i = 0; i < 40; i++) expect(push.trySend(Buffer.alloc(1_000_000))).toBe(true);
    push.disconnect(listener.endpoint);
    return { push, events, peer };
  }

  it("close() waits for what disconnect() has left unsent (S13)", async () => {
    const { push, events, peer } = await leaving(30_000);
    const closing = push.close();
    expect(await settled(closing)).toBe(false);
    peer.resume();
    await within(closing, "close");
    expect((await peer.readToEnd()).length).toBeGreaterThan(40_000_000);
    expect(events.names.at(-1)).toBe("end");
  });

  it("close() with a shorter linger cuts that of disconnect() short (S13)", async () => {
    const { push, events, peer } = await leaving(-1);
    await within(push.close({ linger: 0 }), "close");
    expect(events.names.slice(-2)).toEqual(["close", "end"]);
    peer.resume();
    expect((await peer.readToEnd()).length).toBeLessThan(40_000_000);
  });

  it("close() waits for what unbind() has left unsent (S13)", async () => {
    const push = managed(new Push({ linger: 30_000, sendHighWaterMark: 0 }));
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const peer = await rawConnected(endpoint, { type: "PULL" });
    await push.connected({ timeout: 20_000 });
    peer.pause();
    for (let i = 0; i < 40; i++) expect(push.trySend(Buffer.alloc(1_000_000))).toBe(true);
    void push.unbind(endpoint);
    const closing = push.close();
    expect(await settled(closing)).toBe(false);
    peer.resume();
    await within(closing, "close");
    expect((await peer.readToEnd()).length).toBeGreaterThan(40_000_000);
  });

  it("what comes from a disconnected peer while output lingers is lost too (S13)", async () => {
    const listener = await rawListen();
    const dealer = managed(new Dealer({ linger: 30_000, sendHighWaterMark: 0 }));
    const events = record(dealer);
    dealer.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "ROUTER" });
    await dealer.connected({ timeout: 20_000 });
    peer.pause();
    for (let i = 0; i < 40; i++) dealer.trySend(Buffer.alloc(1_000_000));
    dealer.disconnect(listener.endpoint);
    peer.write(message("late"));
    await turns(50);
    peer.resume();
    await events.next("close");
    expect(dealer.tryReceive()).toBeUndefined();
  });

  it("lastEndpoint is the newest bind's or connect's (S15)", async () => {
    const pull = managed(new Pull());
    expect(pull.lastEndpoint).toBeNull();
    const one = await pull.bind("tcp://127.0.0.1:*");
    expect(pull.lastEndpoint).toBe(one);
    pull.connect("inproc://s15");
    expect(pull.lastEndpoint).toBe("inproc://s15");
    const two = await pull.bind("ipc://*");
    expect(pull.lastEndpoint).toBe(two);
  });

  it("a peer that comes and goes a hundred times leaves nothing behind", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 100; i++) {
      const peer = await rawConnected(endpoint, { type: "PUSH" });
      peer.write(message(`${i}`));
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
      peer.close();
    }
    await until(() => pull.peers.length === 0, "all are gone");
    expect(pull.stats.peers).toBe(0);
  });
});
