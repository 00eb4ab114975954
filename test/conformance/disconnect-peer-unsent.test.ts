/** disconnectPeer() and what has not gone out yet: with linger and without, sends that wait, connections that are being dialled. */
import { describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { managed, rawConnected, record, texts, turns, until } from "../support/helpers.js";
import { expectDropped, fillPush, LARGE, pairing, SOON, stuff } from "../support/router-pairing.js";

describe("what is unsent", () => {
  it("is dropped and counted", async () => {
    const { router } = await pairing();
    const waiting = await stuff(router);
    router.disconnectPeer("ann");
    expectDropped(router, waiting);
    expect(router.stats).toMatchObject({ outboundQueue: 0, unsentBytes: 0 });
  });

  it("but what the system takes at once goes out: a last word", async () => {
    const { router, dealer, theirs } = await pairing();
    for (const text of ["1", "2", "bye"]) router.trySend(["ann", text]);
    router.disconnectPeer("ann");
    await theirs.next("disconnect");
    expect(
      texts([
        ...(await dealer.receive(SOON)),
        ...(await dealer.receive(SOON)),
        ...(await dealer.receive(SOON)),
      ]),
    ).toEqual(["1", "2", "bye"]);
    expect(router.stats.droppedUnsent).toBe(0);
  });

  it.each([-1, 60_000])(
    "goes out first with a linger of %i, and nothing more is taken or read",
    async (linger) => {
      const { router, dealer, events } = await pairing("tcp://127.0.0.1:*", { mandatory: true });
      const waiting = await stuff(router);
      const { messagesSent } = router.stats;
      expect(router.disconnectPeer("ann", { linger })).toBe(true);
      expect(router.peers).toHaveLength(1); // still there
      await expect(router.send(["ann", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
      await dealer.send("late", SOON);
      let got = 0;
      while (got < messagesSent - 1) {
        await dealer.receive(SOON);
        got++;
      }
      expect(got).toBeGreaterThanOrEqual(waiting);
      expect(await events.next("disconnect")).toHaveProperty("reason", "disconnectPeer");
      expect(router.stats).toMatchObject({ droppedUnsent: 0, receiveQueue: 0 });
      expect(router.tryReceive()).toBeUndefined();
    },
  );

  it("is dropped when the linger time is over", async () => {
    const { router, events } = await pairing();
    const waiting = await stuff(router);
    router.disconnectPeer("ann", { linger: 50 });
    expect(await events.next("disconnect")).toHaveProperty("reason", "disconnectPeer");
    expectDropped(router, waiting);
  });

  it("is dropped by a second call without linger", async () => {
    const { router, events } = await pairing();
    const waiting = await stuff(router);
    const [peer] = router.peers;
    expect(router.disconnectPeer(peer, { linger: -1 })).toBe(true);
    expect(router.disconnectPeer(peer, { linger: -1 })).toBe(true);
    expect(events.of("disconnect")).toEqual([]);
    expect(router.disconnectPeer(peer)).toBe(true);
    expect(events.of("disconnect")).toHaveLength(1);
    expectDropped(router, waiting);
  });

  it.each(["close", "unbind"] as const)(
    "and %s() during the linger waits as long as it says itself",
    async (call) => {
      const { router, dealer, endpoint } = await pairing();
      await stuff(router);
      const { messagesSent } = router.stats;
      router.linger = -1;
      router.disconnectPeer("ann", { linger: -1 });
      const closed = call === "close" ? router.close() : router.unbind(endpoint);
      for (let got = 1; got < messagesSent; got++) await dealer.receive(SOON);
      await closed;
      const { router: other } = await pairing();
      await stuff(other);
      other.disconnectPeer("ann", { linger: -1 });
      await other.close({ linger: 0 });
    },
  );

  it("ends when the peer leaves in the middle of the linger, and nothing is dialled again", async () => {
    const { router, dealer, events, theirs } = await pairing();
    await stuff(router);
    router.disconnectPeer("ann", { linger: -1 });
    await dealer.close({ linger: 0 });
    await events.next("disconnect");
    expect(router.peers).toEqual([]);
    // The same of one that we dialled.
    const pull = managed(new zwire.Pull({ receiveHighWaterMark: 1 }));
    const push = managed(new zwire.Push({ reconnectInterval: 1, linger: 0 }));
    const pushed = record(push);
    const at = await pull.bind("tcp://127.0.0.1:*");
    push.connect(at);
    const waiting = await fillPush(push);
    push.disconnectPeer(push.peers[0], { linger: -1 });
    await pull.close();
    await pushed.next("close");
    await turns(20);
    expect(pushed.of("connect:retry")).toEqual([]);
    expectDropped(push, waiting);
    expect(theirs.of("end")).toHaveLength(1);
  });
});

describe("what waits", () => {
  it("a send that waits for the peer fails (mandatory)", async () => {
    const { router } = await pairing("tcp://127.0.0.1:*", { mandatory: true, sendHighWaterMark: 2 });
    while (router.trySend(["ann", LARGE])) await turns(2);
    const waiting = expect(router.send(["ann", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    router.disconnectPeer("ann");
    await waiting;
  });

  it("a send that waits for a full peer goes to another one", async () => {
    const push = managed(new zwire.Push({ sendHighWaterMark: 1, linger: 0 }));
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const slow = await rawConnected(endpoint, { type: "PULL" });
    slow.socket.pause();
    await push.connected(SOON);
    while (push.trySend(LARGE)) await turns(2);
    const waits = push.send("for another", SOON);
    push.disconnectPeer(push.peers[0]);
    const pull = managed(new zwire.Pull());
    pull.connect(endpoint);
    await waits;
    expect(texts(await pull.receive(SOON))).toEqual(["for another"]);
  });

  it("a message of which not all parts have come is gone", async () => {
    const pull = managed(new zwire.Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await pull.connected(SOON);
    peer.write(Buffer.from([0, 5, ...Buffer.from("whole"), 1, 4, ...Buffer.from("half")]));
    await until(() => pull.stats.receiveQueue === 1, "the whole one");
    pull.disconnectPeer(pull.peers[0]);
    expect(texts(await pull.receive(SOON))).toEqual(["whole"]);
    await turns(5);
    expect(pull.tryReceive()).toBeUndefined();
    expect(pull.stats.receivedBytes).toBe(0);
  });

  it("a dialled peer that is just being dialled again is given up, and what waits for it is dropped", async () => {
    const pull = managed(new zwire.Pull());
    const push = managed(new zwire.Push({ reconnectInterval: 60_000 }));
    const events = record(push);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await push.connected(SOON);
    const [peer] = push.peers;
    await pull.close();
    await events.next("connect:retry");
    await push.send("waits");
    expect(push.disconnectPeer(peer)).toBe(true);
    expect(push.disconnectPeer(peer)).toBe(false);
    expect(push.stats).toMatchObject({ droppedUnsent: 1, unsentBytes: 0 });
    expect(() => push.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("likewise with immediate, in the handler of the loss, and in the middle of the next attempt", async () => {
    for (const [immediate, when] of [
      [true, "connect:retry"],
      [false, "disconnect"],
      [true, "disconnect"],
      [false, "connect:delay"],
    ] as const) {
      const pull = managed(new zwire.Pull());
      const push = managed(new zwire.Push({ reconnectInterval: 1, immediate }));
      const endpoint = await pull.bind("tcp://127.0.0.1:*");
      push.connect(endpoint);
      await push.connected(SOON);
      const [peer] = push.peers;
      const events = record(push);
      const told = new Promise<boolean>((resolve) =>
        push.once(when, () => resolve(push.disconnectPeer(peer))),
      );
      await pull.close();
      expect(await told, when).toBe(true);
      await turns(20);
      expect(events.of("connect:retry").length, when).toBeLessThanOrEqual(when === "disconnect" ? 0 : 1);
      expect(() => push.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
    }
  });

  it("the peer has gone by itself a moment before", async () => {
    const { router, dealer, events } = await pairing();
    const [peer] = router.peers;
    await dealer.close();
    await events.next("disconnect");
    expect(router.disconnectPeer(peer)).toBe(false);
    expect(events.of("disconnect")).toHaveLength(1);
    expect(events.of("disconnect")[0]).not.toHaveProperty("reason");
  });

  it("the peer goes in the same turn", async () => {
    const { router, dealer, events } = await pairing();
    const closed = dealer.close();
    expect(router.disconnectPeer("ann")).toBe(true);
    await closed;
    await turns(10);
    expect(events.of("disconnect")).toHaveLength(1);
  });

  it("an endpoint that is disconnected and lingers", async () => {
    const pull = managed(new zwire.Pull({ receiveHighWaterMark: 1 }));
    const push = managed(new zwire.Push({ linger: -1, reconnectInterval: 1 }));
    const events = record(push);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await fillPush(push);
    const [peer] = push.peers;
    push.disconnect(endpoint);
    expect(push.disconnectPeer(peer)).toBe(true);
    await push.close(); // does not wait
    expect(events.of("connect:retry")).toEqual([]);
  });
});
