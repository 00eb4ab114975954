/**
 * Messages that nobody sends: what a new peer hears first (helloMessage), and what the socket hears when a connection is
 * made or lost (routerNotify, disconnectMessage, hiccupMessage). With a proof for each against libzmq in
 * test/zeromq/programs/notices.mjs.
 */
import { describe, expect, it } from "vitest";
import { Client, Peer, Server } from "../../src/draft.js";
import { Dealer, Reply, Router } from "../../src/index.js";
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
} from "../support/helpers.js";

const soon = { timeout: 20_000 };

const next = async (socket: Router | Dealer) => texts(await socket.receive(soon));

describe.each(TRANSPORTS)("over $name", ({ name, endpoint, absent }) => {
  it("helloMessage comes first to each peer, whoever dialled, before what was sent already", async () => {
    for (const dealerBinds of [false, true]) {
      const router = managed(new Router({ helloMessage: "from router" }));
      const dealer = managed(new Dealer({ helloMessage: Buffer.from("from dealer"), routingId: "d" }));
      const [binding, dialling] = dealerBinds ? [dealer, router] : [router, dealer];
      const actual = await absent();
      dialling.connect(actual);
      const sent = dealer.send("said");
      await binding.bind(actual);
      await sent;
      expect(await next(router)).toEqual(["d", "from dealer"]);
      expect(await next(router)).toEqual(["d", "said"]);
      expect(await next(dealer)).toEqual(["from router"]);
      expect(dealer.tryReceive()).toBeUndefined();
    }
  });

  it("helloMessage and probeRouter: both come, the greeting first", async () => {
    const router = managed(new Router());
    const dealer = managed(new Dealer({ helloMessage: "hello", probeRouter: true, routingId: "d" }));
    dealer.connect(await router.bind(endpoint()));
    expect([await next(router), await next(router)]).toEqual([
      ["d", "hello"],
      ["d", ""],
    ]);
  });

  it("helloMessage of a Reply greets a Dealer, which is served all the same", async () => {
    const reply = managed(new Reply({ helloMessage: "hello" }));
    const dealer = managed(new Dealer());
    dealer.connect(await reply.bind(endpoint()));
    expect(await next(dealer)).toEqual(["hello"]);
    await dealer.send(["", "question"]);
    expect(texts(await reply.receive(soon))).toEqual(["question"]);
    await reply.send("answer");
    expect(await next(dealer)).toEqual(["", "answer"]);
  });

  it("disconnectMessage comes as the last of a peer that dialled, after all that it sent", async () => {
    const router = managed(new Router({ disconnectMessage: "gone" }));
    const actual = await router.bind(endpoint());
    const [one, two] = ["one", "two"].map((routingId) => managed(new Dealer({ routingId })));
    for (const dealer of [one, two]) dealer.connect(actual);
    await router.connected({ count: 2, ...soon });
    await one.send("last words");
    await one.close();
    expect([await next(router), await next(router)]).toEqual([
      ["one", "last words"],
      ["one", "gone"],
    ]);
    two.disconnect(actual);
    expect(await next(router)).toEqual(["two", "gone"]);
  });

  it("disconnectMessage wakes a receive that waits, and comes with who it was", async () => {
    const router = managed(new Router({ disconnectMessage: "gone", messagePeers: true }));
    const dealer = managed(new Dealer({ routingId: "d" }));
    dealer.connect(await router.bind(endpoint()));
    await router.connected(soon);
    const [peer] = router.peers;
    const waiting = router.receive(soon);
    expect(await settled(waiting)).toBe(false);
    await dealer.close();
    const message = await waiting;
    expect(texts(message)).toEqual(["d", "gone"]);
    expect(router.peerOf(message)).toBe(peer);
  });

  it("nothing tells of what the socket itself lets go: unbind() and disconnect()", async () => {
    const router = managed(new Router({ disconnectMessage: "gone", routerNotify: 2 }));
    const dealer = managed(new Dealer({ hiccupMessage: "hiccup" }));
    const actual = await router.bind(endpoint());
    dealer.connect(actual);
    await router.connected(soon);
    await router.unbind(actual);
    await until(() => router.peers.length === 0, "the peer is gone");
    expect(router.tryReceive()).toBeUndefined();
    const other = await router.bind(endpoint());
    const dialling = managed(new Router({ routerNotify: 2 }));
    dialling.connect(other);
    await router.connected(soon);
    dialling.disconnect(other);
    expect((await next(router)).slice(1)).toEqual([""]);
    expect((await next(router)).slice(1)).toEqual(["gone"]);
    expect(dialling.tryReceive()).toBeUndefined();
  });

  it("routerNotify tells of each connection made, first of all, and lost, on both sides", async () => {
    for (const notify of [0, 1, 2, 3]) {
      const bound = managed(new Router({ routerNotify: notify, routingId: "bound" }));
      const actual = await absent();
      const dialling = managed(new Router({ routerNotify: notify, routingId: "dialling" }));
      const dealer = managed(new Dealer({ routingId: "dealer" }));
      dialling.connect(actual);
      await bound.bind(actual);
      await Promise.all([bound.connected(soon), dialling.connected(soon)]);
      if (notify & 1) expect(await next(bound)).toEqual(["dialling", ""]);
      if (notify & 1) expect(await next(dialling)).toEqual(["bound", ""]);
      dealer.connect(actual);
      await dealer.send("said");
      if (notify & 1) expect(await next(bound)).toEqual(["dealer", ""]);
      expect(await next(bound)).toEqual(["dealer", "said"]);
      await dealer.close();
      if (notify & 2) expect(await next(bound)).toEqual(["dealer", ""]);
      await bound.send(["dialling", "to the end"]);
      expect(await next(dialling)).toEqual(["bound", "to the end"]);
      await bound.close();
      if (notify & 2) expect(await next(dialling)).toEqual(["bound", ""]);
      await until(() => dialling.peers.length === 0, "the peer is gone");
      expect(dialling.tryReceive()).toBeUndefined();
    }
  });

  it("routerNotify comes before what a Dealer sent before there was a Router", async () => {
    const dealer = managed(new Dealer({ routingId: "d" }));
    const router = managed(new Router({ routerNotify: 1 }));
    const actual = await absent();
    dealer.connect(actual);
    for (const text of ["a", "b", "c"]) await dealer.send(text);
    await router.bind(actual);
    const got = [];
    for (let i = 0; i < 4; i++) got.push((await next(router))[1]);
    expect(got).toEqual(["", "a", "b", "c"]);
  });

  it("hiccupMessage comes when a connection that we made is lost; not over inproc, where none is made again", async () => {
    const dealer = managed(new Dealer({ hiccupMessage: "hiccup", reconnectInterval: 10 }));
    const first = managed(new Router());
    dealer.connect(await first.bind(endpoint()));
    await dealer.connected(soon);
    await first.close();
    await until(() => dealer.peers.length === 0, "the connection is lost");
    if (name === "inproc") expect(dealer.tryReceive()).toBeUndefined();
    else expect(await next(dealer)).toEqual(["hiccup"]);
  });

  it("Server, Client and Peer have them, with the peer's number", async () => {
    for (const [Binding, Dialling] of [
      [Server, Client],
      [Peer, Peer],
    ] as const) {
      const server = managed(new Binding({ helloMessage: "from server", disconnectMessage: "gone" }));
      const client = managed(new Dialling({ helloMessage: "from client", hiccupMessage: "hiccup" }));
      client.connect(await server.bind(endpoint()));
      const [hello, { routingId }] = await server.receive(soon);
      expect(hello.toString()).toBe("from client");
      expect(String((await client.receive(soon))[0])).toBe("from server");
      await client.close();
      const [last, from] = await server.receive(soon);
      expect([last.toString(), from.routingId]).toEqual(["gone", routingId]);
    }
  });
});

