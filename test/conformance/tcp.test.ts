/**
 * Section R, tcp: endpoint grammar and what the kernel is asked for.
 */
import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { freePort, managed, rawConnected, rawDial, rawListen, record, texts } from "../support/helpers.js";
import { message } from "../support/raw-peer.js";

const LOOPBACK = Object.entries(networkInterfaces()).find(([, list]) =>
  list?.some((one) => one.address === "127.0.0.1"),
)?.[0];
const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((one) => one.address === "::1"),
);
if (!HAS_IPV6) console.log("IPv6 tests are skipped: there is no ::1 here");

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

/** One message over a connection proves that it is one. */
async function passes(push: Push, pull: Pull) {
  await push.send("x", { timeout: 20_000 });
  expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
}

describe("tcp endpoints", () => {
  it("tcp://*:* binds all interfaces and resolves to 0.0.0.0 and the port (R1)", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const endpoint = await pull.bind("tcp://*:*");
    expect(endpoint).toMatch(/^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/);
    expect(pull.lastEndpoint).toBe(endpoint);
    push.connect(`tcp://127.0.0.1:${portOf(endpoint)}`);
    await passes(push, pull);
  });

  it.skipIf(!HAS_IPV6)("with ipv6 a wildcard resolves to [::] and takes both families (R1, R5)", async () => {
    const pull = managed(new Pull({ ipv6: true }));
    const endpoint = await pull.bind("tcp://*:*");
    expect(endpoint).toMatch(/^tcp:\/\/\[::\]:[1-9]\d*$/);
    for (const host of ["[::1]", "127.0.0.1"]) {
      const push = managed(new Push({ ipv6: true }));
      push.connect(`tcp://${host}:${portOf(endpoint)}`);
      await passes(push, pull);
    }
  });

  it.each(["tcp://127.0.0.1:*", "tcp://127.0.0.1:0"])(
    "%s gets a free port and tells it (R2)",
    async (wildcard) => {
      const pull = managed(new Pull());
      const one = await pull.bind(wildcard);
      const two = await pull.bind(wildcard);
      expect(portOf(one)).toBeGreaterThan(0);
      expect(portOf(two)).not.toBe(portOf(one));
      expect(pull.lastEndpoint).toBe(two);
    },
  );

  it("a wildcard cannot be connected to (R2)", () => {
    const push = managed(new Push());
    expect(() => push.connect("tcp://127.0.0.1:*")).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => push.connect("tcp://*:5555")).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("port 0 is let through by connect and fails later (R2)", async () => {
    const push = managed(new Push({ reconnectInterval: 10 }));
    const events = record(push);
    push.connect("tcp://127.0.0.1:0");
    expect((await events.next("connect:retry")).error).toBeInstanceOf(Error);
  });

  it.skipIf(LOOPBACK === undefined)("an interface name binds its address (R3)", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const endpoint = await pull.bind(`tcp://${LOOPBACK}:*`);
    expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    push.connect(endpoint);
    await passes(push, pull);
  });

  it("an unknown name gives ENODEV (R3)", async () => {
    const pull = managed(new Pull());
    await expect(pull.bind("tcp://nosuch.invalid:*")).rejects.toMatchObject({
      name: "ZmqError",
      code: "ENODEV",
      address: "tcp://nosuch.invalid:*",
    });
  });

  it("a host name is resolved off the call, and a dead one is not an immediate error (R4)", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(`tcp://localhost:${portOf(endpoint)}`);
    await passes(push, pull);
    const lost = managed(new Push({ reconnectInterval: 10 }));
    const events = record(lost);
    lost.connect("tcp://nosuch.invalid:5555");
    // It is tried again and again.
    await events.next("connect:retry", 2, 20_000);
  });

  it("an IPv4 address in IPv6's notation is one of IPv4 without ipv6 (R5)", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const endpoint = await pull.bind("tcp://[::ffff:127.0.0.1]:*");
    expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    push.connect(`tcp://[::ffff:7f00:1]:${portOf(endpoint)}`);
    await passes(push, pull);
  });

  it.skipIf(!HAS_IPV6)("with ipv6 it is bound as it is written, also at once (R5)", async () => {
    for (const bind of ["bind", "bindSync"] as const) {
      const [pull, push] = [managed(new Pull({ ipv6: true })), managed(new Push({ ipv6: true }))];
      const endpoint = await pull[bind]("tcp://[::ffff:127.0.0.1]:*");
      expect(endpoint).toMatch(/^tcp:\/\/\[::ffff:127\.0\.0\.1\]:\d+$/);
      push.connect(endpoint);
      await passes(push, pull);
    }
  });

  it.skipIf(!HAS_IPV6)("with ipv6 the wildcard takes both families in whatever spelling (R5)", async () => {
    const [pull, push] = [managed(new Pull({ ipv6: true })), managed(new Push())];
    const endpoint = await pull.bind("tcp://[0::0]:*");
    push.connect(`tcp://127.0.0.1:${portOf(endpoint)}`);
    await passes(push, pull);
  });

  it("with ipv6 off an IPv6 address is refused with EINVAL or never connected (R5)", async () => {
    const pull = managed(new Pull());
    await expect(pull.bind("tcp://[::1]:*")).rejects.toMatchObject({ code: "EINVAL" });
  });

  it.skipIf(!HAS_IPV6)(
    "an IPv6 address is written [addr]:port, and brackets may be left out (R5)",
    async () => {
      const pull = managed(new Pull({ ipv6: true }));
      const endpoint = await pull.bind("tcp://[::1]:*");
      expect(endpoint).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
      for (const text of [endpoint, `tcp://::1:${portOf(endpoint)}`]) {
        const push = managed(new Push({ ipv6: true }));
        push.connect(text);
        await passes(push, pull);
      }
    },
  );

  it("tcp://source;destination binds the local end first (R6)", async () => {
    const listener = await rawListen();
    const push = managed(new Push());
    push.connect(`tcp://127.0.0.2:0;127.0.0.1:${portOf(listener.endpoint)}`);
    const peer = await listener.accept();
    expect(peer.socket.remoteAddress).toBe("127.0.0.2");
    await peer.handshake({ type: "PULL" });
    await push.send("x");
    expect(texts(await peer.readMessage())).toEqual(["x"]);
  });

  it("the source port may be given (R6)", async () => {
    const source = await freePort();
    const port = portOf(source);
    const listener = await rawListen();
    managed(new Push()).connect(`${source};127.0.0.1:${portOf(listener.endpoint)}`);
    expect((await listener.accept()).socket.remotePort).toBe(port);
  });

  it("an address in use gives EADDRINUSE with the address, one not ours EADDRNOTAVAIL (R7)", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({
      name: "ZmqError",
      code: "EADDRINUSE",
      address: endpoint,
    });
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(managed(new Pull()).bind("tcp://203.0.113.7:*")).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
    });
  });

  it.each(["65536", "99999", "-1", "1.5", "x", "", "0x10", "1e3", " 1"])(
    "port %j gives EINVAL (R8)",
    async (port) => {
      const pull = managed(new Pull());
      await expect(pull.bind(`tcp://127.0.0.1:${port}`)).rejects.toMatchObject({ code: "EINVAL" });
      expect(() => pull.connect(`tcp://127.0.0.1:${port}`)).toThrow(
        expect.objectContaining({ code: "EINVAL" }),
      );
    },
  );

  it.skipIf(process.platform !== "linux")(
    "backlog reaches listen(), and 100 is the default (R9)",
    async () => {
      // While our event loop stands still, the kernel completes as many connections as the queue holds, and on Linux one
      // more; a child counts them. By the clock: one too many would come within 200 ms.
      const dial = `const net = require("node:net"); const [port, wanted] = process.argv.slice(1).map(Number); let n = 0;
      const end = () => { console.log(n); process.exit(); };
      const connected = () => { if (++n === wanted) setTimeout(end, 200); };
      for (let i = 0; i < 12; i++) net.connect(port, "127.0.0.1", connected).on("error", () => {});
      setTimeout(end, 10000);`;
      const count = (endpoint: string, wanted: number) =>
        Number(
          spawnSync(process.execPath, ["-e", dial, `${portOf(endpoint)}`, `${wanted}`], { encoding: "utf8" })
            .stdout,
        );
      expect(count(await managed(new Pull({ backlog: 3 })).bind("tcp://127.0.0.1:*"), 4)).toBe(4);
      expect(count(await managed(new Pull()).bind("tcp://127.0.0.1:*"), 12)).toBe(12);
      expect(managed(new Pull()).backlog).toBe(100);
    },
  );

  it("an endpoint can be bound again at once after its connections are closed (R10)", async () => {
    let endpoint = "tcp://127.0.0.1:*";
    for (let i = 0; i < 5; i++) {
      const pull = new Pull();
      endpoint = await pull.bind(endpoint);
      const peer = await rawConnected(endpoint, { type: "PUSH" });
      peer.write(message("x"));
      await pull.receive({ timeout: 20_000 });
      await pull.close(); // we close first, so our side of the connection is in TIME_WAIT
    }
  });

  it("a restart binds while old connections of others still exist (R10)", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const peer = await rawDial(endpoint);
    await pull.unbind(endpoint);
    await peer.closed();
    expect(await pull.bind(endpoint)).toBe(endpoint);
  });

  it("keepalive can be asked for, and values out of range are refused (R11)", async () => {
    const pull = managed(new Pull({ tcpKeepalive: 1, tcpKeepaliveIdle: 30 }));
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    await rawConnected(endpoint, { type: "PUSH" });
    await pull.connected({ timeout: 20_000 });
    expect(() => (pull.tcpKeepalive = 2)).toThrow(RangeError);
    expect(pull.tcpKeepalive).toBe(1);
  });

  it("the peer's address is that of its end of the connection", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await pull.connected({ timeout: 20_000 });
    expect(pull.peers[0].address).toBe(`tcp://127.0.0.1:${peer.socket.localPort}`);
  });

  it("connectTimeout ends an attempt that takes too long, and the next one follows (S6)", async () => {
    const push = managed(new Push({ connectTimeout: 80, reconnectInterval: 10 }));
    const events = record(push);
    // TEST-NET-1 is routed nowhere or refused at once; either way the attempt must end and be made again.
    push.connect("tcp://192.0.2.1:9");
    const retry = await events.next("connect:retry", 2, 10_000);
    expect(retry.error).toBeInstanceOf(Error);
    const [first, second] = events.of("connect:delay");
    expect(second.at - first.at).toBeLessThan(5000);
  });
});
