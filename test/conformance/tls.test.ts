/** tls+tcp as a transport: every socket type, what is inside it, its addresses and what it does with tcp's options. */
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { curveKeyPair, Dealer, Pull, Push, Reply, Request, Router, Stream } from "../../src/index.js";
import { connect, serve } from "../../src/rpc.js";
import * as zeromq from "../../src/zeromq.js";
import { Authority } from "../support/certificates.js";
import { startChild } from "../support/child.js";
import { listen, managed, record, turns, until, within } from "../support/helpers.js";
import { SocksServer } from "../support/socks-server.js";
import { ALL_TYPES, TYPE_NAMES } from "../support/types.js";

const authority = new Authority();
const { cert, key } = authority.issue();
const tls = { cert, key, ca: authority.cert };
const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((one) => one.address === "::1"),
);
const ANY = "tls+tcp://127.0.0.1:*";
const PARTNERED = TYPE_NAMES.filter((type) => ALL_TYPES[type].partner !== "");

describe("every type over tls+tcp", () => {
  it.each(PARTNERED)("%s binds and its partner connects, and the other way round", async (type) => {
    const { make, partner } = ALL_TYPES[type];
    for (const binds of [true, false]) {
      const [own, other] = [managed(make({ tls })), managed(ALL_TYPES[partner].make({ tls }))];
      if (binds) other.connect(await own.bind(ANY));
      else own.connect(await other.bind(ANY));
      await Promise.all([own.connected({ timeout: 20_000 }), other.connected({ timeout: 20_000 })]);
      expect(own.peers.map((peer) => [peer.socketType, peer.tls?.protocol])).toEqual([[partner, "TLSv1.3"]]);
      expect(own.peers[0].address).toMatch(/^tls\+tcp:\/\/127\.0\.0\.1:\d+$/);
      await talk(type, own, other);
    }
  });

  it("STREAM carries bytes, and knows the certificate", async () => {
    const server = managed(new Stream({ tls }));
    const client = managed(new Stream({ tls }));
    client.connect(await server.bind(ANY));
    const [id] = await client.receive({ timeout: 10_000 });
    await client.send([id, "GET /"]);
    await server.receive({ timeout: 10_000 }); // that somebody connected
    const [from, bytes] = await server.receive({ timeout: 10_000 });
    expect(String(bytes)).toBe("GET /");
    await server.send([from, "answer"]);
    expect(String((await client.receive({ timeout: 10_000 }))[1])).toBe("answer");
    expect(client.peers[0].tls?.certificate?.subject.CN).toBe("localhost");
  });

  it("STREAM tells of a peer when TLS is complete, and gives up on one that stays silent", async () => {
    const server = managed(new Stream({ tls, handshakeInterval: 100 }));
    const events = record(server);
    const silent = managed(new Stream());
    silent.connect((await server.bind(ANY)).replace("tls+", ""));
    const { error } = await events.next("handshake:error:other");
    expect(error?.message).toMatch(/no complete TLS handshake within 100 ms/);
    expect([server.peers.length, server.tryReceive()]).toEqual([0, undefined]);
  });
});

/** Sends one message to the partner, where the type can begin. */
async function talk(type: string, own: ReturnType<(typeof ALL_TYPES)[string]["make"]>, other: typeof own) {
  const { sends, to } = ALL_TYPES[type];
  if (!sends || to !== undefined || ["REP", "ROUTER", "PUB", "XPUB", "XSUB"].includes(type)) return;
  await own.send("hello", { timeout: 10_000 });
  const parts = await other.receive({ timeout: 10_000 });
  expect(parts.map(String)).toContain("hello");
}

