/** peerStats: what each connection has sent and got, what waits, and who is at its other end. */
import { describe, expect, it, onTestFinished } from "vitest";
import * as libzmq from "zeromq";
import * as zwire from "../../src/index.js";
import { managed, record, TRANSPORTS, turns, until } from "../support/helpers.js";
import { CLIENT, CURVE_CLIENT, CURVE_SERVER, expectTalk, meet, PLAIN_CLIENT, SOON } from "../support/met.js";

const WS = { name: "ws", endpoint: () => "ws://127.0.0.1:*/z" };
const WIRES = [...TRANSPORTS, WS];
const LARGE = Buffer.alloc(1 << 20);
/** Frames of the parts of a message, with their headers. */
const framed = (...sizes: number[]): number =>
  sizes.reduce((sum, size) => sum + size + (size > 255 ? 9 : 2), 0);

describe.each(WIRES)("over $name", ({ name, endpoint }) => {
  const inproc = name === "inproc";

  it("counts messages and bytes of each peer, both ways", async () => {
    const router = managed(new zwire.Router());
    const at = await router.bind(endpoint());
    const counts = [1, 40, 500];
    const dealers = counts.map((_, index) => {
      const dealer = managed(new zwire.Dealer({ routingId: `d${index}` }));
      dealer.connect(at);
      return dealer;
    });
    for (const [index, dealer] of dealers.entries()) {
      await dealer.sendMany(
        Array.from({ length: counts[index] }, () => ["head", Buffer.alloc(300)]),
        SOON,
      );
      for (let i = 0; i < counts[index]; i++) await router.receive(SOON);
      await router.sendMany(
        Array.from({ length: index + 1 }, () => [`d${index}`, LARGE, "tail"]),
        SOON,
      );
      for (let i = 0; i <= index; i++) await dealer.receive(SOON);
    }
    const theirs = router.peerStats;
    expect(theirs.map((one) => String(one.name)).sort()).toEqual(["d0", "d1", "d2"]);
    for (const [index, dealer] of dealers.entries()) {
      const one = theirs.find((peer) => String(peer.name) === `d${index}`) as zwire.PeerStats;
      const [ours] = dealer.peerStats;
      const sizes = (...parts: number[]) => (inproc ? parts.reduce((a, b) => a + b) : framed(...parts));
      expect(one).toMatchObject({
        direction: "accepted",
        socketType: "DEALER",
        messagesReceived: counts[index],
        messagesSent: index + 1,
        bytesSent: (index + 1) * sizes(LARGE.length, 4),
        outboundQueue: 0,
        unsentBytes: 0,
        receiveQueue: 0,
        unreadBytes: 0,
        dropped: 0,
      });
      expect(ours).toMatchObject({
        direction: "dialled",
        name: null,
        socketType: "ROUTER",
        messagesSent: one.messagesReceived,
        messagesReceived: one.messagesSent,
        bytesSent: counts[index] * sizes(4, 300),
      });
      for (const [received, sent] of [
        [one.bytesReceived, counts[index] * sizes(4, 300)],
        [ours.bytesReceived, one.bytesSent],
      ]) {
        // A WebSocket's own headers lie between frames that came together.
        if (name !== "ws") expect(received).toBe(sent);
        else expect(received).toBeGreaterThanOrEqual(sent);
        expect(received).toBeLessThan(1.1 * sent);
      }
      expect(one.uptime).toBeGreaterThan(0);
      if (inproc) expect([one.idle, one.mechanism]).toEqual([null, null]);
      else {
        expect(one.idle).toBeGreaterThanOrEqual(0);
        expect(one.idle).toBeLessThanOrEqual(one.uptime);
        expect(one.mechanism).toBe("NULL");
      }
    }
  });

  it("is what peers has, and more", async () => {
    const met = await meet({}, { routingId: "ann", metadata: { "X-role": "test" } }, endpoint());
    await expectTalk(met);
    const [peer] = met.server.peers;
    expect(met.server.peerStats).toEqual([expect.objectContaining({ ...peer })]);
    expect(met.server.peerStats[0].metadata.get("X-role")?.toString()).toBe("test");
  });
});

describe("what waits", () => {
  it("is the depth of each peer's queues, in messages and bytes", async () => {
    const router = managed(new zwire.Router());
    const [slow, fast] = ["slow", "fast"].map((routingId) =>
      managed(new zwire.Dealer({ routingId, linger: 0 })),
    );
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    for (const dealer of [slow, fast]) {
      dealer.connect(endpoint);
      await dealer.sendMany(["1", "2"], SOON);
    }
    await until(() => router.stats.receiveQueue === 4, "all are there");
    for (const one of router.peerStats) {
      expect(one).toMatchObject({ messagesReceived: 2, receiveQueue: 2, unreadBytes: 2 * (1 + 112) });
    }
    for (let i = 0; i < 4; i++) await router.receive(SOON);
    while (router.stats.outboundQueue < 3) {
      await router.send(["slow", LARGE], SOON);
      await turns(2);
    }
    const sent = router.stats.messagesSent;
    const [one] = router.peerStats.filter(({ outboundQueue }) => outboundQueue > 0);
    expect(String(one.name)).toBe("slow");
    expect(one.outboundQueue + one.messagesSent).toBe(sent);
    expect(one.unsentBytes).toBe(one.outboundQueue * framed(LARGE.length));
    expect(router.peerStats.find(({ name }) => String(name) === "fast")).toMatchObject({ outboundQueue: 0 });
  });

  it("and what is dropped is counted for the peer that was full", async () => {
    const publisher = managed(new zwire.Publisher({ sendHighWaterMark: 2 }));
    const endpoint = await publisher.bind("tcp://127.0.0.1:*");
    const [slow, fast] = ["slow", "fast"].map((role) => {
      const sub = managed(new zwire.Subscriber({ metadata: { "X-role": role }, receiveHighWaterMark: 1 }));
      sub.subscribe("");
      sub.connect(endpoint);
      return sub;
    });
    await publisher.waitForSubscribers(2, SOON);
    void slow;
    let read = 0;
    while (publisher.stats.dropped < 3) {
      await publisher.send(LARGE);
      if (publisher.stats.messagesSent > read) {
        await fast.receive(SOON);
        read++;
      }
    }
    const dropped = (role: string) =>
      publisher.peerStats.find(({ metadata }) => String(metadata.get("X-role")) === role)?.dropped;
    expect(dropped("slow")).toBe(publisher.stats.dropped);
    expect(dropped("fast")).toBe(0);
  });
});

