/** Section X of docs/conformance.md: the schemes ws, with strangers that were written by hand or by others. */
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
} from "../../src/index.js";
import { gate, managed, record, texts, until } from "../support/helpers.js";
import { ACCEPT, frame, RawWebSocket, rawReady, rawServer, ready } from "../support/raw-websocket.js";

/** Messages of a WebSocket of the package ws, in order. */
function inbox(socket: WebSocket): { next(): Promise<Buffer> } {
  const queue: Buffer[] = [];
  const waiting: ((message: Buffer) => void)[] = [];
  socket.on("message", (data: Buffer) => {
    const waiter = waiting.shift();
    if (waiter === undefined) queue.push(data);
    else waiter(data);
  });
  socket.on("error", () => {});
  return {
    next: () => {
      const first = queue.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
  };
}

async function dialled(endpoint: string, protocols: string[] | string, options = {}) {
  const socket = new WebSocket(endpoint, protocols, options);
  onTestFinished(() => socket.terminate());
  const messages = inbox(socket);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return { socket, messages };
}

describe("ws endpoints", () => {
  it.each([
    ["ws://127.0.0.1:*", /^ws:\/\/127\.0\.0\.1:\d+\/$/],
    ["ws://127.0.0.1:0/", /^ws:\/\/127\.0\.0\.1:\d+\/$/],
    ["ws://*:*/chat", /^ws:\/\/0\.0\.0\.0:\d+\/chat$/],
    ["ws://lo:*/a/b", /^ws:\/\/127\.0\.0\.1:\d+\/a\/b$/],
  ])("%s is bound, and told as libzmq does (X1)", async (endpoint, shown) => {
    const pull = managed(new Pull());
    expect(await pull.bind(endpoint)).toMatch(shown);
    expect(pull.lastEndpoint).toMatch(shown);
    await pull.unbind(pull.lastEndpoint!);
    const other = managed(new Pull());
    if (!endpoint.startsWith("ws://lo")) expect(other.bindSync(endpoint)).toMatch(shown);
  });

  it("a connected endpoint is told with its path (X1)", () => {
    const push = managed(new Push());
    push.connect("ws://127.0.0.1:9");
    expect(push.lastEndpoint).toBe("ws://127.0.0.1:9/");
    push.disconnect("ws://127.0.0.1:9");
    push.connect("ws://127.0.0.1:9/x?token=1");
    expect(push.lastEndpoint).toBe("ws://127.0.0.1:9/x?token=1");
  });

  it.each([
    "ws://127.0.0.1",
    "ws://127.0.0.1/x",
    "ws://127.0.0.1:99999/",
    "ws://127.0.0.1:9/a b",
    "ws://127.0.0.1:9/a#b",
    "ws://127.0.0.1:9/ä",
    "ws://:9/",
  ])("%s is refused", async (endpoint) => {
    const pull = managed(new Pull());
    expect(() => pull.connect(endpoint)).toThrow(
      expect.objectContaining({ code: "EINVAL", address: endpoint }),
    );
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EINVAL", address: endpoint });
  });

  it("a wildcard cannot be dialled, a path with a query not be bound, and a Stream has no frames", async () => {
    expect(() => managed(new Push()).connect("ws://127.0.0.1:*/")).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    await expect(managed(new Pull()).bind("ws://127.0.0.1:*/a?b")).rejects.toMatchObject({ code: "EINVAL" });
    await expect(managed(new Stream()).bind("ws://127.0.0.1:*")).rejects.toMatchObject({
      code: "EPROTONOSUPPORT",
    });
  });

  it("several sockets share a port by their paths, and the port closes with the last (X13)", async () => {
    const [one, two, three] = [managed(new Pull()), managed(new Reply()), managed(new Pull())];
    const first = await one.bind("ws://127.0.0.1:*/one");
    const port = first.slice(0, first.lastIndexOf("/"));
    const second = await two.bind(`${port}/two/deep`);
    expect(second).toBe(`${port}/two/deep`);
    await expect(three.bind(`${port}/one`)).rejects.toMatchObject({ code: "EADDRINUSE" });
    const [push, request] = [managed(new Push()), managed(new Request())];
    push.connect(first);
    request.connect(`${port}/deep`); // what libzmq 4.3.5 makes of it
    await push.send("for one");
    const answer = request.request("for two");
    expect(texts(await one.receive())).toEqual(["for one"]);
    expect(texts(await two.receive())).toEqual(["for two"]);
    await two.send("from two");
    expect(texts(await answer)).toEqual(["from two"]);
    await one.unbind(first);
    const { head } = await RawWebSocket.ask(first);
    expect(head).toMatch(/^HTTP\/1\.1 404 /);
    await two.unbind(second);
    await three.bind(first);
  });
});

describe("our request", () => {
  it("lists what the mechanism allows, best first, and no extension (X2, X12)", async () => {
    const asked = gate<string>();
    const server = createServer((socket) => socket.once("data", (data) => asked.open(String(data))));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    managed(new Push()).connect(`ws://127.0.0.1:${port}/some/path?x=1`);
    const request = await asked.opened;
    expect(request).toMatch(/^GET \/some\/path\?x=1 HTTP\/1\.1\r\n/);
    const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, "m").exec(request)?.[1];
    expect(header("Host")).toBe(`127.0.0.1:${port}`);
    expect(header("Upgrade")).toBe("websocket");
    expect(header("Connection")).toBe("Upgrade");
    expect(header("Sec-WebSocket-Version")).toBe("13");
    expect(Buffer.from(header("Sec-WebSocket-Key")!, "base64")).toHaveLength(16);
    expect(header("Sec-WebSocket-Protocol")).toBe("ZWS2.0-NULL, ZWS2.0/NULL, ZWS2.0");
    expect(header("Sec-WebSocket-Extensions")).toBeUndefined();
  });

  it("a server that reads no slash in the list is asked again without (X2)", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "ZWS2.0" });
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const asked = new Promise<string | undefined>((resolve) =>
      server.once("connection", (_, request) => resolve(request.headers["sec-websocket-protocol"])),
    );
    managed(new Push()).connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    expect(await asked).toBe("ZWS2.0");
  });

  it.each([
    ["HTTP/1.1 404 Not Found", "the server answered 404 Not Found"],
    [
      "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x",
      "belongs to another request",
    ],
    ["HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade", "not that of a WebSocket"],
    ["SSH-2.0-x", "does not speak HTTP"],
    [`HTTP/1.1 200 OK\r\n${"x".repeat(20_000)}`, "a head of more than"],
  ])("an answer %.30s is told with the next attempt", async (answer, text) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(`${answer}\r\n\r\n`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const push = managed(new Push({ reconnectInterval: 20 }));
    const events = record(push);
    push.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    expect((await events.next("connect:retry")).error!.message).toContain(text);
    await events.next("connect:retry", 2);
  });

  it("a server that never answers has handshakeInterval (X14)", async () => {
    const server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const push = managed(new Push({ handshakeInterval: 100 }));
    const events = record(push);
    push.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    expect((await events.next("connect:retry")).error).toMatchObject({ code: "ETIMEDOUT" });
  });
});