describe("what passes", () => {
  it("messages of 1 MiB and empty ones, in several parts, both ways", async () => {
    const [dealer, router] = [managed(new Dealer({ tls })), managed(new Router({ tls }))];
    dealer.connect(await router.bind(ANY));
    const large = Buffer.alloc(1024 ** 2, 7);
    for (let i = 0; i < 8; i++) {
      await dealer.send([`${i}`, large, ""], { timeout: 10_000 });
      const [id, number, body, empty] = await router.receive({ timeout: 10_000 });
      expect([String(number), large.equals(body), empty.length]).toEqual([`${i}`, true, 0]);
      await router.send([id, body]);
      expect(large.equals((await dealer.receive({ timeout: 10_000 }))[0])).toBe(true);
    }
  });

  it("10,000 messages each way arrive in order", async () => {
    const [one, other] = [managed(new Dealer({ tls })), managed(new Dealer({ tls }))];
    other.connect(await one.bind(ANY));
    const count = 10_000;
    const send = async (socket: Dealer) => {
      for (let i = 0; i < count; i++) await socket.send(`${i}`.padEnd(i % 700, "."), { timeout: 20_000 });
    };
    const receive = async (socket: Dealer) => {
      for (let i = 0; i < count; i++) {
        const [text] = await socket.receive({ timeout: 20_000 });
        if (!text.equals(Buffer.from(`${i}`.padEnd(i % 700, "."))))
          throw new Error(`message ${i} is ${text}`);
      }
    };
    await Promise.all([send(one), send(other), receive(one), receive(other)]);
  });

  it("requests and replies", async () => {
    const [request, reply] = [managed(new Request({ tls })), managed(new Reply({ tls }))];
    request.connect(await reply.bind(ANY));
    reply.on("message", ([text]) => reply.send(`re: ${text}`));
    for (let i = 0; i < 100; i++)
      expect(String((await request.request(`${i}`, { timeout: 10_000 }))[0])).toBe(`re: ${i}`);
  });

  it("calls of zwire/rpc", async () => {
    const server = await serve(ANY, { add: (a: number, b: number) => a + b }, { socket: { tls } });
    onTestFinished(() => server.close());
    const api = connect<{ add(a: number, b: number): number }>(server.endpoint, { socket: { tls } });
    expect(await api.add(1, 2)).toBe(3);
    await api.$close();
  });

  it("PLAIN over it: authenticate sees both", async () => {
    const seen: unknown[] = [];
    const pull = managed(
      new Pull({
        tls: { ...tls, requestCert: true },
        security: { mechanism: "plain", server: true },
        authenticate: (request) => {
          seen.push([request.address, request.tls?.certificate?.subject.CN, request.mechanism]);
          return request.mechanism === "PLAIN" && request.password === "secret";
        },
      }),
    );
    const endpoint = await pull.bind(ANY);
    const security = { mechanism: "plain", username: "user", password: "secret" } as const;
    const push = managed(new Push({ tls: ownTls("user"), security }));
    push.connect(endpoint);
    await push.send("x", { timeout: 10_000 });
    expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("x");
    expect(seen).toEqual([["127.0.0.1", "user", "PLAIN"]]);
    const wrong = managed(new Push({ tls: ownTls("user"), security: { ...security, password: "wrong" } }));
    const events = record(wrong);
    wrong.connect(endpoint);
    await events.next("handshake:error:auth");
  });

  it("CURVE over it", async () => {
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const pull = managed(new Pull({ tls, security: { mechanism: "curve", server: true, ...server } }));
    const security = { mechanism: "curve", serverKey: server.publicKey, ...client } as const;
    const push = managed(new Push({ tls, security }));
    push.connect(await pull.bind(ANY));
    const large = Buffer.alloc(300_000, 3);
    for (let i = 0; i < 20; i++) await push.send([`${i}`, large], { timeout: 10_000 });
    for (let i = 0; i < 20; i++) {
      const [number, body] = await pull.receive({ timeout: 10_000 });
      expect([String(number), large.equals(body)]).toEqual([`${i}`, true]);
    }
    expect(pull.peers[0].tls?.protocol).toBe("TLSv1.3");
  });

  it("heartbeats are answered in silence, and notice a peer that is gone", async () => {
    const pull = managed(new Pull({ tls }));
    const push = managed(new Push({ tls, heartbeatInterval: 30, heartbeatTimeout: 2000 }));
    const events = record(push);
    const line = await breakableLine(await pull.bind(ANY));
    push.connect(line.endpoint);
    await push.connected({ timeout: 10_000 });
    const answers = line.returned() + 10;
    await until(() => line.returned() >= answers, "ten PONGs");
    expect(events.of("disconnect")).toEqual([]);
    line.freeze();
    expect((await events.next("disconnect")).error).toMatchObject({ code: "heartbeat-timeout" });
  });
});

