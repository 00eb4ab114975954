/** Sockets on an HTTP server that the program has, beside its pages and its other WebSockets; and what `authenticate` sees of a request. */
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import {
  type AuthenticationRequest,
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Stream,
  Subscriber,
} from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { managed, record, texts } from "../support/helpers.js";
import { request as asking, frame, RawWebSocket, rawReady, ready } from "../support/raw-websocket.js";
import { CURVE } from "../support/scripted/secured.js";

async function listening(server: Server, host = "127.0.0.1"): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

const pages = () => createServer((request, response) => response.end(`page ${request.url}`));

async function fetched(address: string, path = "/"): Promise<string> {
  const response = await fetch(`http://${address}${path}`);
  return response.text();
}

describe("an existing http server", () => {
  it("serves pages and sockets on one port, several by their paths (X13)", async () => {
    const server = pages();
    const address = await listening(server);
    const [reply, publisher] = [managed(new Reply()), managed(new Publisher())];
    expect(await reply.bind({ server, path: "/rpc" })).toBe(`ws://${address}/rpc`);
    expect(publisher.bindSync({ server, path: "/news" })).toBe(`ws://${address}/news`);
    expect(publisher.lastEndpoint).toBe(`ws://${address}/news`);
    const [request, subscriber] = [managed(new Request()), managed(new Subscriber())];
    request.connect(`ws://${address}/rpc`);
    subscriber.subscribe();
    subscriber.connect(`ws://${address}/news`);
    const answer = request.request("question");
    expect(texts(await reply.receive())).toEqual(["question"]);
    await reply.send("answer");
    expect(texts(await answer)).toEqual(["answer"]);
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    const body = Buffer.alloc(500_000, 3);
    await publisher.send(["news", body]);
    expect((await subscriber.receive({ timeout: 20_000 }))[1].equals(body)).toBe(true);
    expect(await fetched(address, "/index.html")).toBe("page /index.html");
  });

  it("unbind and close leave the server open, and free the path", async () => {
    const server = pages();
    const address = await listening(server);
    const pull = new Pull();
    const push = managed(new Push());
    const endpoint = await pull.bind({ server });
    expect(endpoint).toBe(`ws://${address}/`);
    push.connect(endpoint);
    await push.send("1");
    expect(texts(await pull.receive())).toEqual(["1"]);
    await expect(managed(new Pull()).bind({ server, path: "/" })).rejects.toMatchObject({
      code: "EADDRINUSE",
      address: endpoint,
    });
    const events = record(push);
    await pull.unbind(endpoint);
    await events.next("disconnect");
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(await fetched(address)).toBe("page /");
    await pull.bind({ server });
    await pull.close();
    expect(server.listening).toBe(true);
    expect(await fetched(address)).toBe("page /");
  });

  it("leaves other WebSockets to their listeners, and answers 404 where there are none", async () => {
    const server = pages();
    const address = await listening(server);
    await managed(new Pull()).bind({ server, path: "/zmq" });
    expect((await RawWebSocket.ask(`ws://${address}/other`)).head).toMatch(/^HTTP\/1\.1 404 /);
    const chat = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/chat")
        chat.handleUpgrade(request, socket, head, (client) => client.send("welcome"));
    });
    const { raw, head } = await RawWebSocket.ask(`ws://${address}/chat`, { protocol: null });
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect((await raw.next()).payload.toString()).toBe("welcome");
    expect((await RawWebSocket.ask(`ws://${address}/zmq`)).head).toMatch(/^HTTP\/1\.1 101 /);
  });

  it("keeps its paths from listeners that refuse all but theirs, such as those of ws, in either order", async () => {
    const before = pages();
    const [first, second] = [await listening(before), managed(new Pull())];
    const refusing = (server: Server) => new WebSocketServer({ server, path: "/chat" });
    refusing(before).on("connection", (client) => client.send("welcome"));
    await second.bind({ server: before, path: "/zmq" });
    const after = pages();
    const [last, third] = [await listening(after), managed(new Pull())];
    await third.bind({ server: after, path: "/zmq" });
    refusing(after).on("connection", (client) => client.send("welcome"));
    for (const [address, pull] of [
      [first, second],
      [last, third],
    ] as const) {
      const push = managed(new Push());
      push.connect(`ws://${address}/zmq`);
      await push.send("mine");
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["mine"]);
      const { raw } = await RawWebSocket.ask(`ws://${address}/chat`, { protocol: null });
      expect((await raw.next()).payload.toString()).toBe("welcome");
      expect((await RawWebSocket.ask(`ws://${address}/none`)).head).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  it("unbinds by server and path, as it was bound, and the other paths stay", async () => {
    const server = pages();
    const address = await listening(server);
    const pull = managed(new Pull());
    for (const path of ["/one", "/two", undefined]) await pull.bind({ server, path });
    await pull.unbind({ server, path: "/one" });
    expect((await RawWebSocket.ask(`ws://${address}/one`)).head).toMatch(/^HTTP\/1\.1 404 /);
    expect((await RawWebSocket.ask(`ws://${address}/two`)).head).toMatch(/^HTTP\/1\.1 101 /);
    await expect(pull.unbind({ server, path: "/one" })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(pull.unbind({ server: pages() })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(managed(new Pull()).unbind({ server, path: "/two" })).rejects.toMatchObject({
      code: "ENOENT",
    });
    await expect(pull.unbind({} as { server: Server })).rejects.toThrow(TypeError);
    await expect(pull.unbind({ server, path: 7 as unknown as string })).rejects.toThrow(TypeError);
    await pull.unbind(`ws://${address}/two`);
    await pull.unbind({ server });
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(Object.hasOwn(server, "emit")).toBe(false);
    expect(await fetched(address)).toBe("page /");
    await pull.bind({ server, path: "/one" });
  });

  it("unbinds from a server that has closed, and binds to the next one on its port", async () => {
    const server = pages();
    const address = await listening(server);
    const pull = managed(new Pull());
    await pull.bind({ server });
    await new Promise((closed) => server.close(closed));
    const next = pages();
    await new Promise<void>((heard) => next.listen(Number(address.split(":")[1]), "127.0.0.1", heard));
    onTestFinished(() => void next.close());
    await expect(pull.bind({ server: next })).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: /unbind it first/,
    });
    await pull.unbind({ server });
    expect(await pull.bind({ server: next })).toBe(`ws://${address}/`);
    await pull.unbind({ server: next });
  });

  it("closes soon after the sockets have: neither side waits for the other's last word", async () => {
    const server = pages();
    await listening(server);
    const pull = managed(new Pull());
    const push = new Push();
    const events = record(pull);
    push.connect(await pull.bind({ server }));
    await events.next("handshake");
    const start = performance.now();
    await push.close();
    await new Promise((closed) => server.close(closed));
    expect(performance.now() - start).toBeLessThan(700);
  });

  it("gives back an emit that the program had set, and leaves one that came later", async () => {
    const server = pages();
    await listening(server);
    const seen: unknown[] = [];
    const emit = server.emit as (...values: unknown[]) => boolean;
    const theirs = function (this: Server, ...values: unknown[]) {
      seen.push(values[0]);
      return emit.apply(this, values);
    };
    server.emit = theirs as typeof emit;
    const pull = managed(new Pull());
    const push = managed(new Push());
    const endpoint = await pull.bind({ server });
    const ours = server.emit as typeof emit;
    expect(await fetched(endpoint.slice("ws://".length, -1))).toBe("page /");
    expect(seen).toContain("request");
    server.emit = ((...values: unknown[]) => ours.apply(server, values)) as typeof emit;
    push.connect(endpoint);
    await push.send("through both");
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["through both"]);
    await pull.unbind({ server });
    expect(server.emit).not.toBe(theirs);
    server.emit = ours;
    await pull.bind({ server });
    await pull.unbind({ server });
    expect(server.emit).toBe(theirs);
  });

  it("bytes that come with the request are not lost", async () => {
    const server = pages();
    const address = await listening(server);
    const pull = managed(new Pull());
    const endpoint = await pull.bind({ server });
    const raw = await RawWebSocket.connect(endpoint);
    raw.socket.write(
      Buffer.concat([Buffer.from(asking(address)), frame(2, ready("PUSH")), frame(2, "\x00early")]),
    );
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["early"]);
  });

  it("is node:https, too: wss", async () => {
    const authority = new Authority();
    const server = createSecureServer(authority.issue(), (_, response) => response.end("secure"));
    const address = await listening(server as unknown as Server);
    const [dealer, other] = [managed(new Dealer()), managed(new Dealer({ tls: { ca: authority.cert } }))];
    const endpoint = await dealer.bind({ server, path: "/x" });
    expect(endpoint).toBe(`wss://${address}/x`);
    other.connect(endpoint);
    await other.send(["hello", "x".repeat(300_000)]);
    expect((await dealer.receive({ timeout: 20_000 }))[1].length).toBe(300_000);
    await dealer.send("there");
    expect(texts(await other.receive({ timeout: 20_000 }))).toEqual(["there"]);
  });

  it("refuses what is not a server that listens, a wrong path, and a Stream", async () => {
    const pull = managed(new Pull());
    const server = pages();
    const bind = (endpoint: unknown) => pull.bind(endpoint as string);
    await expect(bind({ server })).rejects.toMatchObject({ code: "EINVAL", message: /does not listen/ });
    await listening(server);
    await expect(bind({ server, path: "x" })).rejects.toMatchObject({ code: "EINVAL" });
    await expect(bind({ server, path: "/x?y" })).rejects.toMatchObject({ code: "EINVAL" });
    await expect(bind({ server, path: 7 })).rejects.toThrow(TypeError);
    await expect(bind({})).rejects.toThrow(TypeError);
    await expect(bind({ path: "/" })).rejects.toThrow(TypeError);
    await expect(managed(new Stream()).bind({ server })).rejects.toMatchObject({ code: "EPROTONOSUPPORT" });
  });

  it("a socket of a client that leaves at once harms nobody", async () => {
    const server = pages();
    const address = await listening(server);
    const pull = managed(new Pull());
    const events = record(pull);
    const endpoint = await pull.bind({ server });
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
      socket.on("error", () => {});
      socket.write(asking(address), () => (i % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()));
    }
    await rawReady(endpoint, "PUSH");
    await events.next("handshake");
  });
});

