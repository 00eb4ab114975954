/** disconnectPeer() with libzmq at the other end, over TLS, CURVE and shared memory, in a handshake, and between threads. */
import { describe, expect, it, onTestFinished } from "vitest";
import * as libzmq from "zeromq";
import * as zwire from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { managed, rawListen, record, texts, turns, until } from "../support/helpers.js";
import { LARGE, SOON } from "../support/router-pairing.js";
import { startThread } from "../support/thread.js";

describe("peers of libzmq", () => {
  it("a DEALER that is sent away comes again, and loses nothing of what it got", async () => {
    const router = managed(new zwire.Router());
    const events = record(router);
    const dealer = new libzmq.Dealer({ routingId: "ann", reconnectInterval: 10, linger: 0 });
    onTestFinished(() => dealer.close());
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    await dealer.send("1");
    expect(texts(await router.receive(SOON))).toEqual(["ann", "1"]);
    await router.send(["ann", "bye"]);
    expect(router.disconnectPeer("ann")).toBe(true);
    expect(await events.next("disconnect")).toHaveProperty("reason", "disconnectPeer");
    expect(texts(await dealer.receive())).toEqual(["bye"]);
    await events.next("handshake", 2);
    await dealer.send("2");
    expect(texts(await router.receive(SOON))).toEqual(["ann", "2"]);
  });

  it("a ROUTER that we dialled is left for good", async () => {
    const router = new libzmq.Router({ linger: 0 });
    onTestFinished(() => router.close());
    await router.bind("tcp://127.0.0.1:*");
    const dealer = managed(new zwire.Dealer({ reconnectInterval: 1 }));
    const events = record(dealer);
    dealer.connect(router.lastEndpoint as string);
    await dealer.send("x", SOON);
    await router.receive();
    await dealer.connected(SOON);
    dealer.disconnectPeer(dealer.peers[0]);
    await events.next("close");
    await turns(20);
    expect(events.of("connect:delay")).toHaveLength(1);
  });
});

describe("over what lies on a wire", () => {
  const authority = new Authority();
  const { cert, key } = authority.issue();
  const tls = { cert, key, ca: authority.cert };
  const keys = zwire.curveKeyPair();
  const server = { mechanism: "curve", server: true, secretKey: keys.secretKey } as const;
  const client = { mechanism: "curve", serverKey: keys.publicKey, ...zwire.curveKeyPair() } as const;

  it.each([
    ["TLS", "tls+tcp://127.0.0.1:*", { tls }, { tls }],
    ["wss", "wss://127.0.0.1:*/z", { tls }, { tls }],
    ["CURVE", "tcp://127.0.0.1:*", { security: server }, { security: client }],
    ["shared memory", "ipc://*", { sharedMemory: true }, { sharedMemory: true }],
  ])("%s: what waits goes out, from either side", async (_name, at, bound, dialling) => {
    for (const ours of ["bound", "dialled"]) {
      const one = managed(new zwire.Dealer({ ...(ours === "bound" ? bound : dialling), linger: 0 }));
      const other = managed(
        new zwire.Dealer({ ...(ours === "bound" ? dialling : bound), linger: 0, reconnectInterval: 60_000 }),
      );
      const [binds, dials] = ours === "bound" ? [one, other] : [other, one];
      const events = record(one);
      dials.connect(await binds.bind(at));
      await one.connected(SOON);
      const block = Buffer.alloc(100_000);
      let sent = 0;
      while (one.stats.outboundQueue < 3) {
        await one.send(["head", block, `${sent++}`], SOON);
        if (sent % 10 === 0) await turns(2);
      }
      expect(one.disconnectPeer(one.peers[0], { linger: -1 })).toBe(true);
      for (let i = 0; i < sent; i++) {
        const parts = await other.receive(SOON);
        expect([parts.length, parts[1].length, String(parts[2])]).toEqual([3, block.length, `${i}`]);
      }
      expect(await events.next("disconnect")).toHaveProperty("reason", "disconnectPeer");
      expect(one.stats.droppedUnsent).toBe(0);
    }
  });

  it("without linger, libzmq gets whole messages or none", async () => {
    const router = managed(new zwire.Router());
    const dealer = new libzmq.Dealer({
      routingId: "ann",
      reconnectInterval: 60_000,
      receiveHighWaterMark: 2,
      linger: 0,
    });
    onTestFinished(() => dealer.close());
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    await dealer.send("hello");
    await router.receive(SOON);
    let sent = 0;
    while (router.stats.outboundQueue < 3) {
      await router.send(["ann", `${sent++}`, LARGE, "tail"], SOON);
      await turns(2);
    }
    router.disconnectPeer("ann");
    const { droppedUnsent } = router.stats;
    expect(droppedUnsent).toBeGreaterThan(0);
    dealer.receiveTimeout = 300;
    let got = 0;
    for (;;) {
      const parts = await dealer.receive().catch(({ code }) => code as string);
      if (typeof parts === "string") {
        expect(parts).toBe("EAGAIN");
        break;
      }
      expect([String(parts[0]), parts[1].length, String(parts[2])]).toEqual([`${got}`, LARGE.length, "tail"]);
      got++;
    }
    expect(got).toBeGreaterThan(0);
    expect(got).toBeLessThanOrEqual(sent - droppedUnsent);
  });

  it("a connection in the middle of its handshake has no id, but a dialled one may have a name", async () => {
    const silent = await rawListen();
    const router = managed(new zwire.Router());
    const events = record(router);
    router.connect(silent.endpoint, { routingId: "bob" });
    const peer = await silent.accept();
    await events.next("connect");
    expect([router.peers, router.peerStats]).toEqual([[], []]);
    await router.send(["bob", "waits"]);
    expect(router.disconnectPeer("bob")).toBe(true);
    expect(router.disconnectPeer("bob")).toBe(false);
    await peer.closed();
    expect(router.stats.droppedUnsent).toBe(1);
    await turns(10);
    expect(events.of("connect:retry")).toEqual([]);
    expect(events.of("disconnect")).toEqual([]);
  });

  it.each(["here", "there"])("a peer in another thread, when %s binds", async (binds) => {
    const thread = startThread();
    const name = `inproc://disconnect-${binds}`;
    await thread.ask("open", "other", "Dealer");
    const dealer = managed(new zwire.Dealer());
    const events = record(dealer);
    if (binds === "here") {
      await dealer.bind(name);
      await thread.ask("call", "other", "connect", name);
    } else {
      await thread.ask("call", "other", "bind", name);
      dealer.connect(name);
    }
    await thread.ask("call", "other", "send", "1");
    await until(() => dealer.stats.receiveQueue === 1, "a message");
    await dealer.send("back", SOON);
    expect(dealer.peerStats).toEqual([
      expect.objectContaining({
        mechanism: null,
        messagesReceived: 1,
        messagesSent: 1,
        idle: expect.any(Number),
      }),
    ]);
    expect(dealer.disconnectPeer(dealer.peers[0])).toBe(true);
    expect(await events.next("disconnect")).toHaveProperty("reason", "disconnectPeer");
    expect(texts(await dealer.receive(SOON))).toEqual(["1"]);
    expect(await thread.ask("receive", "other")).toEqual(["back"]);
    expect(dealer.peers).toEqual([]);
  });
});