/** A line to an endpoint that can fall silent without an end. `returned` counts the chunks that came back. */
async function breakableLine(target: string) {
  let [returned, frozen] = [0, false];
  const server = createServer((near) => {
    const far = connectTcp(Number(target.split(":").at(-1)), "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      onTestFinished(() => void from.destroy());
      from.on("error", () => {});
      from.on("data", (chunk) => {
        if (frozen) return;
        if (from === far) returned++;
        to.write(chunk);
      });
    }
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `tls+tcp://127.0.0.1:${port}`,
    returned: () => returned,
    freeze: () => {
      frozen = true;
    },
  };
}

function ownTls(cn: string) {
  const { cert, key } = authority.issue({ cn });
  return { cert, key, ca: authority.cert };
}

describe("marks", () => {
  it("a sender waits for a receiver that does not read, and goes on with it", async () => {
    const pull = managed(new Pull({ tls, receiveHighWaterMark: 10 }));
    const push = managed(new Push({ tls, sendHighWaterMark: 10 }));
    push.connect(await pull.bind(ANY));
    const body = Buffer.alloc(100_000);
    let sent = 0;
    const count = 400;
    const sending = (async () => {
      for (; sent < count; sent++) {
        body.writeUInt32BE(sent);
        await push.send(Buffer.from(body), { timeout: 60_000 });
      }
    })();
    let before = -1;
    await until(async () => {
      const still = before === sent;
      before = sent;
      // By the clock: nothing tells that the kernel takes no more.
      await new Promise((resolve) => setTimeout(resolve, 150));
      return still && sent > 0;
    }, "it is stuck");
    expect(sent).toBeLessThan(count - 50);
    for (let i = 0; i < count; i++)
      expect((await pull.receive({ timeout: 20_000 }))[0].readUInt32BE()).toBe(i);
    await within(sending, "the sender");
  });
});

describe("addresses", () => {
  it("a wildcard port, lastEndpoint, unbind and bindSync", async () => {
    const pull = managed(new Pull({ tls }));
    const endpoint = await pull.bind("tls+tcp://127.0.0.1:0");
    expect(endpoint).toMatch(/^tls\+tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(pull.lastEndpoint).toBe(endpoint);
    const other = managed(new Pull({ tls }));
    await expect(other.bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE", address: endpoint });
    await pull.unbind(endpoint);
    expect(other.bindSync(endpoint)).toBe(endpoint);
    const push = managed(new Push({ tls }));
    push.connect(endpoint);
    await push.send("x", { timeout: 10_000 });
    await other.receive({ timeout: 10_000 });
    push.disconnect(endpoint);
  });

  it.each(["tls+tcp://127.0.0.1", "tls+tcp://127.0.0.1:99999", "tls+tcp://:5"])(
    "%s is EINVAL",
    async (bad) => {
      const pull = managed(new Pull({ tls }));
      await expect(pull.bind(bad)).rejects.toMatchObject({ code: "EINVAL", address: bad });
      expect(() => pull.connect(bad)).toThrow(expect.objectContaining({ code: "EINVAL", address: bad }));
    },
  );

  it.skipIf(!HAS_IPV6)("IPv6", async () => {
    const pull = managed(new Pull({ tls, ipv6: true }));
    const endpoint = await pull.bind("tls+tcp://[::1]:*");
    expect(endpoint).toMatch(/^tls\+tcp:\/\/\[::1\]:\d+$/);
    const push = managed(new Push({ tls, ipv6: true }));
    push.connect(endpoint);
    await push.send("x", { timeout: 10_000 });
    expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("x");
  });

  it("a name, and a source address", async () => {
    const pull = managed(new Pull({ tls }));
    const push = managed(new Push({ tls }));
    const [, port] = /:(\d+)$/.exec(await pull.bind(ANY)) ?? [];
    push.connect(`tls+tcp://127.0.0.9:0;localhost:${port}`);
    await pull.connected({ timeout: 10_000 });
    expect(pull.peers[0].address).toMatch(/^tls\+tcp:\/\/127\.0\.0\.9:/);
  });

  it("a SOCKS proxy carries it: the certificate is the destination's", async () => {
    const pull = managed(new Pull({ tls }));
    const endpoint = await pull.bind(ANY);
    const proxy = await SocksServer.start({ names: { "far.example": "127.0.0.1" } });
    const far = authority.issue({ cn: "far", names: "DNS:far.example" });
    pull.tls = { cert: far.cert, key: far.key };
    const push = managed(new Push({ tls, socksProxy: proxy.address }));
    push.connect(endpoint.replace("127.0.0.1", "far.example"));
    await push.send("x", { timeout: 10_000 });
    expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("x");
    expect(push.peers[0]).toMatchObject({ address: endpoint.replace("127.0.0.1", "far.example") });
    expect(push.peers[0].tls?.certificate?.subject.CN).toBe("far");
  });

  it("tcpAcceptFilter refuses before TLS begins", async () => {
    const pull = managed(new Pull({ tls, tcpAcceptFilter: ["10.0.0.0/8"] }));
    const events = record(pull);
    managed(new Push({ tls, reconnectInterval: -1 })).connect(await pull.bind(ANY));
    const { error } = await events.next("accept:error");
    expect(error?.message).toMatch(/tcpAcceptFilter does not allow 127\.0\.0\.1/);
    expect(events.of("accept")).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")("useFd: a listening descriptor is taken over", async () => {
    const child = startChild("inherits.mjs", ["make", "tls"], [], { ZWIRE_TEST_TLS: JSON.stringify(tls) });
    onTestFinished(() => void child.process.stdin?.end());
    const { bound, again } = await child.line((line) => "bound" in line, "bound");
    expect([bound, again]).toEqual([expect.stringMatching(/^tls\+tcp:\/\/127\.0\.0\.1:\d+$/), "EINVAL"]);
    const push = managed(new Push({ tls }));
    push.connect(`${bound}`);
    await push.send("over it", { timeout: 10_000 });
    await child.line((line) => line.message === "over it", "the message");
  });

  it.each([
    ["sendBufferSize", 65_536],
    ["interface", "lo"],
    ["typeOfService", 8],
    ["tcpKeepaliveCount", 3],
  ])("%s is ENOTSUP: node:tls cannot honour it", async (name, value) => {
    const pull = managed(new Pull({ tls, [name]: value }));
    const refusal = { code: "ENOTSUP", message: expect.stringContaining(`${name} needs tcp://`) };
    await expect(pull.bind(ANY)).rejects.toMatchObject(refusal);
    expect(() => pull.connect("tls+tcp://127.0.0.1:1")).toThrow(expect.objectContaining(refusal));
  });

  it("zwire/zeromq has no TLS, as zeromq.js has none", async () => {
    const pull = new zeromq.Pull();
    await expect(pull.bind(ANY)).rejects.toMatchObject({ code: "EPROTONOSUPPORT" });
    expect(() => pull.connect("tls+tcp://127.0.0.1:1")).toThrow(
      expect.objectContaining({ code: "EPROTONOSUPPORT" }),
    );
    pull.close();
  });
});

describe("connections", () => {
  it("come back when the server does, with what waited", async () => {
    const first = managed(new Pull({ tls }));
    const endpoint = await first.bind(ANY);
    const push = managed(new Push({ tls, reconnectInterval: 10 }));
    const events = record(push);
    push.connect(endpoint);
    await push.send("1", { timeout: 10_000 });
    await first.receive({ timeout: 10_000 });
    await first.close();
    await events.next("disconnect");
    await push.send("2");
    const second = managed(new Pull({ tls }));
    await second.bind(endpoint);
    expect(String((await second.receive({ timeout: 20_000 }))[0])).toBe("2");
  });

  it("close() flushes what is queued", async () => {
    const pull = managed(new Pull({ tls }));
    const push = new Push({ tls, sendHighWaterMark: 0 });
    push.connect(await pull.bind(ANY));
    const body = Buffer.alloc(50_000);
    for (let i = 0; i < 200; i++) await push.send([`${i}`, body]);
    const closed = push.close({ linger: 20_000 });
    for (let i = 0; i < 200; i++) expect(String((await pull.receive({ timeout: 20_000 }))[0])).toBe(`${i}`);
    await within(closed, "close()");
  });

  it("may be closed at any moment of the handshake", async () => {
    const pull = managed(new Pull({ tls }));
    const endpoint = await pull.bind(ANY);
    for (let i = 0; i < 30; i++) {
      const push = new Push({ tls });
      push.connect(endpoint);
      await turns(i);
      await push.close({ linger: 0 });
    }
    for (const name of ["connect", "accept", "handshake"] as const) {
      const [push, other] = [new Push({ tls }), new Pull({ tls })];
      const ended = [push, other].map(
        (socket) =>
          new Promise<void>((resolve) => listen(socket, name, () => resolve(socket.close({ linger: 0 })))),
      );
      push.connect(await other.bind(ANY));
      await within(Promise.race(ended), name);
      await Promise.all([push.close({ linger: 0 }), other.close({ linger: 0 })]);
    }
    const push = managed(new Push({ tls }));
    push.connect(endpoint);
    await push.send("still", { timeout: 10_000 });
    expect(String((await pull.receive({ timeout: 10_000 }))[0])).toBe("still");
  });
});
