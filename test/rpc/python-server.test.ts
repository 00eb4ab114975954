/**
 * A zwire client and a server in Python (python/peer.py, which does what zerorpc-python does). Titles name the items of
 * the protocol's test list.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  type ClientOptions,
  connect,
  LostRemote,
  RemoteError,
  TimeoutExpired,
  UnknownMethod,
} from "../../src/rpc.js";
import { freePort, until, within } from "../support/helpers.js";
import { PythonPeer, type PythonServer, python, withPython } from "../support/python-rpc.js";

/** A client that closes when the test ends. */
function client(endpoints: string | string[], options: ClientOptions = {}) {
  // biome-ignore lint/suspicious/noExplicitAny: Python's methods have no types here
  const remote = connect<any>(endpoints, options);
  onTestFinished(() => remote.$close());
  return remote;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Seconds that a handler blocks which should beat twice a second; ZWIRE_TEST_BLOCK=60 for the long run. */
const BLOCK = Number(process.env.ZWIRE_TEST_BLOCK ?? 2.5);

/** What takes seconds and is the same on either engine runs on one. */
const once = process.env.ZWIRE_ENGINE === "portable" ? ((() => {}) as unknown as typeof it) : it;

describe.skipIf(python.command === null)(`a zwire client and a server ${withPython}`, () => {
  let peer: PythonPeer;
  let server: PythonServer;
  let api: ReturnType<typeof client>;

  beforeAll(async () => {
    peer = await PythonPeer.start({ keep: true });
    server = await peer.serve({ heartbeat: 0.5 });
  });
  afterAll(() => peer?.stop());
  beforeEach(async () => {
    await server.log({ clear: true });
    api = client(server.endpoint);
  });

  it("request and answer have the bytes of §2, with Python (T1)", async () => {
    expect(await api.add(1, 2)).toBe(3);
    const { frames } = await server.log();
    const [, parts] = frames.find(([direction]) => direction === "in")!;
    expect(parts.length).toBe(3);
    expect(parts[1]).toBe("");
    // [{message_id: bin(32), v: 3, …}, "add", [1, 2]]
    expect(parts[2]).toMatch(/^938[23]aa6d6573736167655f6964c420([0-9a-f]{64})a17603.*a3616464920102$/);
    const id = Buffer.from(/c420([0-9a-f]{64})/.exec(parts[2])![1], "hex").toString();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const [, [answer]] = frames.find(([direction]) => direction === "out")!;
    expect(answer).toContain(`ab726573706f6e73655f746fc420${Buffer.from(id).toString("hex")}`);
  });

  it("many calls at once, with ids as bin, get their answers, with Python (T2)", async () => {
    const sums = await Promise.all(Array.from({ length: 200 }, (_, i) => api.add(i, i)));
    expect(sums).toEqual(Array.from({ length: 200 }, (_, i) => 2 * i));
    expect((await server.log()).drops).toEqual([]);
  });

  it("a call resolves when its answer has no delimiter, with Python (T4)", async () => {
    const router = await peer.raw("ROUTER", { bind: "tcp://127.0.0.1:*" });
    const call = client(router.endpoint).whatever();
    const [routingId, delimiter, payload] = (await router.receive())!;
    expect(delimiter.length).toBe(0);
    const id = /c420([0-9a-f]{64})/.exec(payload.toString("hex"))![1];
    const answer = `9383aa6d6573736167655f6964a178a17603ab726573706f6e73655f746fc420${id}a24f4b9107`;
    await router.send(routingId, answer);
    expect(await call).toBe(7);
  });

  it("a call passes two hops of proxies, with Python (T5)", async () => {
    const inner = await peer.ask<{ endpoint: string }>("proxy", { connect: server.endpoint });
    const outer = await peer.ask<{ endpoint: string }>("proxy", { connect: inner.endpoint });
    const far = client(outer.endpoint);
    expect(await far.add(20, 22)).toBe(42);
    expect(await collect(far.count(230))).toHaveLength(230);
  });

  it("a message that is not an event is dropped, and the next answer is read, with Python (T6)", async () => {
    const router = await peer.raw("ROUTER", { bind: "tcp://127.0.0.1:*" });
    const remote = client(router.endpoint);
    const call = remote.whatever();
    const [routingId, , payload] = (await router.receive())!;
    const id = /c420([0-9a-f]{64})/.exec(payload.toString("hex"))![1];
    const header = `83aa6d6573736167655f6964a178a17603ab726573706f6e73655f746fc420${id}`;
    for (const bad of ["c1", "92c0c0", `94${header}a24f4b9107c0`, "93c0a24f4b9107", ""]) {
      await router.send(routingId, "", bad);
    }
    await router.send(routingId, "", `93${header}a24f4b9107`);
    expect(await call).toBe(7);
    expect(remote.$client.stats.dropped).toBe(5);
  });

  it("extra header keys reach Python and come back, with Python (T9)", async () => {
    const traced = client(server.endpoint, { headers: { trace: "abc", n: 5 } });
    expect(await traced.add(1)).toBe(1);
    const { frames } = await server.log();
    const request = frames.find(([direction]) => direction === "in")![1][2];
    expect(Buffer.from(request, "hex").toString("latin1")).toContain("trace\xa3abc");
  });

  it("a stream is granted only after its first item, and then to the window, with Python (T11, T12, T15)", async () => {
    expect(await collect(api.count(250))).toEqual(Array.from({ length: 250 }, (_, i) => i));
    const { events, drops } = await server.log();
    const seen = events.map(([direction, name]) => `${direction} ${name}`);
    expect(seen.indexOf("in _zpc_more")).toBeGreaterThan(seen.indexOf("out STREAM"));
    const grants = events.filter(([, name]) => name === "_zpc_more").map(([, , , args]) => args);
    expect(grants[0]).toEqual([100]);
    expect(drops.filter(([kind]) => kind !== "unroutable")).toEqual([]);
  });

  it("an error after items rejects after them, with Python (T13)", async () => {
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const item of api.fail_after(120)) items.push(item);
    })();
    await expect(reading).rejects.toMatchObject({ name: "ValueError", message: "after items" });
    expect(items).toHaveLength(120);
  });

  it("outstanding items never exceed the window, and one grant at most is unused, with Python (T16)", async () => {
    for (let i = 0; i < 3; i++) await collect(api.count(333));
    const { events } = await server.log();
    const channels = new Set(events.filter(([, name]) => name === "count").map(([, , channel]) => channel));
    expect(channels.size).toBe(3);
    for (const channel of channels) {
      let credit = 1;
      let unused = 0;
      for (const [, name, of, args] of events) {
        if (of !== channel) continue;
        if (name === "_zpc_more") {
          credit += (args as number[])[0];
          unused++;
        } else if (name === "STREAM") {
          credit--;
          unused = Math.min(unused, 1);
        }
        expect(credit).toBeLessThanOrEqual(100);
        expect(unused).toBeLessThanOrEqual(2);
      }
    }
  });

  once(
    "a long call survives a Python server that sends two heartbeats a second, with Python (T19, T17)",
    async () => {
      expect(await api.nap(2.1)).toBe("rested");
      const { events } = await server.log();
      const beats = (direction: string) =>
        events.filter(([one, name]) => one === direction && name === "_zpc_hb").length;
      expect(beats("out")).toBeGreaterThanOrEqual(3);
      expect(beats("in")).toBeGreaterThanOrEqual(beats("out") - 1);
      expect(events.filter(([, name]) => name === "_zpc_more")).toEqual([]);
    },
  );

  once(
    `a handler that blocks for ${BLOCK} s, and so sends no heartbeat, returns its value, with Python (T20)`,
    async () => {
      const slow = await PythonPeer.start();
      const blocked = client((await slow.serve({ heartbeat: 0.5 })).endpoint, {
        timeout: Infinity,
        heartbeat: 500,
      });
      expect(await within(blocked.block(BLOCK), "the value", (BLOCK + 10) * 1000)).toBe("unblocked");
    },
    (BLOCK + 20) * 1000,
  );

  once("with lostAfter a call to a silent server rejects, with Python (T20)", async () => {
    const slow = await PythonPeer.start();
    const remote = client((await slow.serve({ heartbeat: null })).endpoint, {
      lostAfter: 600,
      heartbeat: 200,
    });
    await expect(within(remote.block(2), "loss")).rejects.toBeInstanceOf(LostRemote);
  });

  it("an error has Python's name, message and traceback, with Python (T21, T35)", async () => {
    const error = await api.fail("no such luck").then(
      () => null,
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ name: "ValueError", message: "no such luck", method: "fail" });
    expect((error as RemoteError).traceback).toMatch(/Traceback[\s\S]*raise ValueError/);
  });

  it("an empty stream ends at once, with Python (T23, T24)", async () => {
    expect(await collect(api.count(0))).toEqual([]);
  });

  it("a call of an unknown method rejects at once, with Python (T25)", async () => {
    await expect(api.there_is_none(1)).rejects.toBeInstanceOf(UnknownMethod);
    await expect(api.$call("_hidden")).rejects.toMatchObject({ name: "NameError" });
  });

  it("the built-in methods answer, with Python (T26)", async () => {
    expect(await api.$client.ping()).toBe("peer");
    expect(await api.$client.list()).toContain("add");
    expect(await api.$client.help("add")).toBe("Adds numbers.");
    const { name, methods } = await api.$client.inspect();
    expect(name).toBe("peer");
    expect(methods.optional.args?.at(-1)).toMatchObject({ name: "text", default: "x" });
  });

  it.each([
    [2 ** 31, "2147483648"],
    [2 ** 32, "4294967296"],
    [2 ** 53 - 1, "9007199254740991"],
    [-(2 ** 40), "-1099511627776"],
    [2n ** 63n, "9223372036854775808"],
    [-(2n ** 63n), "-9223372036854775808"],
    [-1, "-1"],
    [1.5, "1.5"],
    [Buffer.from([0, 255]), "b'\\x00\\xff'"],
    [new Uint8Array([1]), "b'\\x01'"],
    ["a\ud800b", "'a\ufffdb'"],
    ["ä", "'ä'"],
    ["x".repeat(40), `'${"x".repeat(40)}'`],
    [{ a: 1, b: [null, true] }, "{'a': 1, 'b': [None, True]}"],
    [undefined, "None"],
    [new Map([["k", 1]]), "{'k': 1}"],
    [new Set([1]), "[1]"],
  ])("%s arrives as %s, with Python (T27)", async (value, repr) => {
    expect(await api.kind(value)).toBe(repr);
  });

  it.each([
    ["2**31", 2 ** 31],
    ["2**32", 2 ** 32],
    ["2**53-1", 2 ** 53 - 1],
    ["-2**40", -(2 ** 40)],
    ["2**63", 2n ** 63n],
    ["1.0", 1],
    ["b'\\x00\\xff'", Buffer.from([0, 255])],
    ["None", null],
    ["(1, 2)", [1, 2]],
    ["{'a': {'b': b'x'}}", { a: { b: Buffer.from("x") } }],
    [
      "{1: 'one', 'two': 2}",
      new Map<unknown, unknown>([
        [1, "one"],
        ["two", 2],
      ]),
    ],
  ])("%s of Python arrives, with Python (T27)", async (expression, value) => {
    expect(await api.evaluate(expression)).toEqual(value);
  });

  it("a map with a key that Python would drop is refused before it is sent, with Python (T27)", async () => {
    expect(() => api.echo(new Map([[1, 2]]))).toThrow(TypeError);
    expect(await api.add(1)).toBe(1);
  });

  it("a late answer is dropped and counted, with Python (T28)", async () => {
    const { $client } = api;
    await expect(api.$call("nap", [0.4], { timeout: 150 })).rejects.toBeInstanceOf(TimeoutExpired);
    await until(() => $client.stats.late >= 1, "the late answer");
    expect(await api.add(1)).toBe(1);
    expect($client.stats.inFlight).toBe(0);
  });

  it("60 streams of 250 items, one of 5000 and 40 abandoned ones leave the server alive, with Python (T29)", async () => {
    for (let i = 0; i < 60; i++) expect(await collect(api.count(250))).toHaveLength(250);
    expect(await collect(api.count(5000))).toHaveLength(5000);
    const before = process.memoryUsage().rss;
    const { resident } = await peer.usage();
    await server.log({ record: false, clear: true });
    for (let i = 0; i < 40; i++) {
      let seen = 0;
      for await (const item of api.blobs(250, 1000)) {
        expect(item).toHaveLength(1000);
        if (++seen === 5 + i) break;
      }
    }
    expect(await api.add(1, 1)).toBe(2);
    expect((await server.log({ record: true })).waiting).toBe(false);
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
    expect((await peer.usage()).resident - resident).toBeLessThan(30_000);
    expect(api.$client.stats).toMatchObject({ streams: 0, inFlight: 0 });
  });

  once(
    "the Python peer has the fault that these tests guard against: one grant per item stops it for good (T29)",
    async () => {
      const stopped = await PythonPeer.start();
      const victim = await stopped.serve({ heartbeat: null });
      const dealer = await peer.raw("DEALER", { connect: victim.endpoint });
      const hex = (text: string): string => Buffer.from(text).toString("hex");
      const head = (id: string, more = ""): string =>
        `${more ? "83" : "82"}aa${hex("message_id")}${id}a17603${more}`;
      // A race that one stream in thirty or so loses.
      for (let stream = 0; stream < 300 && !(await victim.log()).waiting; stream++) {
        const id = (0x20 + (stream % 0x50)).toString(16); // an integer below 128
        const grant = (n: string): Promise<void> =>
          dealer.send("", `93${head("7f", `ab${hex("response_to")}${id}`)}a9${hex("_zpc_more")}91${n}`);
        await dealer.send("", `93${head(id)}a5${hex("count")}91ccfa`);
        for (let seen = 0; ; seen++) {
          const frames = await dealer.receive(0.5);
          if (frames === null || frames[1].includes("STREAM_DONE")) break;
          await grant(seen === 0 ? "64" : "01");
        }
      }
      expect((await victim.log()).waiting).toBe(true);
    },
  );

  once(
    "leaving a stream ends its grants and heartbeats, and Python gives it up, with Python (T30)",
    async () => {
      for await (const item of api.count(1000)) if (item === 2) break;
      const { events } = await server.log();
      const [, , channel] = events.find(([, name]) => name === "count")!;
      await server.log({ clear: true });
      // Python notices at its third beat.
      await until(async () => (await server.log()).channels === 0, "Python's giving up");
      const after = (await server.log()).events.filter(([way, , of]) => way === "in" && of === channel);
      expect(after.filter(([, name]) => name === "_zpc_hb" || name === "_zpc_more")).toEqual([]);
    },
  );

  it("calls that timed out before the server came are never delivered, with Python (T32)", async () => {
    const endpoint = await freePort();
    const early = client(endpoint, { timeout: 300 });
    const outcomes = await Promise.allSettled(Array.from({ length: 1200 }, () => early.add(1)));
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    const late = await peer.serve({ bind: endpoint });
    expect(await early.$call("echo", ["first"], { timeout: 10_000 })).toBe("first");
    expect((await late.log()).served).toBe(1);
  });

  it("an extension event is ignored by Python, with Python (T34)", async () => {
    const stream = api.$stream("count", [300]);
    await stream.next();
    await stream.return();
    expect(await api.add(1)).toBe(1);
  });

  it("a peer that is killed in mid-call is LostRemote within a second, and its successor serves the next call, with Python", async () => {
    const endpoint = await freePort();
    const first = await PythonPeer.start();
    await first.serve({ bind: endpoint });
    const remote = client(endpoint);
    await remote.add(1);
    const call = remote.nap(60);
    const stream = remote.$stream("count", [10]);
    await stream.next();
    const killed = performance.now();
    first.process.kill("SIGKILL");
    await expect(within(call, "the loss")).rejects.toBeInstanceOf(LostRemote);
    expect(performance.now() - killed).toBeLessThan(1000);
    const second = await PythonPeer.start();
    const next = remote.add(2, 2);
    await second.serve({ bind: endpoint });
    expect(await within(next, "the next call")).toBe(4);
  });
});
