/**
 * connect() with all: true: one connection to each address of a name, which follows changes of the name. The names are made
 * by a stub; the addresses are loopback ones that exist.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import {
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
} from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { foreign } from "../support/foreign.js";
import { freePort, managed, record, texts, turns, until } from "../support/helpers.js";

const soon = { timeout: 20_000 };
const HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
const REFRESH = 10;

type Callback = (error: Error | null, addresses: { address: string; family: number }[]) => void;

/** A name server of one name. */
function names(...addresses: string[]) {
  const asked: { hostname: string; options: object }[] = [];
  const server = {
    addresses,
    error: null as Error | null,
    asked,
    /** Holds answers back. */
    held: null as (() => void)[] | null,
    lookup: (hostname: string, options: { all: true; family: 0 | 4 }, callback: Callback) => {
      asked.push({ hostname, options });
      const { error } = server;
      const answer = () =>
        callback(
          error,
          server.addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
        );
      if (server.held === null) setImmediate(answer);
      else server.held.push(answer);
    },
    /** Waits for look-ups that began after this. */
    async refreshed() {
      const now = asked.length;
      await until(() => asked.length >= now + 2, "the name is looked up again");
      await turns(2);
    },
  };
  return server;
}

const portOf = (endpoint: string) => Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));

/** Binds sockets to the same port of several addresses. */
async function servers<T extends Socket>(create: () => T, hosts = HOSTS) {
  const first = managed(create());
  const port = portOf(await first.bind(`tcp://${hosts[0]}:*`));
  const all = [first];
  for (const host of hosts.slice(1)) {
    const one = managed(create());
    await one.bind(`tcp://${host}:${port}`);
    all.push(one);
  }
  return { all, port };
}

const addressesOf = (socket: Socket) =>
  socket.peers.map(({ address }) => address.replace(/^\w+:\/\/|:\d+.*$/g, "")).sort();

