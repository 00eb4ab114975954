import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, record, turns, until } from "../support/helpers.js";
import { type SocksBehaviour, SocksServer } from "../support/socks-server.js";

const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((one) => one.address === "::1"),
);
if (!HAS_IPV6) console.log("IPv6 tests are skipped: there is no ::1 here");

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

async function bound(options = {}): Promise<{ pull: Pull; endpoint: string; port: number }> {
  const pull = managed(new Pull(options));
  const endpoint = await pull.bind("tcp://127.0.0.1:*");
  return { pull, endpoint, port: portOf(endpoint) };
}

async function passes(push: Push, pull: Pull): Promise<void> {
  const large = Buffer.alloc(200_000, 7);
  for (const body of ["one", large, "two"]) await push.send(body, { timeout: 10_000 });
  const got = [];
  for (let i = 0; i < 3; i++) got.push(...(await pull.receive({ timeout: 10_000 })));
  expect([String(got[0]), large.equals(got[1]), String(got[2])]).toEqual(["one", true, "two"]);
}

describe("through a proxy", () => {
  const kinds: [string, SocksBehaviour][] = [
    ["that answers at once", {}],
    ["that answers octet by octet", { drip: true }],
    ["whose reply is glued to the peer's greeting", { glue: true }],
    ["that does both", { drip: true, glue: true }],
    ["that is bound to an IPv6 address", { boundTo: "ipv6" }],
    ["that is bound to a name of 255 octets", { boundTo: 255, glue: true }],
    ["that is bound to a name of no octets", { boundTo: 0 }],
  ];
  it.each(kinds)("messages pass %s (R24)", async (_name, behaviour) => {
    const proxy = await SocksServer.start(behaviour);
    const { pull, endpoint, port } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address }));
    push.connect(endpoint);
    await passes(push, pull);
    expect(proxy.requests).toEqual([{ methods: [0], type: "ipv4", host: "127.0.0.1", port }]);
    // The peer is the one that was dialled, not the proxy.
    expect(push.peers.map((peer) => peer.address)).toEqual([endpoint]);
  });

  it("a receiving socket dials through it too, and hears the glued greeting (R24)", async () => {
    const proxy = await SocksServer.start({ glue: true });
    const push = managed(new Push());
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const pull = managed(new Pull({ socksProxy: proxy.address }));
    pull.connect(endpoint);
    await passes(push, pull);
  });

  it("a host name goes to the proxy unresolved (R24)", async () => {
    const proxy = await SocksServer.start({ names: { "only-the-proxy.invalid": "127.0.0.1" } });
    const { pull, port } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address }));
    push.connect(`tcp://only-the-proxy.invalid:${port}`);
    await passes(push, pull);
    expect(proxy.requests).toMatchObject([{ type: "name", host: "only-the-proxy.invalid", port }]);
    expect(push.peers[0].address).toBe(`tcp://only-the-proxy.invalid:${port}`);
  });

  it("an IPv6 literal goes as such, also where we use IPv4 only (R24)", async () => {
    const proxy = await SocksServer.start({ names: { "2001:db8:0:0:0:0:0:a1": "127.0.0.1" } });
    const { pull, port } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address }));
    push.connect(`tcp://[2001:db8::a1]:${port}`);
    await passes(push, pull);
    expect(proxy.requests).toMatchObject([{ type: "ipv6", host: "2001:db8:0:0:0:0:0:a1", port }]);
  });

  it.skipIf(!HAS_IPV6)("the proxy itself may have an IPv6 address, with ipv6 (R24, R5)", async () => {
    const proxy = await SocksServer.start({}, "::1");
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address }));
    expect(() => push.connect(endpoint)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    push.ipv6 = true;
    push.connect(endpoint);
    await passes(push, pull);
  });

  it("the proxy's own host name is resolved here (R24)", async () => {
    const proxy = await SocksServer.start();
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address.replace("127.0.0.1", "localhost") }));
    push.connect(endpoint);
    await passes(push, pull);
    expect(proxy.requests).toHaveLength(1);
  });

  it("a source address is where the connection to the proxy comes from (R24, R6)", async () => {
    const proxy = await SocksServer.start();
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address }));
    push.connect(endpoint.replace("tcp://", "tcp://127.0.0.1:0;"));
    await passes(push, pull);
    expect(proxy.requests).toMatchObject([{ host: "127.0.0.1", port: portOf(endpoint) }]);
  });

  it("a lost connection is dialled again through the proxy (R24, G2)", async () => {
    const proxy = await SocksServer.start();
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address, reconnectInterval: 10 }));
    const events = record(push);
    push.connect(endpoint);
    await passes(push, pull);
    proxy.drop();
    await events.next("handshake", 2);
    await passes(push, pull);
    expect(proxy.requests).toHaveLength(2);
  });
});

