/** disconnectPeer(): one connection ends, whoever dialled, whatever is under way, and whoever is at the other end. */
import { describe, expect, it, onTestFinished } from "vitest";
import * as libzmq from "zeromq";
import { Client, Datagram, Dish, Peer as DraftPeer, Radio, Server } from "../../src/draft.js";
import * as zwire from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import {
  type EventRecord,
  managed,
  rawConnected,
  rawListen,
  record,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { startThread } from "../support/thread.js";

const SOON = { timeout: 10_000 };
const WS = { name: "ws", endpoint: () => "ws://127.0.0.1:*/z" };
const WIRES = [...TRANSPORTS, WS];
const LARGE = Buffer.alloc(1 << 20);

interface Pairing {
  readonly router: zwire.Router;
  readonly dealer: zwire.Dealer;
  readonly endpoint: string;
  readonly events: EventRecord;
  readonly theirs: EventRecord;
}

/** A Router that is bound, and a Dealer "ann" that has dialled it; they have talked. */
async function pairing(at = "tcp://127.0.0.1:*", options: zwire.RouterOptions = {}): Promise<Pairing> {
  const router = managed(new zwire.Router(options));
  const dealer = managed(new zwire.Dealer({ routingId: "ann", reconnectInterval: 10, linger: 0 }));
  const [events, theirs] = [record(router), record(dealer)];
  const endpoint = await router.bind(at);
  dealer.connect(endpoint);
  await dealer.send("hello", SOON);
  expect(texts(await router.receive(SOON))).toEqual(["ann", "hello"]);
  await router.send(["ann", "back"]);
  await dealer.receive(SOON);
  return { router, dealer, endpoint, events, theirs };
}

/** Sends to "ann" until so many messages wait that the kernels do not take. */
async function stuff(router: zwire.Router, least = 3): Promise<number> {
  while (router.stats.outboundQueue < least) {
    await router.send(["ann", LARGE], SOON);
    await turns(2);
  }
  return router.stats.outboundQueue;
}

/** What waits is dropped and counted, less what kernels have taken meanwhile. */
function expectDropped(socket: zwire.Socket, waiting: number): void {
  expect(socket.stats.droppedUnsent).toBeGreaterThan(0);
  expect(socket.stats.droppedUnsent).toBeLessThanOrEqual(waiting);
}

describe.each(WIRES)("over $name", ({ name, endpoint }) => {
  it("an accepted peer is sent away, and may come again", async () => {
    const { router, dealer, events, theirs } = await pairing(endpoint());
    const [peer] = router.peers;
    expect(router.disconnectPeer(peer)).toBe(true);
    expect(router.peers).toEqual([]);
    expect(events.of("disconnect")[0]).toMatchObject({ peer, reason: "disconnectPeer" });
    expect(events.of("disconnect")[0].error).toBeUndefined();
    const left = await theirs.next("disconnect");
    expect(left).not.toHaveProperty("reason");
    if (name === "inproc") return; // which does not dial again
    await dealer.send("again", SOON);
    expect(texts(await router.receive(SOON))).toEqual(["ann", "again"]);
    expect(router.peers[0].id).not.toBe(peer.id);
    expect(router.disconnectPeer(peer)).toBe(false); // that one is gone
  });

  it("a dialled peer is not dialled again, and its endpoint is gone", async () => {
    const { router, dealer, endpoint: actual, theirs } = await pairing(endpoint());
    expect(dealer.disconnectPeer(dealer.peers[0].id)).toBe(true);
    await theirs.next("close");
    expect(theirs.of("disconnect").map((event) => (event as { reason?: string }).reason)).toEqual([
      "disconnectPeer",
    ]);
    expect(theirs.names.slice(theirs.names.indexOf("disconnect"))).toEqual(["disconnect", "close"]);
    await until(() => router.peers.length === 0, "the other side knows");
    expect(() => dealer.disconnect(actual)).toThrow(expect.objectContaining({ code: "ENOENT" }));
    await turns(20);
    expect(theirs.of("connect:retry")).toEqual([]);
    dealer.connect(actual); // it can be dialled anew
    await dealer.send("anew", SOON);
    expect(texts(await router.receive(SOON))).toEqual(["ann", "anew"]);
  });

  it("what has arrived stays readable, and knows its sender", async () => {
    const { router, dealer } = await pairing(endpoint(), { messagePeers: true });
    const [peer] = router.peers;
    await dealer.sendMany(["1", "2", "3"], SOON);
    await until(() => router.stats.receiveQueue === 3, "three messages");
    router.disconnectPeer("ann");
    for (const text of ["1", "2", "3"]) {
      const message = await router.receive(SOON);
      expect(texts(message)).toEqual(["ann", text]);
      expect(router.peerOf(message)).toBe(peer);
    }
  });

  it("in the handler of its own handshake", async () => {
    const router = managed(new zwire.Router({ routerNotify: 3 }));
    const events = record(router);
    router.once("handshake", ({ peer }) => expect(router.disconnectPeer(peer)).toBe(true));
    const dealer = managed(new zwire.Dealer({ routingId: "ann", reconnectInterval: 10 }));
    dealer.connect(await router.bind(endpoint()));
    await events.next("disconnect");
    expect(events.names.filter((one) => one === "handshake" || one === "disconnect").slice(0, 2)).toEqual([
      "handshake",
      "disconnect",
    ]);
    if (name === "inproc") return;
    await events.next("handshake", 2); // what the Dealer sends before it knows is lost
    await dealer.send("in", SOON);
    for (;;) {
      const message = await router.receive(SOON);
      if (message[1].length > 0) {
        expect(texts(message)).toEqual(["ann", "in"]);
        break;
      }
    }
  });

  it("twice, and in the handler of its own end", async () => {
    const { router, events } = await pairing(endpoint());
    const [peer] = router.peers;
    const again: boolean[] = [];
    router.once("disconnect", () => again.push(router.disconnectPeer(peer), router.disconnectPeer("ann")));
    expect(router.disconnectPeer(peer)).toBe(true);
    expect(router.disconnectPeer(peer)).toBe(false);
    expect(again).toEqual([false, false]);
    expect(events.of("disconnect")).toHaveLength(1);
  });
});

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
    while (push.stats.outboundQueue < 3) {
      await push.send(LARGE, SOON);
      await turns(2);
    }
    const waiting = push.stats.outboundQueue;
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
    while (push.stats.outboundQueue < 3) {
      await push.send(LARGE, SOON);
      await turns(2);
    }
    const [peer] = push.peers;
    push.disconnect(endpoint);
    expect(push.disconnectPeer(peer)).toBe(true);
    await push.close(); // does not wait
    expect(events.of("connect:retry")).toEqual([]);
  });
});

