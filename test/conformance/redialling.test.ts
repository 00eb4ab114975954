/** Dialling again: when, how often, and what becomes of what waits. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, rawDial, rawListen, record, texts, turns, until, within } from "../support/helpers.js";
import { pushToNobody, pushToRaw } from "../support/pairs.js";

describe("redialling", () => {
  it("the wait is the interval plus a random part below it (S1)", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => timers.mockRestore());
    const { events } = await pushToNobody({ reconnectInterval: 20 });
    await events.next("connect:retry", 12);
    const intervals = events.of("connect:retry").map((event) => event.interval!);
    for (const interval of intervals) {
      expect(interval).toBeGreaterThanOrEqual(20);
      expect(interval).toBeLessThan(40);
    }
    expect(new Set(intervals).size).toBeGreaterThan(1);
    // Not by the clock: a timer of Node counts from the beginning of its turn, and fires early by the turn's length.
    const waits = timers.mock.calls.map(([, milliseconds]) => milliseconds);
    for (const interval of intervals) expect(waits).toContain(interval);
  });

  it("with a maximum the wait doubles up to it, without jitter (S2)", async () => {
    const { events } = await pushToNobody({ reconnectInterval: 10, reconnectMaxInterval: 60 });
    await events.next("connect:retry", 6);
    expect(
      events
        .of("connect:retry")
        .map((event) => event.interval)
        .slice(0, 6),
    ).toEqual([10, 20, 40, 60, 60, 60]);
  });

  it("after a success the wait begins again at the interval (S3)", async () => {
    const { endpoint, events } = await pushToNobody({ reconnectInterval: 10, reconnectMaxInterval: 80 });
    await events.next("connect:retry", 4);
    const listener = await rawListen(endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    await events.next("handshake");
    const before = events.of("connect:retry").length;
    peer.close();
    expect((await events.next("connect:retry", before + 1)).interval).toBe(10);
  });

  it("reconnectStop 1 gives up an endpoint that refuses, and no other number does", async () => {
    const { endpoint, push, events } = await pushToNobody({ reconnectInterval: 10, reconnectStop: 1 });
    await events.next("close");
    expect(events.of("connect:retry")).toEqual([]);
    expect(() => push.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
    const other = managed(new Push({ reconnectInterval: 10, reconnectStop: 6 }));
    const told = record(other);
    other.connect(endpoint);
    await told.next("connect:retry", 3);
    other.disconnect(endpoint);
  });

  it.each(["closed", "garbage"])("reconnectStop 2 gives up where a handshake fails (%s)", async (how) => {
    const listener = await rawListen();
    const push = managed(new Push({ reconnectInterval: 10, reconnectStop: 2 }));
    const events = record(push);
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    if (how === "garbage") peer.write(Buffer.alloc(64, 1));
    else peer.close();
    await events.next("close");
    expect(events.of("connect:retry")).toEqual([]);
  });

  it("reconnectStop 2 dials again after a connection that was established", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ reconnectInterval: 10, reconnectStop: 3 }));
    push.connect(listener.endpoint);
    for (let i = 0; i < 2; i++) {
      const peer = await listener.accept();
      await peer.handshake({ type: "PULL" });
      await push.connected({ timeout: 20_000 });
      peer.close();
    }
  });

  it("reconnectStop 4 lets what lingers go once its endpoint is disconnected and refuses", async () => {
    const { endpoint, push, events } = await pushToNobody({
      reconnectInterval: 10,
      reconnectStop: 4,
      linger: -1,
    });
    await push.send("unsent");
    await events.next("connect:retry", 2);
    push.disconnect(endpoint);
    await events.next("close");
    await push.close();
  });

  it.each([-1, 0])(
    "with reconnectInterval %i a lost connection is not redialled and the endpoint is forgotten (S4)",
    async (reconnectInterval) => {
      const { listener, push, events, peer } = await pushToRaw({ reconnectInterval });
      peer.close();
      await events.next("disconnect");
      await events.next("close");
      expect(events.of("connect:retry")).toHaveLength(0);
      expect(() => push.disconnect(listener.endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
      push.connect(listener.endpoint);
      const again = await listener.accept();
      await again.handshake({ type: "PULL" });
      await push.send("x", { timeout: 20_000 });
      expect(texts(await again.readMessage())).toEqual(["x"]);
    },
  );

  it("a peer that does not finish its handshake is closed in time; 0 waits for ever (S7)", async () => {
    const pull = managed(new Pull({ handshakeInterval: 100 }));
    const patient = managed(new Pull({ handshakeInterval: 0 }));
    const calm = await rawDial(await patient.bind("tcp://127.0.0.1:*"));
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    await peer.closed();
    expect(calm.ended).toBe(false);
    await calm.handshake({ type: "PUSH" });
  });

  it("with immediate nothing is queued for an endpoint that is not connected (S8)", async () => {
    const { endpoint, push } = await pushToNobody({ immediate: true, reconnectInterval: 10 });
    expect(push.trySend("x")).toBe(false);
    await expect(push.send("x", { timeout: 20 })).rejects.toMatchObject({ code: "EAGAIN" });
    const waiting = push.send("kept");
    const listener = await rawListen(endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    await waiting;
    expect(texts(await peer.readMessage())).toEqual(["kept"]);
  });

  it("with immediate, what was queued on a link that breaks is discarded (S8)", async () => {
    const { listener, push, events, peer } = await pushToRaw({ immediate: true, reconnectInterval: 10 });
    peer.pause();
    while (push.trySend(Buffer.alloc(200_000)));
    peer.close();
    await events.next("disconnect");
    expect(push.stats.outboundQueue).toBe(0);
    const again = await listener.accept();
    await again.handshake({ type: "PULL" });
    await push.send("new", { timeout: 20_000 });
    expect(texts(await again.readMessage())).toEqual(["new"]);
  });

  it("with immediate, a socket that is closed by a listener of connect:delay does not dial (S8)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ immediate: true }));
    let closing: Promise<void> | undefined;
    push.on("connect:delay", () => {
      closing = push.close();
    });
    push.connect(listener.endpoint);
    await within(closing as Promise<void>, "close");
    await rawDial(listener.endpoint); // behind ours, if there is one
    await until(() => listener.accepted > 0, "the other connection");
    await turns(20);
    expect(listener.accepted).toBe(1);
  });

  it("the cause of a send that timed out is the last failure to connect", async () => {
    const { push, events } = await pushToNobody({ immediate: true, reconnectInterval: 10 });
    await events.next("connect:retry");
    const error = await push.send("x", { timeout: 50 }).catch((reason) => reason);
    expect(error.code).toBe("EAGAIN");
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });
});