describe("authenticate", () => {
  it.each(["NULL", "CURVE"])("sees headers, cookies and address of a request under %s", async (mechanism) => {
    const requests: AuthenticationRequest[] = [];
    const authenticate = (request: AuthenticationRequest) => {
      requests.push(request);
      return request.http?.cookies.session === "secret one" ? "ann" : false;
    };
    const server = pages();
    await listening(server);
    const security = mechanism === "NULL" ? {} : CURVE.server;
    const pull = managed(new Pull({ ...security, authenticate }));
    const events = record(pull);
    const shared = await pull.bind({ server, path: "/in" });
    const own = await pull.bind("ws://127.0.0.1:*/in");
    if (mechanism === "CURVE") {
      const push = managed(new Push(CURVE.client));
      push.connect(`${own}?token=1`);
      await events.next("handshake:error:auth");
      expect(requests[0].http!.url).toBe("/in?token=1");
      expect(requests[0].http!.headers.host).toBe(own.slice("ws://".length, -"/in".length));
      expect(requests[0].address).toBe("127.0.0.1");
      return;
    }
    const cookie = "a=b; session=secret%20one; session=other";
    for (const endpoint of [shared, own]) {
      const { raw } = await RawWebSocket.ask(`${endpoint}?x=y`, {
        protocol: "ZWS2.0",
        path: "/in?x=y",
        headers: { Cookie: cookie, Origin: "https://example.com" },
      });
      raw.say("\x00");
      raw.say("\x00let in");
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["let in"]);
    }
    for (const { address: from, http } of requests) {
      expect(from).toBe("127.0.0.1");
      expect(http).toMatchObject({ url: "/in?x=y", headers: { origin: "https://example.com", cookie } });
      expect({ ...http!.cookies }).toEqual({ a: "b", session: "secret one" });
    }
    expect(String((await events.next("handshake")).peer!.metadata.get("User-Id"))).toBe("ann");
    const { raw } = await RawWebSocket.ask(shared, { protocol: "ZWS2.0" });
    raw.say("\x00");
    await events.next("handshake:error:auth");
    await raw.closed();
  });
});