describe("who it is", () => {
  it("under PLAIN and CURVE: mechanism, user and key", async () => {
    const plain = await meet({ plainServer: true, authenticate: () => "ann" }, PLAIN_CLIENT);
    await expectTalk(plain);
    expect(plain.server.peerStats[0]).toMatchObject({ mechanism: "PLAIN", userId: "ann" });
    expect(plain.server.peerStats[0]).not.toHaveProperty("publicKey");
    const curve = await meet(CURVE_SERVER, CURVE_CLIENT);
    await expectTalk(curve);
    const [one] = curve.server.peerStats;
    expect(one).toMatchObject({
      mechanism: "CURVE",
      userId: null,
      publicKey: zwire.z85Decode(CLIENT.publicKey),
    });
    // Sent: as before encryption. Received: with what lies between frames that came together.
    expect(one.bytesSent).toBe(framed(4, 100_000));
    expect(one.bytesReceived).toBeGreaterThanOrEqual(framed(5, 0, 100_000));
    expect(one.bytesReceived).toBeLessThanOrEqual(framed(5, 0, 100_000) + 2 * 33);
  });

  it("a peer of libzmq, and a peer that comes again begins anew", async () => {
    const pull = managed(new zwire.Pull());
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const push = new libzmq.Push({ reconnectInterval: 10, linger: 0 });
    onTestFinished(() => push.close());
    push.connect(endpoint);
    for (let i = 0; i < 5; i++) await push.send(["a", "bc"]);
    for (let i = 0; i < 5; i++) await pull.receive(SOON);
    const [first] = pull.peerStats;
    expect(first).toMatchObject({ socketType: "PUSH", messagesReceived: 5, bytesReceived: 5 * framed(1, 2) });
    pull.disconnectPeer(first);
    await events.next("handshake", 2);
    await push.send("again");
    await pull.receive(SOON);
    const [second] = pull.peerStats;
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ messagesReceived: 1, bytesReceived: framed(5) });
  });

  it("a dialled peer that comes again begins anew, too, and has what waited", async () => {
    const [one, other] = [managed(new zwire.Pull()), managed(new zwire.Pull())];
    const push = managed(new zwire.Push({ reconnectInterval: 10 }));
    const events = record(push);
    const endpoint = await one.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await push.sendMany(["1", "2"], SOON);
    for (let i = 0; i < 2; i++) await one.receive(SOON);
    expect(push.peerStats[0]).toMatchObject({ messagesSent: 2, bytesSent: 2 * framed(1) });
    await one.close();
    await events.next("disconnect");
    expect(push.peerStats).toEqual([]);
    await push.send("3");
    await other.bind(endpoint);
    await other.receive(SOON);
    expect(push.peerStats[0]).toMatchObject({ messagesSent: 1, bytesSent: framed(1), outboundQueue: 0 });
  });

  it("with shared memory, and of a closed socket", async () => {
    const pull = managed(new zwire.Pull({ sharedMemory: true }));
    const push = managed(new zwire.Push({ sharedMemory: true }));
    push.connect(await pull.bind("ipc://*"));
    const block = Buffer.alloc(1000);
    for (let i = 0; i < 2000; i++) {
      await push.send(block, SOON);
      await pull.receive(SOON);
    }
    const [sent] = push.peerStats;
    const [got] = pull.peerStats;
    expect(sent).toMatchObject({ messagesSent: 2000, bytesSent: 2000 * framed(1000) });
    expect(got).toMatchObject({ messagesReceived: 2000, bytesReceived: 2000 * framed(1000) });
    await pull.close();
    expect(pull.peerStats).toEqual([]);
  });
});

describe("peerRates()", () => {
  it("is what went from one list to the next, a second", () => {
    const at = (id: number, uptime: number, n: number) =>
      ({
        id,
        uptime,
        messagesSent: n,
        messagesReceived: 2 * n,
        bytesSent: 10 * n,
        bytesReceived: 20 * n,
        dropped: n,
      }) as zwire.PeerStats;
    const before = [at(1, 1000, 100), at(2, 500, 7)];
    const after = [at(1, 1500, 200), at(3, 250, 50), at(4, 0, 0)];
    expect(zwire.peerRates(before, after)).toEqual([
      {
        id: 1,
        milliseconds: 500,
        messagesSent: 200,
        messagesReceived: 400,
        bytesSent: 2000,
        bytesReceived: 4000,
        dropped: 200,
      },
      {
        id: 3,
        milliseconds: 250,
        messagesSent: 200,
        messagesReceived: 400,
        bytesSent: 2000,
        bytesReceived: 4000,
        dropped: 200,
      },
      {
        id: 4,
        milliseconds: 0,
        messagesSent: 0,
        messagesReceived: 0,
        bytesSent: 0,
        bytesReceived: 0,
        dropped: 0,
      },
    ]);
  });
});
