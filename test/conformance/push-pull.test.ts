/**
 * Section K: PUSH and PULL. What is common to all types is in common.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import {
  freePort,
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

describe.each(TRANSPORTS)("PUSH and PULL over $name", ({ endpoint }) => {
  it.each([1, 100, 512, 5120])(
    "no loop of sends starves the event loop: a turn at least every 512 messages (%i in a sendMany)",
    async (chunk) => {
      const push = managed(new Push({ sendHighWaterMark: 0 }));
      const pull = managed(new Pull({ receiveHighWaterMark: 0 }));
      push.connect(await pull.bind(endpoint()));
      await push.connected({ timeout: 20_000 });
      let turnsSeen = 0;
      let counting = true;
      const count = (): void => {
        turnsSeen++;
        if (counting) setImmediate(count);
      };
      setImmediate(count);
      const messages = new Array<string>(chunk).fill("x");
      for (let sent = 0; sent < 5120; sent += chunk) {
        if (chunk === 1) await push.send("x");
        else await push.sendMany(messages);
      }
      counting = false;
      expect(turnsSeen).toBeGreaterThanOrEqual(9);
    },
  );

  it("sends rotate over peers with room, and wait when all are full; nothing is dropped (K1)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 5 }));
    const actual = await push.bind(endpoint());
    const pulls = [new Pull({ receiveHighWaterMark: 5 }), new Pull({ receiveHighWaterMark: 5 })].map(managed);
    for (const pull of pulls) pull.connect(actual);
    await push.connected({ count: 2, timeout: 20_000 });
    const body = Buffer.alloc(300_000);
    let sent = 0;
    for (;;) {
      const done = await push.send([`${sent}`, body], { timeout: 100 }).then(
        () => true,
        (error) => error,
      );
      if (done !== true) {
        expect(done).toMatchObject({ code: "EAGAIN" });
        break;
      }
      sent++;
    }
    const got: number[] = [];
    const read = () => {
      for (const pull of pulls)
        for (let parts = pull.tryReceive(); parts !== undefined; parts = pull.tryReceive())
          got.push(Number(parts[0]));
      return got.length >= sent;
    };
    await until(read, "everything");
    await turns(20);
    read();
    expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  it("PULL takes whole messages from several pushers, frames untouched (K3)", async () => {
    const pull = managed(new Pull());
    const actual = await pull.bind(endpoint());
    const pushes = [0, 1, 2].map(() => managed(new Push()));
    for (const push of pushes) push.connect(actual);
    await pull.connected({ count: 3, timeout: 20_000 });
    await Promise.all(
      pushes.map(async (push, who) => {
        for (let i = 0; i < 100; i++) await push.send([`${who}`, "", `${i}`]);
      }),
    );
    const next = [0, 0, 0];
    for (let i = 0; i < 300; i++) {
      const [who, empty, number] = texts(await pull.receive({ timeout: 20_000 }));
      expect([empty, number]).toEqual(["", `${next[Number(who)]++}`]);
    }
    expect(next).toEqual([100, 100, 100]);
  });

  it("a pusher that waits hands its message to a puller that connects (K6)", async () => {
    const push = managed(new Push());
    const actual = await push.bind(endpoint());
    const sends = Array.from({ length: 100 }, (_, i) => push.send(`${i}`));
    expect(await settled(sends[0])).toBe(false);
    const pull = managed(new Pull());
    pull.connect(actual);
    for (let i = 0; i < 100; i++) expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
    await Promise.all(sends);
  });

  it("PUSH has no receive and PULL has no send (K2)", () => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    expect("receive" in push).toBe(false);
    expect("send" in pull).toBe(false);
  });
});

describe("PUSH and PULL, of connections", () => {
  it("without immediate, half of the messages wait for a dead endpoint; with it, none (K4)", async () => {
    for (const immediate of [false, true]) {
      const endpoint = await freePort();
      const push = managed(new Push({ immediate, reconnectInterval: 20 }));
      const pull = managed(new Pull());
      push.connect(endpoint);
      push.connect(await pull.bind("tcp://127.0.0.1:*"));
      await push.connected({ timeout: 20_000 });
      for (let i = 0; i < 10; i++) await push.send(`${i}`);
      await until(() => pull.stats.receiveQueue === (immediate ? 10 : 5), "the live half has arrived");
      expect(push.stats.outboundQueue).toBe(immediate ? 0 : 5);
      await push.close({ linger: 0 });
      await pull.close();
    }
  });

  it("when a puller leaves a bound PUSH, its queue is discarded and the next one begins afresh (K5)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 50 }));
    const events = record(push);
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const gone = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    gone.pause();
    while (push.trySend(Buffer.alloc(200_000)));
    gone.close();
    await events.next("disconnect");
    const next = await rawConnected(endpoint, { type: "PULL" });
    await push.send("new");
    expect(texts(await next.readMessage())).toEqual(["new"]);
  });

  it("a pusher blocked at its mark gives its waiting messages to a new puller at once (K6)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 5 }));
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const stuck = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    stuck.pause();
    while (push.trySend(Buffer.alloc(200_000)));
    const waiting = push.send("relief");
    const next = await rawConnected(endpoint, { type: "PULL" });
    await waiting;
    expect(texts(await next.readMessage())).toEqual(["relief"]);
  });

  it("sends that wait are not lost with the full puller that leaves: the next one gets them all (K1)", async () => {
    const push = managed(new Push({ sendHighWaterMark: 1 }));
    const events = record(push);
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const stuck = await rawConnected(endpoint, { type: "PULL" });
    await push.connected();
    stuck.pause();
    for (let refused = 0; refused < 50; refused++) {
      if (push.trySend(Buffer.alloc(1_000_000))) refused = 0;
      await turns(1);
    }
    const waiting = ["1", "2", "3"].map((text) => push.send(text));
    stuck.close();
    await events.next("disconnect");
    expect(push.stats.sendQueue).toBe(3);
    const next = await rawConnected(endpoint, { type: "PULL" });
    await Promise.all(waiting);
    for (const text of ["1", "2", "3"]) expect(texts(await next.readMessage())).toEqual([text]);
  });

  it("sends that wait for a full dialled peer that leaves go on where its queue has room again (G3)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ sendHighWaterMark: 1, reconnectInterval: 20 }));
    push.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "PULL" });
    await push.connected({ timeout: 20_000 });
    first.pause();
    for (let refused = 0; refused < 50; refused++) {
      if (push.trySend(Buffer.alloc(1_000_000))) refused = 0;
      await turns(1);
    }
    const waiting = ["1", "2", "3"].map((text) => push.send(text));
    first.close();
    const second = await listener.accept();
    await second.handshake({ type: "PULL" });
    const got: string[] = [];
    while (got.length < 3) {
      const [part] = await second.readMessage();
      if (part.length === 1) got.push(part.toString());
    }
    expect(got).toEqual(["1", "2", "3"]);
    await Promise.all(waiting);
  });

  it("what a PULL peer sends to PUSH is discarded (K2)", async () => {
    const push = managed(new Push());
    const peer = await rawConnected(await push.bind("tcp://127.0.0.1:*"), { type: "PULL" });
    peer.write(message("noise"), message("more", "noise"));
    await peer.barrier();
    expect(push.stats.receiveQueue).toBe(0);
    await push.send("x");
    expect(texts(await peer.readMessage())).toEqual(["x"]);
  });
});