describe("connect() with all: true", () => {
  it("connects to every address of the name, and a Push sends to all in turn", async () => {
    const { all, port } = await servers(() => new Pull());
    const server = names(...HOSTS, HOSTS[0], `::ffff:${HOSTS[1]}`);
    const push = managed(new Push());
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 3, ...soon });
    await server.refreshed();
    expect(addressesOf(push)).toEqual(HOSTS);
    expect(server.asked[0]).toEqual({ hostname: "service", options: { all: true, family: 4 } });
    expect(push.lastEndpoint).toBe(`tcp://service:${port}`);
    for (let i = 0; i < 9; i++) await push.send(`${i}`);
    for (const pull of all) for (let i = 0; i < 3; i++) await pull.receive(soon);
  });

  it.each(["REQ", "DEALER", "SUB"])("a %s connects to all", async (type) => {
    const { all, port } = await servers<Publisher | Reply>(() =>
      type === "SUB" ? new Publisher() : new Reply(),
    );
    const server = names(...HOSTS);
    const socket = managed(type === "SUB" ? new Subscriber() : type === "REQ" ? new Request() : new Dealer());
    if (socket instanceof Subscriber) socket.subscribe("");
    const options = { all: true, lookup: server.lookup };
    socket.connect(`tcp://service:${port}`, options);
    socket.connect(`tcp://service:${port}`, options); // once is enough for these types (G15)
    await socket.connected({ count: 3, ...soon });
    if (socket instanceof Subscriber) {
      for (const publisher of all as Publisher[]) {
        await publisher.waitForSubscribers(1, soon);
        await publisher.send("news");
        expect(texts(await socket.receive(soon))).toEqual(["news"]);
      }
    } else {
      const served = (all as Reply[]).map(async (reply) => {
        await reply.receive(soon);
        await reply.send("done");
      });
      for (let i = 0; i < 3; i++) {
        await socket.send(socket instanceof Dealer ? [null, "do"] : "do");
        await socket.receive(soon);
      }
      await Promise.all(served);
    }
    expect(server.asked).toHaveLength(1);
  });

  it("follows the name: dials what is new, lets go of what is gone, and dials it again when it is back", async () => {
    const { all, port } = await servers(() => new Pull());
    const server = names(HOSTS[0], HOSTS[1]);
    const push = managed(new Push());
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 2, ...soon });
    server.addresses = [HOSTS[1], HOSTS[2]];
    await until(() => addressesOf(push).join() === [HOSTS[1], HOSTS[2]].join(), "the name is followed");
    await until(() => all[0].peers.length === 0, "the first has been let go of");
    server.addresses = [...HOSTS];
    await push.connected({ count: 3, ...soon });
    await until(() => all[0].peers.length === 1, "the first is back");
  });

  it("what waits for an address that is gone is sent within linger, and what came from there is read", async () => {
    const { all, port } = await servers(() => new Dealer(), HOSTS.slice(0, 2));
    const server = names(...HOSTS.slice(0, 2));
    const dealer = managed(new Dealer());
    dealer.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await dealer.connected({ count: 2, ...soon });
    await all[0].send("said before");
    await until(() => dealer.readable, "it is there");
    for (let i = 0; i < 10; i++) void dealer.send(`${i}`);
    server.addresses = [HOSTS[1]];
    await until(() => dealer.peers.length === 1, "the first has gone");
    for (const one of all) for (let i = 0; i < 5; i++) await one.receive(soon);
    expect(texts(await dealer.receive(soon))).toEqual(["said before"]);
    await dealer.send("to who is left");
    expect(texts(await all[1].receive(soon))).toEqual(["to who is left"]);
  });

  it("a look-up that fails changes nothing, and is told of", async () => {
    const { port } = await servers(() => new Pull(), HOSTS.slice(0, 2));
    const server = names(...HOSTS.slice(0, 2));
    const push = managed(new Push());
    const events = record(push);
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 2, ...soon });
    const ids = push.peers.map(({ id }) => id);
    const retry = () => events.of("connect:retry").at(-1)?.error?.message;
    server.error = Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    await until(() => retry() === "no such name", "it is told");
    server.error = null;
    server.addresses = [];
    await until(() => retry() === '"service" has no address', "no address is a failure, too");
    server.addresses = ["::1"];
    await until(
      () => retry() === '"service" has no address without ipv6: true',
      "nor one that may not be used",
    );
    server.addresses = Array.from({ length: 1025 }, (_, i) => `127.1.${i >> 8}.${i & 255}`);
    await until(() => retry() === '"service" has 1025 addresses; at most 1024 are connected', "nor too many");
    server.addresses = ["localhost"];
    await until(() => retry()?.endsWith('numeric addresses; got "localhost"') === true, "nor another name");
    server.addresses = [7 as unknown as string];
    Object.defineProperty(server, "addresses", { value: { map: () => "nonsense" } });
    await until(() => retry()?.startsWith("lookup must answer") === true, "nor nonsense");
    expect(events.of("connect:retry").at(-1)).toMatchObject({
      address: `tcp://service:${port}`,
      interval: REFRESH,
    });
    expect(push.peers.map(({ id }) => id)).toEqual(ids);
  });

  it("begins when the first look-up that succeeds does; sends wait until then", async () => {
    const { all, port } = await servers(() => new Pull(), HOSTS.slice(0, 1));
    const server = names(HOSTS[0]);
    server.error = new Error("not yet");
    const push = managed(new Push({ reconnectInterval: 5 }));
    const events = record(push);
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: 0 });
    const sent = push.send("patience");
    await until(() => events.of("connect:retry").length > 2, "it fails");
    server.error = null;
    await sent;
    expect(texts(await all[0].receive(soon))).toEqual(["patience"]);
    const asked = server.asked.length;
    await turns(20);
    expect(server.asked).toHaveLength(asked); // refresh: 0 asks no more
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("a look-up that %s is one that failed", async (_, lookup) => {
    const push = managed(new Push());
    const events = record(push);
    push.connect("tcp://service:1", { all: true, lookup, refresh: REFRESH });
    await until(() => events.of("connect:retry").length > 1, "it is told, and tried again");
    expect(events.of("connect:retry")[0].error?.message).toBe("broken");
  });

  it("a look-up that hangs is told of and asked again, a few at a time; a late answer does not count", async () => {
    const { port } = await servers(() => new Pull(), HOSTS.slice(0, 1));
    const server = names(HOSTS[0]);
    const push = managed(new Push());
    const events = record(push);
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected(soon);
    server.held = [];
    await until(() => events.of("connect:retry").length > 6, "it is told");
    expect(events.of("connect:retry")[0].error?.message).toBe(
      `no answer about "service" within ${REFRESH} ms`,
    );
    expect(server.held.length).toBeLessThanOrEqual(4);
    expect(push.peers).toHaveLength(1);
    const held = server.held;
    server.held = null;
    server.addresses = [HOSTS[2]]; // what the late answers say
    for (const answer of held.slice(0, -1)) answer();
    server.addresses = [HOSTS[0]];
    for (const answer of held) answer();
    await server.refreshed();
    expect(addressesOf(push)).toEqual([HOSTS[0]]);
  });

  it("disconnect() ends all connections, and a look-up that is under way", async () => {
    const { all, port } = await servers(() => new Pull());
    const server = names(...HOSTS);
    const push = managed(new Push());
    const endpoint = `tcp://service:${port}`;
    push.connect(endpoint, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 3, ...soon });
    server.held = [];
    await until(() => (server.held as unknown[]).length > 0, "a look-up is under way");
    push.disconnect(endpoint);
    for (const pull of all) await until(() => pull.peers.length === 0, "it has left");
    for (const answer of server.held) answer();
    const asked = server.asked.length;
    await turns(20);
    expect([push.peers.length, server.asked.length]).toEqual([0, asked]);
    expect(() => push.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
    expect(push.trySend("nobody")).toBe(false);
  });

  it("drain() hands over what waits, and dials no address that is new meanwhile", async () => {
    const { all, port } = await servers(() => new Pull());
    const server = names(...HOSTS.slice(0, 2));
    const push = managed(new Push());
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 2, ...soon });
    for (let i = 0; i < 10; i++) await push.send(`${i}`);
    server.held = [];
    await until(() => (server.held as unknown[]).length > 0, "a look-up is under way");
    server.addresses = [...HOSTS];
    const drained = push.drain(soon);
    for (const answer of server.held) answer();
    for (const pull of all.slice(0, 2)) for (let i = 0; i < 5; i++) await pull.receive(soon);
    expect(await drained).toMatchObject({ unsent: 0 });
    expect(all[2].peers).toHaveLength(0);
  });

  it("a name that changes while nothing answers is followed", async () => {
    const port = await freePort();
    const number = portOf(port);
    const server = names(HOSTS[1]);
    const push = managed(new Push({ reconnectInterval: 5, linger: 0 }));
    const events = record(push);
    push.connect(`tcp://service:${number}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await until(() => events.of("connect:retry").length > 2, "it dials");
    expect(events.of("connect:retry")[0].address).toBe(`tcp://${HOSTS[1]}:${number}`);
    const pull = managed(new Pull());
    await pull.bind(`tcp://${HOSTS[0]}:${number}`);
    server.addresses = [HOSTS[0]];
    await push.connected(soon);
    await push.send("found");
    expect(texts(await pull.receive(soon))).toEqual(["found"]);
  });

  it("one whose peer the program has disconnected is dialled again only when its record was gone", async () => {
    const { port } = await servers(() => new Pull(), HOSTS.slice(0, 2));
    const server = names(...HOSTS.slice(0, 2));
    const push = managed(new Push());
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 2, ...soon });
    push.disconnectPeer(push.peers[0]);
    await until(() => push.peers.length === 1, "it has gone");
    await server.refreshed();
    expect(push.peers).toHaveLength(1);
    const stays = addressesOf(push);
    server.addresses = stays;
    await server.refreshed();
    server.addresses = HOSTS.slice(0, 2);
    await push.connected({ count: 2, ...soon });
  });

  it("both families count with ipv6", async () => {
    const pulls = [managed(new Pull({ ipv6: true })), managed(new Pull())];
    const port = portOf(await pulls[0].bind("tcp://[::1]:*"));
    await pulls[1].bind(`tcp://127.0.0.1:${port}`);
    const server = names("127.0.0.1", "::1");
    const push = managed(new Push({ ipv6: true }));
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup });
    await push.connected({ count: 2, ...soon });
    expect(server.asked[0].options).toEqual({ all: true, family: 0 });
    for (let i = 0; i < 2; i++) await push.send("x");
    for (const pull of pulls) await pull.receive(soon);
  });

  it("asks the system where there is no lookup", async () => {
    const { port } = await servers(() => new Pull(), HOSTS.slice(0, 1));
    const push = managed(new Push());
    push.connect(`tcp://localhost:${port}`, { all: true });
    await push.connected(soon);
  });

  it("over ws, the name stays in the request, and over tls+tcp and wss the certificate is for the name", async () => {
    const authority = new Authority();
    const ca = authority.cert;
    const { cert, key } = authority.issue({ names: "DNS:service" });
    for (const scheme of ["ws", "tls+tcp", "wss"]) {
      const tls = scheme === "ws" ? {} : { tls: { cert, key } };
      const pull = managed(new Pull(tls));
      const bound = await pull.bind(`${scheme}://127.0.0.1:*`);
      const server = names("127.0.0.1");
      const push = managed(new Push(scheme === "ws" ? {} : { tls: { ca } }));
      push.connect(bound.replace("127.0.0.1", "service"), { all: true, lookup: server.lookup });
      await push.connected(soon);
      await push.send(scheme);
      expect(texts(await pull.receive(soon))).toEqual([scheme]);
    }
  });

  it("libzmq at every address", async () => {
    const pulls = HOSTS.map(() => foreign(new zmq.Pull()));
    await pulls[0].bind(`tcp://${HOSTS[0]}:*`);
    const port = portOf(pulls[0].lastEndpoint as string);
    for (const [i, host] of HOSTS.entries()) if (i > 0) await pulls[i].bind(`tcp://${host}:${port}`);
    const server = names(...HOSTS);
    const push = managed(new Push());
    push.connect(`tcp://service:${port}`, { all: true, lookup: server.lookup, refresh: REFRESH });
    await push.connected({ count: 3, ...soon });
    for (let i = 0; i < 6; i++) await push.send(`${i}`);
    for (const pull of pulls) for (let i = 0; i < 2; i++) await pull.receive();
    server.addresses = HOSTS.slice(1);
    await until(() => push.peers.length === 2, "the first has gone");
    for (let i = 0; i < 6; i++) await push.send(`${i}`);
    for (const pull of pulls.slice(1)) for (let i = 0; i < 3; i++) await pull.receive();
  });

  it("refuses what cannot be", () => {
    const push = managed(new Push());
    const all = { all: true };
    expect(() => push.connect("ipc:///tmp/x", all)).toThrow("all: true needs a host name, and ipc has none");
    expect(() => push.connect("inproc://x", all)).toThrow("all: true needs a host name, and inproc has none");
    expect(() => managed(new Push({ socksProxy: "127.0.0.1:1" })).connect("tcp://a:1", all)).toThrow(
      "socksProxy",
    );
    expect(() => managed(new Router()).connect("tcp://a:1", { ...all, routingId: "x" })).toThrow(
      "a routingId names one",
    );
    expect(() => managed(new Stream()).connect("tcp://a:1", all)).toThrow("a Stream names each");
    const wrong = (options: unknown, text: string) =>
      expect(() => push.connect("tcp://a:1", options as object)).toThrow(text);
    wrong(7, "options must be an object");
    wrong({ al: true }, 'connect has no option "al"');
    wrong({ all: 1 }, "all must be a boolean; got number");
    wrong({ all: true, lookup: "x" }, "lookup must be a function; got string");
    wrong({ all: true, refresh: "1" }, "refresh must be a number (milliseconds); got string");
    wrong(
      { all: true, refresh: -1 },
      "refresh must be an integer from 0 to 2147483647 (milliseconds); got -1",
    );
    wrong({ refresh: 1 }, "refresh needs all: true");
    wrong({ lookup() {} }, "lookup needs all: true");
    expect(push.lastEndpoint).toBe(null);
  });
});
