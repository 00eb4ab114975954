/** disconnectPeer(): one connection ends, whoever dialled, whatever is under way, and whoever is at the other end. */
import { describe, expect, it } from "vitest";
import { Client, Datagram, Dish, Peer as DraftPeer, Radio, Server } from "../../src/draft.js";
import * as zwire from "../../src/index.js";
import { managed, record, TRANSPORTS, texts, turns, until } from "../support/helpers.js";
import { LARGE, pairing, SOON } from "../support/router-pairing.js";

const WS = { name: "ws", endpoint: () => "ws://127.0.0.1:*/z" };
const WIRES = [...TRANSPORTS, WS];

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
