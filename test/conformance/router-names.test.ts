/**
 * Section I, what ROUTER knows its peers by: two peers with one name, handover, names given by connect(), and what
 * stays of a name over a reconnect (I8 to I13). The rest is in dealer-router.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Router } from "../../src/index.js";
import {
  freePort,
  managed,
  rawConnected,
  rawListen,
  record,
  TRANSPORTS,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { message, type RawPeer } from "../support/raw-peer.js";

const next = async (socket: Router | Dealer) => texts(await socket.receive({ timeout: 20_000 }));

/** A raw DEALER with a name. */
function named(endpoint: string, name: string): Promise<RawPeer> {
  return rawConnected(endpoint, { type: "DEALER", properties: [["Identity", name]] });
}

describe("two peers with one name", () => {
  it("a second Dealer of a name is closed with an event, dials again, and is heard as soon as the name is free (I8)", async () => {
    const router = managed(new Router({ mandatory: true }));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const first = await named(endpoint, "n");
    const second = managed(new Dealer({ routingId: "n", reconnectInterval: 10 }));
    second.connect(endpoint);
    await second.send("late");
    const { error } = await events.next("handshake:error:other");
    expect(error).toMatchObject({ code: "routing-id-taken" });
    expect(router.peers).toHaveLength(1);
    await router.send(["n", "for the first"]);
    expect(texts(await first.readMessage())).toEqual(["for the first"]);
    await events.next("handshake:error:other", 3);
    expect(router.tryReceive()).toBeUndefined();
    first.close();
    await events.next("handshake", 2);
    await second.send("heard");
    for (let text = ""; text !== "heard"; ) text = (await next(router))[1]; // "late" may have gone with a connection
    await router.send(["n", "back"]);
    expect(await next(second)).toEqual(["back"]);
    expect([events.of("handshake").length, events.of("disconnect").length]).toEqual([2, 1]);
  });

  it.each([false, true])(
    "an announced name equal to a generated one is refused, handover %s (I9, C14)",
    async (handover) => {
      const router = managed(new Router({ mandatory: true, handover }));
      const events = record(router);
      const endpoint = await router.bind("tcp://127.0.0.1:*");
      const nameless = await rawConnected(endpoint, { type: "DEALER", properties: [] });
      nameless.write(message("x"));
      const [generated] = await router.receive({ timeout: 20_000 });
      const forger = await rawConnected(endpoint, { type: "DEALER", properties: [["Identity", generated]] });
      await forger.closed();
      expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "routing-id-taken" });
      await router.send([generated, "for the first"]);
      expect(texts(await nameless.readMessage())).toEqual(["for the first"]);
    },
  );

  it("with handover the second has the name at once, and the first connection is closed (I9)", async () => {
    const router = managed(new Router({ mandatory: true, handover: true }));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const first = await named(endpoint, "n");
    first.write(message("unread"));
    await first.barrier();
    const second = await named(endpoint, "n");
    await first.closed();
    expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "routing-id-taken" });
    await events.next("disconnect");
    await router.send(["n", "x"]);
    expect(texts(await second.readMessage())).toEqual(["x"]);
    second.write(message("new"));
    expect([await next(router), await next(router)]).toEqual([
      ["n", "unread"],
      ["n", "new"],
    ]);
    const third = await named(endpoint, "n"); // and so on
    await second.closed();
    await router.send(["n", "y"]);
    expect(texts(await third.readMessage())).toEqual(["y"]);
    expect(router.stats.peers).toBe(1);
  });

  it("handover may be set while peers are connected (I9)", async () => {
    const router = managed(new Router());
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const first = await named(endpoint, "n");
    await router.connected({ timeout: 20_000 });
    router.handover = true;
    await named(endpoint, "n");
    await first.closed();
  });

  it("a send that waits for the first goes to the second (I9)", async () => {
    const router = managed(new Router({ mandatory: true, handover: true, sendHighWaterMark: 1 }));
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const first = await named(endpoint, "n");
    await router.connected({ timeout: 20_000 });
    first.pause();
    for (let refused = 0; refused < 50; refused++) {
      if (router.trySend(["n", Buffer.alloc(1_000_000)])) refused = 0;
      await turns(1);
    }
    const waiting = router.send(["n", "late"]);
    const second = await named(endpoint, "n");
    await waiting;
    expect(texts(await second.readMessage())).toEqual(["late"]);
  });

  it("a client that died silently holds its name until heartbeats end its connection (I10)", async () => {
    const router = managed(new Router({ mandatory: true, heartbeatInterval: 100, heartbeatTimeout: 300 }));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    await named(endpoint, "n"); // never answers a PING
    const dealer = managed(new Dealer({ routingId: "n", reconnectInterval: 10 }));
    dealer.connect(endpoint);
    await events.next("handshake:error:other");
    await events.next("disconnect");
    await events.next("handshake", 2);
    await dealer.send("heard");
    expect(await next(router)).toEqual(["n", "heard"]);
  });

  it("over inproc: the second is refused with an event, also what it sent before it was joined; it may connect again (I8)", async () => {
    const endpoint = `inproc://names-${process.pid}`;
    const [first, second] = ["n", "n"].map((routingId) =>
      managed(new Dealer({ routingId, probeRouter: true })),
    );
    const told = record(second);
    for (const dealer of [first, second]) {
      dealer.connect(endpoint);
      await dealer.send("before");
    }
    const router = managed(new Router());
    const events = record(router);
    await router.bind(endpoint);
    expect([await next(router), await next(router)]).toEqual([
      ["n", ""],
      ["n", "before"],
    ]);
    for (const record of [events, told]) {
      expect((await record.next("handshake:error:other")).error).toMatchObject({ code: "routing-id-taken" });
    }
    await turns(10);
    expect(router.tryReceive()).toBeUndefined();
    await router.send(["n", "x"]);
    expect(await next(first)).toEqual(["x"]);
    expect(second.tryReceive()).toBeUndefined();
    first.disconnect(endpoint);
    second.disconnect(endpoint);
    second.connect(endpoint);
    expect(await next(router)).toEqual(["n", ""]);
  });

  it("over inproc: the second has the name and the first is disconnected (I9)", async () => {
    const endpoint = `inproc://handover-${process.pid}`;
    const router = managed(new Router({ handover: true }));
    await router.bind(endpoint);
    const [first, second] = ["n", "n"].map((routingId) => managed(new Dealer({ routingId })));
    const events = record(first);
    for (const dealer of [first, second]) dealer.connect(endpoint);
    await events.next("disconnect");
    await router.send(["n", "x"]);
    expect(await next(second)).toEqual(["x"]);
    await second.send("y");
    expect(await next(router)).toEqual(["n", "y"]);
  });

  it("a peer that we dial and that has a taken name is dialled again until the name is free (I8)", async () => {
    const router = managed(new Router({ reconnectInterval: 10, mandatory: true }));
    const events = record(router);
    const holder = await named(await router.bind("tcp://127.0.0.1:*"), "n");
    await router.connected({ timeout: 20_000 });
    const listener = await rawListen();
    router.connect(listener.endpoint);
    const properties = [["Identity", "n"]] as const;
    const refused = await listener.accept();
    await refused.handshake({ type: "ROUTER", properties });
    await refused.closed();
    expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "routing-id-taken" });
    holder.close();
    await events.next("disconnect");
    const heard = await listener.accept();
    await heard.handshake({ type: "ROUTER", properties });
    heard.write(message("heard"));
    expect(await next(router)).toEqual(["n", "heard"]);
    await router.send(["n", "back"]);
    expect(texts(await heard.readMessage())).toEqual(["back"]);
  });

  it("a dialled peer that lost its name and connects again is not left deaf (I9)", async () => {
    const router = managed(new Router({ reconnectInterval: 10, mandatory: true, handover: true }));
    const events = record(router);
    const listener = await rawListen();
    router.connect(listener.endpoint);
    const properties = [["Identity", "n"]] as const;
    const first = await listener.accept();
    await first.handshake({ type: "ROUTER", properties });
    await router.connected({ timeout: 20_000 });
    const second = await named(await router.bind("tcp://127.0.0.1:*"), "n");
    await first.closed();
    const again = await listener.accept();
    await again.handshake({ type: "ROUTER", properties }); // takes the name back
    await second.closed();
    await events.next("disconnect", 2);
    again.write(message("heard"));
    expect(await next(router)).toEqual(["n", "heard"]);
    await router.send(["n", "back"]);
    expect(texts(await again.readMessage())).toEqual(["back"]);
  });
});