describe("our answer", () => {
  it("echoes the first sub-protocol that both know, and nothing else (X3, X12)", async () => {
    const endpoint = await managed(new Pull()).bind("ws://127.0.0.1:*");
    for (const [listed, chosen] of [
      ["ZWS2.0/NULL,ZWS2.0", "ZWS2.0/NULL"],
      ["chat, ZWS2.0 , ZWS2.0/NULL", "ZWS2.0"],
      ["ZWS2.0/PLAIN, ZWS2.0-NULL", "ZWS2.0-NULL"],
      ["ZWS1.0", "ZWS1.0"],
    ]) {
      const headers = { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" };
      const { head } = await RawWebSocket.ask(endpoint, { protocol: listed, headers });
      expect(head.split("\r\n")).toEqual([
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        `Sec-WebSocket-Accept: ${ACCEPT}`,
        `Sec-WebSocket-Protocol: ${chosen}`,
      ]);
    }
  });

  it.each([
    ["no sub-protocol", { protocol: null }, 400],
    ["another sub-protocol", { protocol: "graphql-ws" }, 400],
    ["one of another mechanism", { protocol: "ZWS2.0/PLAIN, ZWS2.0/CURVE" }, 400],
    ["no key", { headers: { "Sec-WebSocket-Key": null } }, 400],
    ["half a key", { headers: { "Sec-WebSocket-Key": "dGhl" } }, 400],
    ["an old version", { headers: { "Sec-WebSocket-Version": "8" } }, 426],
    ["no upgrade", { headers: { Upgrade: null, Connection: "keep-alive" } }, 426],
    ["a path that nobody has", { path: "/other" }, 404],
  ] as const)("refuses a request with %s, and says so in both directions", async (_, asking, status) => {
    const pull = managed(new Pull());
    const events = record(pull);
    const endpoint = await pull.bind("ws://127.0.0.1:*/here");
    const { raw, head } = await RawWebSocket.ask(endpoint, asking);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await raw.closed();
    const { error, address } = await events.next("accept:error");
    expect(error!.message).toContain(`answered with ${status}`);
    expect(address).toBe(endpoint);
    expect(events.of("handshake:error:")).toEqual([]);
  });

  it("a page of another site gets 403, and one of an allowed site is served (X15)", async () => {
    const pull = managed(new Pull({ allowedOrigins: ["https://Example.com"] }));
    const events = record(pull);
    const endpoint = await pull.bind("ws://127.0.0.1:*");
    const from = (origin: string | null) => RawWebSocket.ask(endpoint, { headers: { Origin: origin } });
    expect((await from("https://evil.example")).head).toMatch(/^HTTP\/1\.1 403 /);
    expect((await events.next("accept:error")).error).toMatchObject({ code: "EACCES" });
    expect((await from("http://example.com")).head).toMatch(/^HTTP\/1\.1 403 /);
    expect((await from("https://example.com")).head).toMatch(/^HTTP\/1\.1 101 /);
    expect((await from(null)).head).toMatch(/^HTTP\/1\.1 101 /); // not a browser
  });

  it("takes 12,000 bytes of cookies (X16)", async () => {
    const endpoint = await managed(new Pull()).bind("ws://127.0.0.1:*");
    const { head } = await RawWebSocket.ask(endpoint, { headers: { Cookie: `a=${"b".repeat(12_000)}` } });
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
  });
});

describe("messages", () => {
  it("ZWS2.0/NULL: each command and each part is one binary message (X5, X6)", async () => {
    const router = managed(new Router());
    const raw = await rawDialled(await router.bind("ws://127.0.0.1:*"));
    const first = await raw.next();
    expect(first).toMatchObject({ fin: true, opcode: 2, masked: false });
    expect(first.payload.toString("latin1")).toBe(ready("ROUTER", "").toString("latin1"));
    raw.say(ready("DEALER", "me"));
    raw.say("\x01one");
    raw.say("\x01");
    raw.say("\x00three");
    expect(texts(await router.receive())).toEqual(["me", "one", "", "three"]);
    await router.send(["me", "", "x".repeat(300)]);
    expect((await raw.next()).payload).toEqual(Buffer.from("\x01"));
    expect((await raw.next()).payload.toString()).toBe(`\x00${"x".repeat(300)}`);
  });

  it("an incompatible type is refused (C8)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const raw = await rawReady(await pull.bind("ws://127.0.0.1:*"), "PUB");
    expect((await events.next("handshake:error:protocol")).error).toMatchObject({
      code: "incompatible-socket-type",
    });
    expect((await raw.next()).payload.toString("latin1")).toContain("\x02\x05ERROR");
  });

  it("ZWS2.0: the first message of each side is its identity (X4)", async () => {
    const router = managed(new Router({ routingId: "server" }));
    const { messages, socket } = await dialled(await router.bind("ws://127.0.0.1:*"), "ZWS2.0");
    socket.send("\x00page", { binary: true });
    socket.send("\x00hello", { binary: true });
    expect((await messages.next()).toString()).toBe("\x00server");
    expect(texts(await router.receive())).toEqual(["page", "hello"]);
    await router.send(["page", "there"]);
    expect((await messages.next()).toString()).toBe("\x00there");
  });

  it("ZWS2.0: a SUB subscribes with messages (X7)", async () => {
    const publisher = managed(new XPublisher());
    const { messages, socket } = await dialled(await publisher.bind("ws://127.0.0.1:*"), "ZWS2.0");
    socket.send("\x00", { binary: true });
    socket.send("\x00\x01news", { binary: true });
    expect(texts(await publisher.receive())).toEqual(["\x01news"]);
    await publisher.send(["news", "1"]);
    expect((await messages.next()).toString()).toBe("\x00");
    expect((await messages.next()).toString()).toBe("\x01news");
    expect((await messages.next()).toString()).toBe("\x001");
    socket.send("\x00\x00news", { binary: true });
    expect(texts(await publisher.receive())).toEqual(["\x00news"]);
  });

  it("as a client we subscribe with messages towards RFC 45, and with commands towards zwire (X7, F1)", async () => {
    for (const [protocol, hello, expected] of [
      ["ZWS2.0", Buffer.from([0]), "\x00\x01t"],
      ["ZWS2.0/NULL", ready("PUB"), "\x00\x01t"],
      ["ZWS2.0-NULL", ready("PUB"), "\x02\x09SUBSCRIBEt"],
    ] as const) {
      const { endpoint, accepted } = await rawServer(protocol);
      const subscriber = managed(new Subscriber());
      subscriber.subscribe("t");
      subscriber.connect(endpoint);
      const raw = await accepted;
      raw.send(frame(2, hello, { masked: false }));
      expect((await raw.next()).masked).toBe(true); // READY, or the identity
      expect((await raw.next()).payload.toString("latin1")).toBe(expected);
    }
  });

  it("ZWS1.0: the type of the socket is in the query, and checked (X8)", async () => {
    const reply = managed(new Reply());
    const events = record(reply);
    const endpoint = await reply.bind("ws://127.0.0.1:*");
    const wrong = await dialled(`${endpoint}?type=pub`, "ZWS1.0");
    wrong.socket.send("\x00", { binary: true });
    expect((await events.next("handshake:error:protocol")).error).toMatchObject({
      code: "incompatible-socket-type",
    });
    const { messages, socket } = await dialled(`${endpoint}?type=req`, "ZWS1.0");
    socket.send("\x00", { binary: true });
    socket.send("\x01", { binary: true });
    socket.send("\x00question", { binary: true });
    expect(texts(await reply.receive())).toEqual(["question"]);
    await reply.send("answer");
    expect([...(await messages.next())]).toEqual([0]);
    expect([...(await messages.next())]).toEqual([1]);
    expect((await messages.next()).toString()).toBe("\x00answer");
    expect((await events.next("handshake")).peer!.socketType).toBe("REQ");
  });

  it("between zwire peers types are checked, and metadata and heartbeats pass", async () => {
    const dealer = managed(
      new Dealer({ metadata: { "X-Name": "it" }, heartbeatInterval: 20, heartbeatTimeout: 10_000 }),
    );
    const router = managed(new Router());
    const events = record(router);
    dealer.connect(await router.bind("ws://127.0.0.1:*"));
    const { peer } = await events.next("handshake");
    expect(peer!.socketType).toBe("DEALER");
    expect(String(peer!.metadata.get("X-Name"))).toBe("it");
    expect(peer!.address).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
  });

  it("what is larger than one read, or comes in many, arrives whole", async () => {
    const [dealer, router] = [managed(new Dealer({ routingId: "d" })), managed(new Router())];
    dealer.connect(await router.bind("ws://127.0.0.1:*"));
    const parts = [0, 1, 124, 125, 126, 127, 65_533, 65_534, 65_535, 65_536, 200_000, 3_000_000].map(
      (size) => {
        const part = Buffer.alloc(size);
        for (let i = 0; i < size; i++) part[i] = (i * 31 + size) & 255;
        return part;
      },
    );
    for (let round = 0; round < 3; round++) {
      await dealer.send(parts);
      const [name, ...arrived] = await router.receive();
      expect(arrived.every((part, i) => part.equals(parts[i]))).toBe(true);
      await router.send([name, ...parts]);
      const back = await dealer.receive();
      expect(back.every((part, i) => part.equals(parts[i]))).toBe(true);
    }
  });

  it("PUB stops at a mark for a peer that does not read, and others get everything", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 100 }));
    const endpoint = await publisher.bind("ws://127.0.0.1:*");
    const deaf = await rawReady(endpoint, "SUB");
    deaf.say("\x00\x01");
    deaf.socket.pause();
    const subscriber = managed(new Subscriber({ receiveHighWaterMark: 0 }));
    subscriber.subscribe();
    subscriber.connect(endpoint);
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
    const body = Buffer.alloc(20_000);
    for (let i = 0; i < 2000; i++) {
      await publisher.send([String(i), body]);
      expect(String((await subscriber.receive({ timeout: 20_000 }))[0])).toBe(String(i));
    }
    expect(publisher.stats.dropped).toBeGreaterThan(500);
  });
});