it("what is set after bind and connect is for those that follow", async () => {
  const router = managed(new Router());
  const dealer = managed(new Dealer());
  const actual = await router.bind("tcp://127.0.0.1:*");
  const warning = new Promise((resolve) => process.once("warning", resolve));
  router.helloMessage = "hello";
  await warning;
  router.routerNotify = 3;
  router.disconnectMessage = "gone";
  dealer.connect(actual);
  await dealer.send("first");
  expect((await next(router))[1]).toBe("first");
  expect(dealer.tryReceive()).toBeUndefined();
  dealer.connect(await router.bind("tcp://127.0.0.1:*"));
  expect(await next(dealer)).toEqual(["hello"]);
});

it("each connection begins with helloMessage, also one made anew, and no other does", async () => {
  const listener = await rawListen();
  const dealer = managed(new Dealer({ helloMessage: "x".repeat(300), reconnectInterval: 10 }));
  dealer.connect(listener.endpoint);
  for (let i = 0; i < 2; i++) {
    const far = await listener.accept();
    await far.handshake({ type: "ROUTER" });
    expect(texts(await far.readMessage())).toEqual(["x".repeat(300)]);
    await dealer.send(`${i}`);
    expect(texts(await far.readMessage())).toEqual([`${i}`]);
    far.close();
  }
});

it("a stranger whose handshake does not end is not told of, and neither is a name refused", async () => {
  const router = managed(new Router({ routerNotify: 3, disconnectMessage: "gone" }));
  const actual = await router.bind("tcp://127.0.0.1:*");
  const holder = await rawConnected(actual, { type: "DEALER", properties: [["Identity", "name"]] });
  expect(await next(router)).toEqual(["name", ""]);
  const second = await rawConnected(actual, { type: "DEALER", properties: [["Identity", "name"]] });
  await second.closed();
  expect(router.tryReceive()).toBeUndefined();
  const { events } = record(router);
  (await rawDial(actual)).close();
  await until(() => events.some(({ type }) => type === "handshake:error:other"), "it has left");
  expect(router.tryReceive()).toBeUndefined();
  holder.close();
  expect([await next(router), await next(router)]).toEqual([
    ["name", ""],
    ["name", "gone"],
  ]);
});

it("a listener that closes the socket when a peer comes or goes is told nothing after that", async () => {
  for (const type of ["handshake", "disconnect"] as const) {
    const router = managed(new Router({ routerNotify: 3, disconnectMessage: "gone" }));
    const got: string[][] = [];
    router.on("message", (parts) => got.push(texts(parts)));
    router.on(type, () => router.close());
    const dealer = managed(new Dealer({ routingId: "d" }));
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    if (type === "disconnect") {
      await until(() => got.length === 1, "the peer is told of");
      await dealer.close();
    }
    await until(() => router.closed, "the socket is closed");
    await turns(5);
    expect(got).toEqual(type === "disconnect" ? [["d", ""]] : []);
  }
});

it("a peer that takes over a name is told of as made, and the one before it not as gone", async () => {
  const router = managed(new Router({ routerNotify: 3, handover: true }));
  const actual = await router.bind("tcp://127.0.0.1:*");
  await rawConnected(actual, { type: "DEALER", properties: [["Identity", "name"]] });
  expect(await next(router)).toEqual(["name", ""]);
  const second = await rawConnected(actual, { type: "DEALER", properties: [["Identity", "name"]] });
  expect(await next(router)).toEqual(["name", ""]);
  await until(() => router.peers.length === 1, "the first is gone");
  expect(router.tryReceive()).toBeUndefined();
  second.close();
  expect(await next(router)).toEqual(["name", ""]);
});