describe.each(TRANSPORTS)("names given by connect() over $name", ({ endpoint, absent }) => {
  it("the peer can be addressed at once under that name, whatever it calls itself (I11)", async () => {
    const actual = await absent();
    const router = managed(new Router({ mandatory: true, reconnectInterval: 10 }));
    router.connect(actual, { routingId: "far" });
    await router.send(["far", "queued"]);
    const other = managed(new Router({ routingId: "called otherwise", mandatory: true }));
    await other.bind(actual);
    const [name, text] = await other.receive({ timeout: 20_000 });
    expect(text.toString()).toBe("queued");
    await other.send([name, "back"]);
    expect(await next(router)).toEqual(["far", "back"]);
    await expect(router.send(["called otherwise", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("the name is for one connect() only, and one in use is EINVAL (I11)", async () => {
    const router = managed(new Router({ mandatory: true }));
    const peers = [managed(new Router({ routingId: "a" })), managed(new Router({ routingId: "b" }))];
    const [one, two] = [await peers[0].bind(endpoint()), await peers[1].bind(endpoint())];
    router.setStringOption(61, "first"); // CONNECT_ROUTING_ID
    router.connect(one);
    expect(() => router.connect(two, { routingId: "first" })).toThrow(
      expect.objectContaining({ name: "ZmqError", code: "EINVAL", address: two }),
    );
    router.connect(two);
    await router.connected({ count: 2, timeout: 20_000 });
    for (const name of ["first", "b"]) await router.send([name, "x"]);
    await expect(router.send(["a", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    router.disconnect(one);
    await until(() => router.stats.peers === 1, "the first is gone");
    router.connect(one, { routingId: "first" }); // free again
  });

  it("a name is free after disconnect(), also when its peer appears while output lingers (I11, S13)", async () => {
    const actual = await absent();
    const router = managed(new Router({ mandatory: true, reconnectInterval: 10, linger: 30_000 }));
    router.connect(actual, { routingId: "far" });
    await router.send(["far", "unsent"]);
    router.disconnect(actual);
    const far = managed(new Router({ routingId: "own" }));
    const events = record(far);
    await far.bind(actual);
    expect((await next(far)).slice(1)).toEqual(["unsent"]);
    await events.next("disconnect");
    for (const name of ["far", "own"])
      await expect(router.send([name, "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    expect(router.peers).toHaveLength(0);
    router.connect(actual, { routingId: "far" });
  });

  it("without a name the peer is not addressable until the handshake is done (I12)", async () => {
    const actual = await absent();
    const router = managed(new Router({ mandatory: true, reconnectInterval: 10 }));
    router.connect(actual);
    await expect(router.send(["far", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    const far = managed(new Router({ routingId: "far" }));
    await far.bind(actual);
    await router.connected({ timeout: 20_000 });
    await router.send(["far", "now"]);
    expect((await next(far)).slice(1)).toEqual(["now"]);
  });
});

describe("names over a reconnect", () => {
  it("a name given by connect() stays, and so does its queue (I11)", async () => {
    const listener = await rawListen();
    const router = managed(new Router({ mandatory: true, reconnectInterval: 20 }));
    const events = record(router);
    router.connect(listener.endpoint, { routingId: "far" });
    for (let i = 0; i < 3; i++) {
      const peer = await listener.accept();
      await peer.handshake({ type: "DEALER", properties: [["Identity", `name ${i}`]] });
      if (i > 0) expect(texts(await peer.readMessage())).toEqual([`queued ${i}`]);
      peer.write(message(`${i}`));
      expect(await next(router)).toEqual(["far", `${i}`]);
      peer.close();
      await events.next("disconnect", i + 1);
      await router.send(["far", `queued ${i + 1}`]);
    }
  });

  it.each([
    ["another name", "two"],
    ["none at all", ""],
  ])("what waits for a dialled peer does not reach who comes back under %s (I13)", async (_, other) => {
    const listener = await rawListen();
    const router = managed(new Router({ mandatory: true, reconnectInterval: 20 }));
    const events = record(router);
    router.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "DEALER", properties: [["Identity", "one"]] });
    first.write(message("x"), message("unread"));
    expect(await next(router)).toEqual(["one", "x"]);
    first.close();
    await events.next("disconnect");
    await router.send(["one", "for one only"]);
    const second = await listener.accept();
    await second.handshake({ type: "DEALER", properties: [["Identity", other]] });
    second.write(message("y"));
    expect(await next(router)).toEqual(["one", "unread"]); // the name that it came under
    const [name, text] = await router.receive({ timeout: 20_000 });
    expect(text.toString()).toBe("y");
    if (other === "") expect([name.length, name[0]]).toEqual([5, 0]);
    else expect(name.toString()).toBe(other);
    await expect(router.send(["one", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    await router.send([name, "back"]);
    expect(texts(await second.readMessage())).toEqual(["back"]);
  });

  it("a dialled peer that comes back under its name, or without one as before, finds what waited for it (I13, G3)", async () => {
    for (const identity of ["one", ""]) {
      const listener = await rawListen();
      const router = managed(new Router({ mandatory: true, reconnectInterval: 20 }));
      const events = record(router);
      router.connect(listener.endpoint);
      const first = await listener.accept();
      await first.handshake({ type: "DEALER", properties: [["Identity", identity]] });
      first.write(message("x"));
      const [name] = await router.receive({ timeout: 20_000 });
      first.close();
      await events.next("disconnect");
      await router.send([name, "queued"]);
      const second = await listener.accept();
      await second.handshake({ type: "DEALER", properties: [["Identity", identity]] });
      expect(texts(await second.readMessage())).toEqual(["queued"]);
    }
  });

  it("what lingers for a dialled peer does not reach who comes back under another name (I13, S9)", async () => {
    const listener = await rawListen();
    const router = managed(new Router({ mandatory: true, reconnectInterval: 20 }));
    const events = record(router);
    router.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "DEALER", properties: [["Identity", "one"]] });
    await router.connected({ timeout: 20_000 });
    first.close();
    await events.next("disconnect");
    await router.send(["one", "for one only"]);
    const closed = router.close({ linger: -1 });
    const second = await listener.accept();
    await second.handshake({ type: "DEALER", properties: [["Identity", "two"]] });
    await second.closed();
    expect(second.buffered).toBe(0);
    await closed; // nothing is left to wait for
  });

  it("with immediate a name is given once, though no queue waits under it (I11)", async () => {
    const router = managed(new Router({ immediate: true, mandatory: true, reconnectInterval: 20 }));
    const listener = await rawListen();
    router.connect(listener.endpoint, { routingId: "far" });
    await expect(router.send(["far", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    const other = await freePort();
    expect(() => router.connect(other, { routingId: "far" })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    // Until it is there the name is free for a peer that calls itself so; the dialled one is turned away then (I8).
    const holder = await named(await router.bind("tcp://127.0.0.1:*"), "far");
    await router.connected({ timeout: 20_000 });
    const late = await listener.accept();
    await late.handshake({ type: "DEALER" });
    await late.closed();
    holder.write(message("x"));
    expect(await next(router)).toEqual(["far", "x"]);
    await router.send(["far", "y"]);
    expect(texts(await holder.readMessage())).toEqual(["y"]);
    expect(router.tryReceive()).toBeUndefined();
  });
});