describe("by name", () => {
  it("bytes and text on a Router, before the peer is there, too", async () => {
    const { router, dealer, theirs } = await pairing();
    expect(router.disconnectPeer("bob")).toBe(false);
    expect(router.disconnectPeer(Buffer.from("ann"))).toBe(true);
    await theirs.next("disconnect");
    await dealer.send("x", SOON);
    await router.receive(SOON);
    router.connect("tcp://127.0.0.1:1", { routingId: "bob" });
    await router.send(["bob", "x"]);
    expect(router.disconnectPeer("bob")).toBe(true);
    expect(router.stats.droppedUnsent).toBe(1);
    expect(router.disconnectPeer("bob")).toBe(false);
  });

  it("numbers on a Server and a Peer, of dialled and accepted ones", async () => {
    const server = managed(new Server());
    const client = managed(new Client({ reconnectInterval: 60_000 }));
    client.connect(await server.bind("tcp://127.0.0.1:*"));
    await client.send("x");
    const [, { routingId }] = await server.receive(SOON);
    expect(server.peerStats[0].name).toBe(routingId);
    expect(server.disconnectPeer(routingId)).toBe(true);
    expect(server.disconnectPeer(routingId)).toBe(false);
    const [bound, dialling] = [managed(new DraftPeer()), managed(new DraftPeer())];
    const number = dialling.connectPeer(await bound.bind("tcp://127.0.0.1:*"));
    await dialling.send("x", { routingId: number });
    const [, from] = await bound.receive(SOON);
    expect(bound.disconnectPeer(from.routingId)).toBe(true);
    await until(() => dialling.peers.length === 0, "gone");
    expect(dialling.disconnectPeer(number)).toBe(true);
    expect(() => dialling.disconnectPeer(number)).toThrow(expect.objectContaining({ code: "EHOSTUNREACH" }));
  });

  it("the connections of a Stream, with what waits counted", async () => {
    const [one, other] = [
      managed(new zwire.Stream({ notify: false })),
      managed(new zwire.Stream({ reconnectInterval: 60_000 })),
    ];
    const events = record(one);
    other.connect(await one.bind("tcp://127.0.0.1:*"));
    await other.connected(SOON);
    await other.send([other.routingId as Buffer, "x"]);
    const [name] = await one.receive(SOON);
    expect(one.peerStats[0]).toMatchObject({ name, mechanism: null, bytesReceived: 1 });
    expect(one.disconnectPeer(name)).toBe(true);
    expect(await events.next("disconnect")).toHaveProperty("reason", "disconnectPeer");
    expect(one.disconnectPeer(name)).toBe(false);
  });
});

