/**
 * Section I, but for the names of peers (router-names.test.ts): what DEALER and ROUTER send, receive, drop and wait
 * for. With C14, G10, G14 and H18.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Reply, Request, Router } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  TRANSPORTS,
  texts,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

/** A ROUTER and a DEALER with a name, joined. */
async function joined(endpoint: string, routing = {}, dealing = {}) {
  const router = managed(new Router(routing));
  const dealer = managed(new Dealer({ routingId: "d", ...dealing }));
  dealer.connect(await router.bind(endpoint));
  await Promise.all([router.connected({ timeout: 20_000 }), dealer.connected({ timeout: 20_000 })]);
  return { router, dealer };
}

const next = async (socket: Router | Dealer | Request | Reply) =>
  texts(await socket.receive({ timeout: 20_000 }));

describe.each(TRANSPORTS)("DEALER and ROUTER over $name", ({ endpoint }) => {
  it("DEALER adds and takes away nothing: empty parts and any number of them pass (I1)", async () => {
    const { router, dealer } = await joined(endpoint());
    for (const parts of [["a"], [""], ["", "b"], ["a", "", ""]]) {
      await dealer.send(parts);
      expect(await next(router)).toEqual(["d", ...parts]);
      await router.send(["d", ...parts]);
      expect(await next(dealer)).toEqual(parts);
    }
  });

  it("two DEALER sockets talk to each other as they are (I1)", async () => {
    const [one, two] = [managed(new Dealer()), managed(new Dealer())];
    two.connect(await one.bind(endpoint()));
    await one.connected({ timeout: 20_000 });
    await one.send(["", "x"]);
    await two.send("y");
    expect([await next(two), await next(one)]).toEqual([["", "x"], ["y"]]);
  });

  it("DEALER without a peer waits, or fails with EAGAIN; nothing is dropped (I2)", async () => {
    const dealer = managed(new Dealer());
    const actual = await dealer.bind(endpoint());
    expect(dealer.trySend("x")).toBe(false);
    await expect(dealer.send("x", { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
    const waiting = dealer.send("kept");
    expect(await settled(waiting)).toBe(false);
    const router = managed(new Router());
    router.connect(actual);
    await within(waiting, "the send goes on");
    expect((await next(router)).slice(1)).toEqual(["kept"]);
  });

  it("DEALER with a full peer waits, and every message arrives in order (I2)", async () => {
    const { router, dealer } = await joined(
      endpoint(),
      { receiveHighWaterMark: 4 },
      { sendHighWaterMark: 4 },
    );
    const body = Buffer.alloc(400_000);
    const sends: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) sends.push(dealer.send([`${i}`, body]));
    await turns(50);
    expect(dealer.stats.sendQueue).toBeGreaterThan(0);
    for (let i = 0; i < 40; i++)
      expect((await router.receive({ timeout: 20_000 }))[1].toString()).toBe(`${i}`);
    await Promise.all(sends);
  });

  it("ROUTER puts the name of the peer before each message (I3)", async () => {
    const router = managed(new Router());
    const actual = await router.bind(endpoint());
    const dealers = ["one", "two"].map((routingId) => managed(new Dealer({ routingId })));
    for (const dealer of dealers) dealer.connect(actual);
    await router.connected({ count: 2, timeout: 20_000 });
    for (const dealer of dealers) await dealer.send(["from", String(dealer.routingId)]);
    const got = [await next(router), await next(router)].sort();
    expect(got).toEqual([
      ["one", "from", "one"],
      ["two", "from", "two"],
    ]);
    await router.send(["two", "only"]);
    expect(await next(dealers[1])).toEqual(["only"]);
    expect(dealers[0].tryReceive()).toBeUndefined();
  });

  it("the name in a received message is a copy: changing it changes nothing else (I3)", async () => {
    const { router, dealer } = await joined(endpoint());
    await dealer.send("1");
    const [name] = await router.receive({ timeout: 20_000 });
    name.fill(0);
    await dealer.send("2");
    expect(await next(router)).toEqual(["d", "2"]);
  });

  it("a peer without a name gets one of five octets, the first zero, and no two the same (C14)", async () => {
    const router = managed(new Router());
    const actual = await router.bind(endpoint());
    const names = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const dealer = managed(new Dealer());
      dealer.connect(actual);
      await dealer.send("x");
      const [name] = await router.receive({ timeout: 20_000 });
      expect([name.length, name[0]]).toEqual([5, 0]);
      names.add(name.toString("hex"));
      await router.send([name, "back"]);
      expect(await next(dealer)).toEqual(["back"]);
    }
    expect(names.size).toBe(5);
  });

  it("a message to nobody is dropped with success, and counted; with mandatory it is EHOSTUNREACH (I4)", async () => {
    const router = managed(new Router());
    await router.bind(endpoint());
    for (const name of ["x", Buffer.from([0, 1, 2, 3, 4]), ""]) await router.send([name, "lost"]);
    expect(router.stats.dropped).toBe(3);
    router.mandatory = true;
    await expect(router.send(["x", "lost"])).rejects.toMatchObject({
      name: "ZmqError",
      code: "EHOSTUNREACH",
    });
    await expect(router.send("x")).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    await expect(router.sendMany([["x", "lost"]])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    expect(() => router.trySend(["x", "lost"])).toThrow(expect.objectContaining({ code: "EHOSTUNREACH" }));
  });

  it("a message to a full peer is dropped; with mandatory the send waits or fails with EAGAIN (I5)", async () => {
    const { router, dealer } = await joined(
      endpoint(),
      { sendHighWaterMark: 3 },
      { receiveHighWaterMark: 3 },
    );
    const body = Buffer.alloc(500_000);
    let sent = 0;
    while (router.stats.dropped === 0) {
      await router.send(["d", `${sent++}`, body], { timeout: 0 });
      await turns(1);
    }
    router.mandatory = true;
    expect(router.trySend(["d", "no", body])).toBe(false);
    await expect(router.send(["d", "no"], { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
    const waiting = router.send(["d", "late"]);
    expect(await settled(waiting)).toBe(false);
    const got: string[] = [];
    while (!got.includes("late")) got.push((await dealer.receive({ timeout: 20_000 }))[0].toString());
    await waiting;
    expect(got).toHaveLength(sent - router.stats.dropped + 1);
  });

  it("a message that is nothing but the name is swallowed (I6)", async () => {
    const { router, dealer } = await joined(endpoint());
    await router.send("d");
    await router.send(["d"]);
    await router.send(["d", "after"]);
    expect(await next(dealer)).toEqual(["after"]);
  });

  it("ROUTER always takes a message; with mandatory only for a peer with room (I7)", async () => {
    const { router } = await joined(endpoint(), { sendHighWaterMark: 2 }, { receiveHighWaterMark: 2 });
    const other = managed(new Dealer({ routingId: "other" }));
    other.connect(router.lastEndpoint as string);
    await router.connected({ count: 2, timeout: 20_000 });
    const body = Buffer.alloc(500_000);
    for (let i = 0; i < 50; i++) expect([router.writable, router.trySend(["d", body])]).toEqual([true, true]);
    expect(router.trySend(["nobody", "x"])).toBe(true);
    router.mandatory = true;
    await turns(20);
    while (router.trySend(["d", body])) await turns(1);
    expect(router.trySend(["d", "x"])).toBe(false);
    expect([router.writable, router.trySend(["other", "x"])]).toEqual([true, true]);
    expect(await next(other)).toEqual(["x"]);
  });

  it("ROUTER takes whole messages of its peers in turn (G10)", async () => {
    const router = managed(new Router());
    const actual = await router.bind(endpoint());
    const [busy, quiet] = ["busy", "quiet"].map((routingId) => managed(new Dealer({ routingId })));
    for (const dealer of [busy, quiet]) dealer.connect(actual);
    await router.connected({ count: 2, timeout: 20_000 });
    for (let i = 0; i < 300; i++) await busy.send(["a", "b"]);
    for (let i = 0; i < 5; i++) await quiet.send(["a", "b"]);
    await until(() => router.stats.receiveQueue === 305, "all have arrived");
    const first: string[] = [];
    for (let i = 0; i < 12; i++) {
      const parts = await next(router);
      expect(parts).toHaveLength(3);
      first.push(parts[0]);
    }
    expect(first.filter((name) => name === "quiet")).toHaveLength(5);
  });

  it("DEALER sends to its peers in turn (G11)", async () => {
    const dealer = managed(new Dealer());
    const routers = [managed(new Router()), managed(new Router()), managed(new Router())];
    for (const router of routers) dealer.connect(await router.bind(endpoint()));
    await dealer.connected({ count: 3, timeout: 20_000 });
    for (let i = 0; i < 9; i++) await dealer.send(`${i}`);
    for (const router of routers) {
      const got: number[] = [];
      for (let i = 0; i < 3; i++) got.push(Number((await next(router))[1]));
      expect([got[1] - got[0], got[2] - got[1]]).toEqual([3, 3]);
    }
  });

  it("DEALER with conflate keeps the newest each way, and refuses several parts (G14)", async () => {
    const [one, two] = [managed(new Dealer({ conflate: true })), managed(new Dealer({ conflate: true }))];
    two.connect(await one.bind(endpoint()));
    await Promise.all([one.connected({ timeout: 20_000 }), two.connected({ timeout: 20_000 })]);
    for (const [from, to] of [
      [one, two],
      [two, one],
    ]) {
      for (let i = 0; i <= 3000; i++) expect(from.trySend(`${i}`)).toBe(true);
      await until(() => from.stats.outboundQueue === 0 && to.stats.receiveQueue === 1, "the newest is there");
      await turns(20);
      expect(await next(to)).toEqual(["3000"]);
      expect(to.tryReceive()).toBeUndefined();
      expect(() => from.send(["a", "b"])).toThrow(TypeError);
    }
  });

  it("a message of several parts that waits when conflate is set is refused, not corrupted (G14)", async () => {
    const dealer = managed(new Dealer());
    const waiting = dealer.send(["a", "b"]);
    const outcome = expect(waiting).rejects.toMatchObject({ name: "ZmqError", code: "EINVAL" });
    const behind = dealer.send("c");
    dealer.conflate = true;
    const router = managed(new Router({ mandatory: true }));
    dealer.connect(await router.bind(endpoint()));
    await Promise.all([outcome, behind]);
    expect((await next(router)).slice(1)).toEqual(["c"]);
  });

  it("each hop adds one name, and the reply goes back through all of them (H18)", async () => {
    const reply = managed(new Reply());
    const hops: Promise<unknown>[] = [];
    let endpointOfHop = await reply.bind(endpoint());
    for (let i = 0; i < 2; i++) {
      const [front, back] = [managed(new Router()), managed(new Dealer())];
      back.connect(endpointOfHop);
      endpointOfHop = await front.bind(endpoint());
      hops.push(forward(front, back, i), forward(back, front));
    }
    const requests = ["a", "b", "c"].map(() => managed(new Request()));
    for (const request of requests) request.connect(endpointOfHop);
    const asked = requests.map((request, i) => request.request(["question", `${i}`], { timeout: 20_000 }));
    for (let i = 0; i < 3; i++) {
      const [what, who] = await next(reply);
      expect(what).toBe("question");
      await reply.send(["answer", who]);
    }
    expect((await Promise.all(asked)).map(texts)).toEqual([0, 1, 2].map((i) => ["answer", `${i}`]));
  });
});

/** Passes messages on; `named` checks how many names each has: those of the hops nearer to the client, and its own. */
async function forward(from: Router | Dealer, to: Router | Dealer, hop?: number): Promise<void> {
  for await (const parts of from) {
    // The outer hop is the last one made (1): it sees one name, the inner one two.
    if (hop !== undefined) expect(parts.findIndex((part) => part.length === 0)).toBe(2 - hop);
    if (!to.closed) await to.send(parts);
  }
}

describe("DEALER and ROUTER on the wire", () => {
  it("the frames of a DEALER are the parts and nothing else (I1)", async () => {
    const listener = await rawListen();
    const dealer = managed(new Dealer({ routingId: "me" }));
    dealer.connect(listener.endpoint);
    const peer = await listener.accept();
    const { properties } = await peer.handshake({ type: "ROUTER" });
    expect(properties.get("Socket-Type")?.toString()).toBe("DEALER");
    expect(properties.get("Identity")?.toString()).toBe("me"); // C11
    await dealer.send(["", "a", ""]);
    expect(texts(await peer.readMessage())).toEqual(["", "a", ""]);
    peer.write(message("", "b"));
    expect(await next(dealer)).toEqual(["", "b"]);
  });

  it("the name is not on the wire, neither way (I3)", async () => {
    const router = managed(new Router({ mandatory: true }));
    const peer = await rawConnected(await router.bind("tcp://127.0.0.1:*"), {
      type: "DEALER",
      properties: [["Identity", "raw"]],
    });
    peer.write(message("a", ""));
    expect(await next(router)).toEqual(["raw", "a", ""]);
    await router.send(["raw", "", "b"]);
    expect(texts(await peer.readMessage())).toEqual(["", "b"]);
  });

  it("a remote identity of 256 bytes is refused (C13)", async () => {
    const router = managed(new Router());
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const properties = [["Identity", Buffer.alloc(256, 65)]] as const;
    const bad = await rawConnected(endpoint, { type: "DEALER", properties });
    expect((await bad.readCommand()).name).toBe("ERROR");
    await bad.closed();
    const failure = await events.next("handshake:error:protocol");
    expect(failure.error).toMatchObject({ code: "invalid-routing-id" });
    const good = await rawConnected(endpoint, { type: "DEALER", properties: [["Identity", "good"]] });
    good.write(message("x"));
    expect(await next(router)).toEqual(["good", "x"]);
  });

  it("an empty Identity and none at all get a name each (C14)", async () => {
    const router = managed(new Router());
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const names: string[] = [];
    for (const properties of [[["Identity", ""]], []] as const) {
      const peer = await rawConnected(endpoint, { type: "DEALER", properties });
      peer.write(message("x"));
      const [name] = await router.receive({ timeout: 20_000 });
      expect([name.length, name[0]]).toEqual([5, 0]);
      names.push(name.toString("hex"));
    }
    expect(names[0]).not.toBe(names[1]);
  });

  it("a send that waits for a full peer is EHOSTUNREACH when that peer leaves, and the next one goes on (I5)", async () => {
    const router = managed(new Router({ mandatory: true, sendHighWaterMark: 2 }));
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const properties = (name: string) => [["Identity", name]] as const;
    const full = await rawConnected(endpoint, { type: "DEALER", properties: properties("full") });
    const free = await rawConnected(endpoint, { type: "DEALER", properties: properties("free") });
    await router.connected({ count: 2, timeout: 20_000 });
    full.pause();
    // Full means that the kernel takes no more either.
    for (let refused = 0; refused < 50; refused++) {
      if (router.trySend(["full", Buffer.alloc(1_000_000)])) refused = 0;
      await turns(1);
    }
    const first = router.send(["full", "1"]);
    const second = router.send(["full", "2"]);
    const third = router.send(["free", "3"]);
    const outcomes = [first, second].map((send) =>
      expect(send).rejects.toMatchObject({ code: "EHOSTUNREACH" }),
    );
    expect(await settled(first)).toBe(false);
    full.close();
    await Promise.all(outcomes);
    await within(third, "the send behind goes on");
    expect(texts(await free.readMessage())).toEqual(["3"]);
  });

  it("a message half sent to a peer that leaves is gone; the next one starts clean (I15)", async () => {
    const router = managed(new Router({ mandatory: true }));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const properties = [["Identity", "p"]] as const;
    const first = await rawConnected(endpoint, { type: "DEALER", properties });
    await router.connected({ timeout: 20_000 });
    first.pause();
    await router.send(["p", "head", Buffer.alloc(32 << 20), "tail"]);
    await router.send(["p", "waiting"]);
    first.close();
    await events.next("disconnect");
    expect(router.stats.outboundQueue).toBe(0);
    await expect(router.send(["p", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    const second = await rawConnected(endpoint, { type: "DEALER", properties });
    await router.connected({ timeout: 20_000 });
    await router.send(["p", "clean", "message"]);
    expect(texts(await second.readMessage())).toEqual(["clean", "message"]);
  });

  it.each([
    ["REQ", () => new Request({ probeRouter: true }), "ROUTER"],
    ["DEALER", () => new Dealer({ probeRouter: true }), "ROUTER"],
    ["ROUTER", () => new Router({ probeRouter: true }), "ROUTER"],
  ] as const)(
    "PROBE_ROUTER on %s: an empty message is the first to each peer, dialled or accepted (I14)",
    async (_, make, type) => {
      const dialling = managed(make());
      const listener = await rawListen();
      dialling.connect(listener.endpoint);
      const far = await listener.accept();
      await far.handshake({ type });
      const frame = await far.readFrame();
      expect([frame.flags, frame.body.length]).toEqual([0, 0]);
      await far.barrier(); // one, and nothing more
      const bound = managed(make());
      const peer = await rawConnected(await bound.bind("tcp://127.0.0.1:*"), { type });
      expect(texts(await peer.readMessage())).toEqual([""]);
      await peer.barrier();
    },
  );

  it.each([
    ["DEALER", () => new Dealer({ probeRouter: true, reconnectInterval: 10 }), "ROUTER"],
    ["ROUTER", () => new Router({ probeRouter: true, reconnectInterval: 10 }), "ROUTER"],
  ] as const)(
    "a %s with PROBE_ROUTER makes itself known to each peer that comes back, before what waited for it (I14)",
    async (_, make, type) => {
      const dialling = managed(make());
      const listener = await rawListen();
      dialling.connect(listener.endpoint);
      for (let i = 0; i < 3; i++) {
        const far = await listener.accept();
        await far.handshake({ type });
        expect(texts(await far.readMessage())).toEqual([""]);
        await far.barrier();
        far.close();
        if (dialling instanceof Dealer) {
          const events = record(dialling);
          await events.next("disconnect");
          await dialling.send("waits");
          const next = await listener.accept();
          await next.handshake({ type });
          expect(texts(await next.readMessage())).toEqual([""]);
          expect(texts(await next.readMessage())).toEqual(["waits"]);
          next.close();
        }
      }
    },
  );

  it("a ROUTER application sees the name of a peer that probes, and an empty part (I14)", async () => {
    for (const { endpoint } of TRANSPORTS) {
      const { router } = await joined(endpoint(), {}, { probeRouter: true });
      expect(await next(router)).toEqual(["d", ""]);
    }
  });
});