describe("authentication", () => {
  const utf8 = `${"ü".repeat(127)}x`; // 255 octets
  it.each([
    { username: "u", password: "p" },
    { username: utf8, password: utf8 },
  ])("user and password are offered alone, and taken ($username) (R24)", async (credentials) => {
    const proxy = await SocksServer.start({ credentials, drip: true });
    const { pull, endpoint, port } = await bound();
    const { username: socksUsername, password: socksPassword } = credentials;
    const push = managed(new Push({ socksProxy: proxy.address, socksUsername, socksPassword }));
    push.connect(endpoint);
    await passes(push, pull);
    expect(proxy.requests).toEqual([{ methods: [2], ...credentials, type: "ipv4", host: "127.0.0.1", port }]);
  });

  it("a user without a password sends none (R24)", async () => {
    const credentials = { username: "u", password: "" };
    const proxy = await SocksServer.start({ credentials });
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address, socksUsername: "u" }));
    push.connect(endpoint);
    await passes(push, pull);
    expect(proxy.requests).toMatchObject([credentials]);
  });

  it("a wrong password is a failed attempt, and tried again (R24)", async () => {
    const credentials = { username: "u", password: "right" };
    const proxy = await SocksServer.start({ credentials });
    const { pull, endpoint } = await bound();
    const push = managed(
      new Push({
        socksProxy: proxy.address,
        socksUsername: "u",
        socksPassword: "wrong",
        reconnectInterval: 10,
      }),
    );
    const events = record(push);
    push.connect(endpoint);
    const { error } = await events.next("connect:retry", 2);
    expect(error).toMatchObject({ code: "EACCES", address: endpoint });
    expect(error?.message).toMatch(/refused user name and password/);
    expect(proxy.requests).toEqual([]);
    proxy.behaviour = { credentials: { username: "u", password: "wrong" } };
    await passes(push, pull);
  });

  it.each([
    [
      "nothing, where user and password are demanded",
      { credentials: { username: "a", password: "b" } },
      null,
    ],
    ["user and password, where they are not wanted", {}, "a"],
  ])("a proxy refuses %s (R24)", async (_name, behaviour, socksUsername) => {
    const proxy = await SocksServer.start(behaviour);
    const push = managed(new Push({ socksProxy: proxy.address, socksUsername }));
    const events = record(push);
    push.connect("tcp://127.0.0.1:1");
    const { error } = await events.next("connect:retry");
    expect(error).toMatchObject({ code: "EACCES" });
    expect(error?.message).toMatch(/does not accept the method offered/);
  });
});