describe("of other types", () => {
  it("a Publisher goes on for the others, and an XPublisher hears that the topics have ended", async () => {
    const xpub = managed(new zwire.XPublisher());
    const endpoint = await xpub.bind("tcp://127.0.0.1:*");
    const subs = ["a", "b"].map((topic) => {
      const sub = managed(new zwire.Subscriber({ reconnectInterval: 60_000 }));
      sub.subscribe(topic);
      sub.connect(endpoint);
      return sub;
    });
    const topics = [String(await xpub.receive(SOON)), String(await xpub.receive(SOON))];
    expect(topics.sort()).toEqual(["\x01a", "\x01b"]);
    const [first] = xpub.peers;
    xpub.disconnectPeer(first);
    const gone = String(await xpub.receive(SOON));
    expect(gone[0]).toBe("\x00");
    const stays = gone[1] === "a" ? 1 : 0;
    await xpub.send("ab"[stays]);
    expect(texts(await subs[stays].receive(SOON))).toEqual(["ab"[stays]]);
  });

  it("a Request whose server is sent away can ask another", async () => {
    const [first, second] = [managed(new zwire.Reply()), managed(new zwire.Reply())];
    const request = managed(new zwire.Request({ relaxed: true, correlate: true }));
    request.connect(await first.bind("tcp://127.0.0.1:*"));
    await request.connected(SOON);
    await request.send("?");
    await first.receive(SOON);
    request.disconnectPeer(request.peers[0]);
    request.connect(await second.bind("tcp://127.0.0.1:*"));
    await request.send("?", SOON);
    await second.receive(SOON);
    await second.send("!");
    expect(texts(await request.receive(SOON))).toEqual(["!"]);
  });
});

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
      const parts = await dealer.receive().catch(() => undefined);
      if (parts === undefined) break;
      expect([String(parts[0]), parts[1].length, String(parts[2])]).toEqual([`${got}`, LARGE.length, "tail"]);
      got++;
    }
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

describe("refusals", () => {
  it("of what is no peer, of a wrong linger, and on a closed socket", async () => {
    const pull = managed(new zwire.Pull());
    const router = managed(new zwire.Router());
    expect(() => pull.disconnectPeer("ann")).toThrow(
      new TypeError("peer must be an id, or an object with one; got string"),
    );
    expect(() => router.disconnectPeer(null as never)).toThrow(
      new TypeError("peer must be an id, or an object with one, or a name; got null"),
    );
    expect(() => pull.disconnectPeer({} as never)).toThrow(TypeError);
    expect(() => pull.disconnectPeer(1, { linger: -2 })).toThrow(
      new RangeError("linger must be an integer of at least -1; got -2"),
    );
    expect(pull.disconnectPeer(1)).toBe(false);
    await pull.close();
    expect(() => pull.disconnectPeer(1)).toThrow(expect.objectContaining({ code: "EBADF" }));
  });

  it("over udp, where there are no connections", async () => {
    const dish = managed(new Dish());
    const radio = managed(new Radio());
    const datagram = managed(new Datagram());
    const refused = expect.objectContaining({ name: "ZmqError", code: "ENOTSUP" });
    radio.connect(await dish.bind("udp://127.0.0.1:*"));
    await datagram.bind("udp://127.0.0.1:*");
    for (const socket of [dish, radio, datagram]) {
      expect(() => socket.disconnectPeer(1)).toThrow(refused);
      expect(socket.peerStats).toEqual([]);
    }
  });
});

describe.each(TRANSPORTS)("in the handler of a full peer, over $name", ({ endpoint, name }) => {
  it.each(["dropNewest", "dropOldest"] as const)(
    "all peers of a publisher with onFull: %s, in the middle of a message to them",
    async (onFull) => {
      const publisher = managed(new zwire.Publisher({ sendHighWaterMark: 5, onFull }));
      const bound = await publisher.bind(endpoint());
      const subscribers = Array.from({ length: 3 }, () => {
        const subscriber = managed(new zwire.Subscriber({ receiveHighWaterMark: 1, reconnectInterval: -1 }));
        subscriber.subscribe("");
        subscriber.connect(bound);
        return subscriber;
      });
      await until(() => publisher.peers.length === 3, "all are here");
      await publisher.waitForSubscribers(3, SOON);
      let told = 0;
      publisher.on("limit", () => {
        told++;
        for (const peer of publisher.peers) publisher.disconnectPeer(peer);
      });
      for (let i = 0; i < 1000 && told === 0; i++) await publisher.send(LARGE);
      expect(told).toBe(1);
      await until(() => publisher.peers.length === 0, "all have gone");
      expect(publisher.stats).toMatchObject({ unsentBytes: 0, outboundQueue: 0 });
      if (name !== "inproc") return;
      for (const subscriber of subscribers) expect(subscriber.stats.receiveQueue).toBeGreaterThan(0);
    },
  );
});