describe("the end", () => {
  it("a Close is answered, and the socket told of an orderly end (X11)", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const { socket, messages } = await dialled(await pull.bind("ws://127.0.0.1:*"), "ZWS2.0");
    socket.send("\x00", { binary: true });
    await messages.next();
    await events.next("handshake");
    const closed = new Promise<[number, Buffer]>((resolve) => socket.on("close", (...all) => resolve(all)));
    socket.close(1000, "bye");
    expect((await closed)[0]).toBe(1000);
    expect((await events.next("disconnect")).error).toBeUndefined();
  });

  it("a socket that closes says so: code 1000, and what was sent before arrives", async () => {
    const push = managed(new Push());
    const { socket, messages } = await dialled(await push.bind("ws://127.0.0.1:*"), "ZWS2.0");
    socket.send("\x00", { binary: true });
    await push.send("last words");
    const closed = new Promise<number>((resolve) => socket.on("close", resolve));
    await push.close();
    expect(await closed).toBe(1000);
    await messages.next();
    expect((await messages.next()).toString()).toBe("\x00last words");
  });

  it("a server that was restarted is found again, and nothing is lost that it had not got", async () => {
    const push = managed(new Push({ reconnectInterval: 10 }));
    const first = managed(new Pull());
    const endpoint = await first.bind("ws://127.0.0.1:*/again");
    push.connect(endpoint);
    await push.send("1");
    expect(texts(await first.receive())).toEqual(["1"]);
    const events = record(push);
    await first.close();
    await events.next("disconnect");
    await push.send("2");
    const second = managed(new Pull());
    await until(
      async () =>
        await second.bind(endpoint).then(
          () => true,
          () => false,
        ),
      "the port",
    );
    expect(texts(await second.receive({ timeout: 20_000 }))).toEqual(["2"]);
  });
});

async function rawDialled(endpoint: string): Promise<RawWebSocket> {
  return (await RawWebSocket.ask(endpoint)).raw;
}