describe("failed attempts", () => {
  it.each([
    [1, "ECONNREFUSED", "general SOCKS server failure"],
    [2, "EACCES", "connection not allowed by ruleset"],
    [3, "ENETUNREACH", "Network unreachable"],
    [4, "EHOSTUNREACH", "Host unreachable"],
    [5, "ECONNREFUSED", "Connection refused"],
    [6, "ETIMEDOUT", "TTL expired"],
    [7, "ENOTSUP", "Command not supported"],
    [8, "EAFNOSUPPORT", "Address type not supported"],
    [99, "ECONNREFUSED", "unassigned"],
  ])("reply code %i is told as %s (R24)", async (refuse, code, text) => {
    const proxy = await SocksServer.start({ refuse });
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address, reconnectInterval: 10 }));
    const events = record(push);
    push.connect(endpoint);
    const { error } = await events.next("connect:retry", 2); // again and again
    expect(error).toMatchObject({ code, address: endpoint });
    expect(error?.message).toContain(`SOCKS proxy ${proxy.address}: ${text} (reply ${refuse})`);
    expect(events.of("connect")).toEqual([]);
    proxy.behaviour = {};
    await passes(push, pull);
  });

  const broken: [string, SocksBehaviour, string, RegExp][] = [
    ["another version", { instead: { method: [4, 0] } }, "EPROTO", /version is 4, not 5/],
    ["HTTP", { instead: { method: [...Buffer.from("HTTP/1.1 400\r\n")] } }, "EPROTO", /version is 72/],
    ["a method that was not offered", { instead: { method: [5, 1] } }, "EPROTO", /method 1/],
    ["another version in the reply", { instead: { reply: [4, 0, 0, 1] } }, "EPROTO", /version is 4/],
    ["a reserved octet that is set", { instead: { reply: [5, 0, 1, 1, 0] } }, "EPROTO", /reserved byte is 1/],
    ["an unknown address type", { instead: { reply: [5, 0, 0, 2, 0] } }, "EPROTO", /address type 2/],
    ["no answer but its end", { close: "method" }, "ECONNRESET", /closed the connection/],
    ["no reply but its end", { close: "reply" }, "ECONNRESET", /closed the connection/],
  ];
  it.each(broken)("%s is a failed attempt (R24)", async (_name, behaviour, code, text) => {
    const proxy = await SocksServer.start(behaviour);
    const { pull, endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address, reconnectInterval: 10 }));
    const events = record(push);
    push.connect(endpoint);
    const { error } = await events.next("connect:retry");
    expect(error).toMatchObject({ code });
    expect(error?.message).toMatch(text);
    proxy.behaviour = {};
    await passes(push, pull);
    await until(() => proxy.open === 1, "the failed connections are closed");
  });

  it.each([
    ["an authentication of another version", [5, 0], "EPROTO", /version of the authentication is 5/],
    ["a status that is not zero", [1, 0xff], "EACCES", /refused user name/],
  ])("%s is a failed attempt (R24)", async (_name, octets, code, text) => {
    const credentials = { username: "u", password: "p" };
    const proxy = await SocksServer.start({ credentials, instead: { authentication: octets } });
    const push = managed(
      new Push({ socksProxy: proxy.address, socksUsername: "u", socksPassword: "p", reconnectInterval: 10 }),
    );
    const events = record(push);
    push.connect("tcp://127.0.0.1:1");
    const { error } = await events.next("connect:retry");
    expect(error).toMatchObject({ code });
    expect(error?.message).toMatch(text);
  });

  it("a reply that is cut short and never ends is bounded by connectTimeout (R24)", async () => {
    const proxy = await SocksServer.start({ instead: { reply: [5, 0, 0, 3, 200, 1, 2, 3] } });
    const { endpoint } = await bound();
    const push = managed(new Push({ socksProxy: proxy.address, connectTimeout: 100 }));
    const events = record(push);
    push.connect(endpoint);
    expect((await events.next("connect:retry")).error).toMatchObject({ code: "ETIMEDOUT" });
  });

  it.each(["method", "reply"] as const)(
    "%s that does not come: connectTimeout covers it (R24)",
    async (hang) => {
      const proxy = await SocksServer.start({ hang });
      const { pull, endpoint } = await bound();
      const push = managed(
        new Push({ socksProxy: proxy.address, connectTimeout: 150, reconnectInterval: 10 }),
      );
      const events = record(push);
      push.connect(endpoint);
      const { error } = await events.next("connect:retry");
      expect(error).toMatchObject({ code: "ETIMEDOUT" });
      expect(error?.message).toMatch(/connectTimeout/);
      proxy.behaviour = {};
      await passes(push, pull);
      await until(() => proxy.open === 1, "the silent connections are closed");
    },
  );

  it("without connectTimeout, handshakeInterval bounds a silent proxy (R24)", async () => {
    const proxy = await SocksServer.start({ hang: "method" });
    const push = managed(new Push({ socksProxy: proxy.address, handshakeInterval: 100 }));
    const events = record(push);
    push.connect("tcp://127.0.0.1:1");
    const { error } = await events.next("connect:retry");
    expect(error).toMatchObject({ code: "ETIMEDOUT" });
    expect(error?.message).toMatch(/handshakeInterval/);
  });

  it("close() ends an attempt that waits for the proxy (R24)", async () => {
    const proxy = await SocksServer.start({ hang: "reply" });
    const push = managed(new Push({ socksProxy: proxy.address }));
    push.connect("tcp://127.0.0.1:1");
    await until(() => proxy.requests.length === 1, "the request");
    await push.close({ linger: 0 });
    await until(() => proxy.open === 0, "the connection is closed");
    await turns(5);
    expect(proxy.accepted).toBe(1);
  });

  it("a proxy that is not there is dialled again (R24)", async () => {
    const proxy = await SocksServer.start();
    const { address } = proxy;
    proxy.stop();
    const push = managed(new Push({ socksProxy: address, reconnectInterval: 10 }));
    const events = record(push);
    push.connect("tcp://127.0.0.1:1");
    expect((await events.next("connect:retry", 2)).error).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("what can never work", () => {
  const wrong: [string, object, string, RegExp][] = [
    ["a name of 256 octets", {}, `tcp://${"x".repeat(256)}:1`, /255 bytes/],
    ["an address with a zone", {}, "tcp://[fe80::1%lo]:1", /zone/],
    ["a password without a user", { socksPassword: "p" }, "tcp://127.0.0.1:1", /needs socksUsername/],
  ];
  it.each(wrong)("%s throws EINVAL (R24)", (_name, options, endpoint, text) => {
    const push = managed(new Push({ socksProxy: "127.0.0.1:1", ...options }));
    let error: unknown;
    try {
      push.connect(endpoint);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: "ZmqError", code: "EINVAL", message: expect.stringMatching(text) });
  });

  const bad: [string, unknown, typeof TypeError | typeof RangeError][] = [
    ["socksProxy", 1080, TypeError],
    ["socksProxy", undefined, TypeError],
    ["socksProxy", "", RangeError],
    ["socksProxy", "localhost", RangeError],
    ["socksProxy", "localhost:", RangeError],
    ["socksProxy", "localhost:0", RangeError],
    ["socksProxy", "localhost:65536", RangeError],
    ["socksProxy", "localhost:*", RangeError],
    ["socksProxy", "a b:1080", RangeError],
    ["socksProxy", "socks5://localhost:1080", RangeError],
    ["socksProxy", ":1080", RangeError],
    ["socksUsername", 1, TypeError],
    ["socksUsername", "", RangeError],
    ["socksUsername", "x".repeat(256), RangeError],
    ["socksUsername", "ü".repeat(128), RangeError],
    ["socksPassword", Buffer.from("p"), TypeError],
    ["socksPassword", "", RangeError],
    ["socksPassword", "x".repeat(256), RangeError],
  ];
  it.each(bad)("%s = %o is refused", (name, value, error) => {
    const push = managed(new Push()) as unknown as Record<string, unknown>;
    const set = (): void => {
      push[name] = value;
    };
    expect(set).toThrow(error);
    expect(set).toThrow(name);
    expect(push[name]).toBeNull();
  });
});
