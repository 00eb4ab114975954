/**
 * Client and server together: values, the proxy, services, errors, several servers.
 */
import { describe, expect, it } from "vitest";
import { connect, LostRemote, method, RemoteError, RpcError, serve, UnknownMethod } from "../../src/rpc.js";
import { gate, TRANSPORTS, until, within } from "../support/helpers.js";
import { calling, serving } from "../support/rpc-peers.js";

describe.each(TRANSPORTS)("over $name", ({ endpoint }) => {
  it("calls, streams and errors", async () => {
    await using server = await serve(endpoint(), {
      add: (a: number, b: number) => a + b,
      later: async (value: unknown) => value,
      *count(n: number) {
        for (let i = 0; i < n; i++) yield i;
      },
      async *countLater(n: number) {
        for (let i = 0; i < n; i++) yield i;
      },
      math: { square: (x: number) => x * x, deeper: { half: (x: number) => x / 2 } },
      fail: () => {
        throw new RangeError("no");
      },
    });
    await using api = connect(server.endpoint);
    const value = {
      text: "é",
      bytes: Buffer.from([1, 0]),
      big: 2n ** 63n,
      safe: 2 ** 50,
      list: [null, true, 1.5],
    };
    expect(await api.later(value)).toEqual(value);
    expect(await Promise.all(Array.from({ length: 500 }, (_, i) => api.add(i, 1)))).toEqual(
      Array.from({ length: 500 }, (_, i) => i + 1),
    );
    expect([await api.math.square(3), await api.math.deeper.half(3), await api["math.square"](4)]).toEqual([
      9, 1.5, 16,
    ]);
    for (const stream of [api.count(250), api.countLater(250)]) {
      const got: number[] = [];
      for await (const item of stream) got.push(item);
      expect(got).toEqual(Array.from({ length: 250 }, (_, i) => i));
    }
    await expect(api.fail()).rejects.toThrow(RemoteError);
    await expect(api.nope()).rejects.toThrow(UnknownMethod);
    await until(() => server.stats.channels === 0, "every channel closed");
  });
});

describe.each(TRANSPORTS)("over $name without a server", ({ absent }) => {
  it("a call waits in the client, ends in time, and is not delivered later (T32)", async () => {
    const endpoint = await absent();
    const seen: unknown[] = [];
    const api = calling(endpoint, { socket: { reconnectInterval: 10 } });
    await expect(api.$call("note", ["early"], { timeout: 20 })).rejects.toMatchObject({
      name: "TimeoutExpired",
      sent: false,
    });
    const waiting = api.note("waiting");
    expect(api.$client.stats).toMatchObject({ waiting: 1, inFlight: 0, servers: 0 });
    await using server = await serve(endpoint, { note: (text: unknown) => void seen.push(text) });
    await within(waiting, "the call that waits");
    expect(seen).toEqual(["waiting"]);
    await server.close({ grace: 0, linger: 0 });
    await until(() => api.$client.stats.servers === 0, "it is gone");
    await expect(api.$call("note", ["late"], { timeout: 20 })).rejects.toMatchObject({ sent: false });
  });
});

describe("the proxy", () => {
  it("is not a promise, and has none of the methods that JavaScript looks up in any object", async () => {
    const server = await serving({ ["then" as string]: () => 1, toJSON: () => 2, add: (a: number) => a });
    const api = calling(server.endpoint);
    expect((await api) === api).toBe(true);
    expect([api.then, api.toJSON, api.add.then, api.$nothing]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(JSON.stringify({ api })).toBe("{}");
    expect(String(api)).toMatch(/^\[zwire remote tcp:/);
    expect("then" in api).toBe(false);
    expect((api as unknown as Record<symbol, unknown>)[Symbol.iterator]).toBeUndefined();
    expect(await api.$call("then")).toBe(1);
    expect(() => {
      (api as unknown as Record<string, unknown>).x = 1;
    }).toThrow(TypeError);
    expect(() => (api as unknown as () => void)()).toThrow("call one of its methods");
    expect(server.stats.calls).toBe(1);
  });

  it("a call that nobody awaits is sent, and its failure is an unhandled rejection", async () => {
    const seen: unknown[] = [];
    const server = await serving({
      note: (x: unknown) => void seen.push(x),
      fail: () => Promise.reject(new Error("x")),
    });
    const api = calling(server.endpoint);
    api.note(1);
    await until(() => seen.length === 1, "the note");
    const unhandled = gate<unknown>();
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.once("unhandledRejection", unhandled.open);
    try {
      api.fail();
      expect(await within(unhandled.opened, "the rejection")).toBeInstanceOf(RemoteError);
    } finally {
      for (const one of others) process.on("unhandledRejection", one);
    }
  });

  it("arguments are checked at once", () => {
    const api = calling("tcp://127.0.0.1:1");
    for (const [options, message] of [
      [{ timeout: 0 }, "timeout must be at least 1"],
      [{ timeout: "1" }, "timeout must be a number"],
      [{ retries: 1.5 }, "retries must be an integer"],
      [{ signal: {} }, "signal must be an AbortSignal"],
      [{ headers: [] }, "headers must be an object"],
      [{ timeOut: 1 }, 'there is no option "timeOut"'],
    ] as [object, string][]) {
      expect(() => api.$with(options)).toThrow(message);
      expect(() => api.$call("m", [], options)).toThrow(message);
    }
    expect(() => api.$call(1 as never)).toThrow("name must be a string");
    expect(() => api.$call("m", "x" as never)).toThrow("args must be an array");
    expect(() => connect([])).toThrow("endpoints must be");
    expect(() => connect("tcp://127.0.0.1:1", { heartbeat: -1 })).toThrow(RangeError);
    expect(() => connect("tcp://127.0.0.1:1", { socket: { immediate: false } as never })).toThrow(
      "socket.immediate",
    );
    expect(() => connect("nonsense")).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("serve checks its arguments, and holds no endpoint after a failure", async () => {
    await expect(serve("tcp://127.0.0.1:*", null as never)).rejects.toThrow(TypeError);
    await expect(serve("tcp://127.0.0.1:*", {}, { concurrency: 0 })).rejects.toThrow(RangeError);
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    await expect(serve("tcp://127.0.0.1:*", loop)).rejects.toThrow("service.loop contains itself");
    const server = await serving({});
    await expect(serve(["tcp://127.0.0.1:*", server.endpoint], {})).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });
});

describe("services", () => {
  it("an instance of a class offers its methods and those of its parents, and nothing that it holds", async () => {
    class Base {
      inherited() {
        return "inherited";
      }
    }
    class Counter extends Base {
      value = 0;
      store = { drop: () => "never" };
      #own = 1;
      up = () => ++this.value;
      add(n: number) {
        this.value += n * this.#own;
        return this.value;
      }
      _private() {}
      get computed() {
        return () => 1;
      }
    }
    const server = await serving({ counter: new Counter(), Counter, list: [() => 1], nothing: null });
    const api = calling(server.endpoint);
    expect(await api.$client.list()).toEqual(["counter.up", "counter.add", "counter.inherited"]);
    expect([await api.counter.add(2), await api.counter.up(), await api.counter.inherited()]).toEqual([
      2,
      3,
      "inherited",
    ]);
    await expect(api.counter.store.drop()).rejects.toThrow(UnknownMethod);
  });

  it("a client can ping, list, and inspect (T26)", async () => {
    const server = await serving(
      {
        add: (a: number, b = 2) => a + b,
        note: method((_call, text: string) => text, { doc: "Takes a note.", args: ["what"] }),
      },
      { name: "desk" },
    );
    const { $client: client } = calling(server.endpoint);
    expect(await client.ping()).toBe("desk");
    expect(await client.list()).toEqual(["add", "note"]);
    expect([await client.help("note"), await client.help("add")]).toEqual(["Takes a note.", null]);
    expect(await client.inspect()).toEqual({
      name: "desk",
      methods: {
        add: { args: [{ name: "a" }, { name: "b", default: 2 }], doc: null },
        note: { args: [{ name: "what" }], doc: "Takes a note." },
      },
    });
  });

  it("a server that cannot inspect, as Python 3.11, is inspected by list and help", async () => {
    const { introspect } = await import("../../src/rpc/client/introspect.js");
    const answers: Record<string, unknown> = {
      _zerorpc_list: ["a"],
      _zerorpc_help: "doc of a",
      _zerorpc_name: "py",
    };
    const described = await introspect(async (name) => {
      if (name in answers) return answers[name];
      throw new RemoteError("AttributeError", "module 'inspect' has no attribute 'getargspec'");
    });
    expect(described).toEqual({ name: "py", methods: { a: { args: null, doc: "doc of a" } } });
  });
});

describe("errors", () => {
  it("keep name, message, traceback, code and data, and have classes of their own", async () => {
    class Broken extends Error {
      override name = "Broken";
      code = "EBROKEN";
      data = { id: 2 ** 40, raw: Buffer.from("x") };
    }
    const server = await serving({
      broken: () => {
        throw new Broken("in two");
      },
      text: () => {
        throw "just text";
      },
      odd: () => {
        throw { toString: 1 };
      },
      unsendable: () => {
        throw Object.assign(new Error("m"), { data: () => {} });
      },
      result: () => new Map([[1, 1]]),
      async *items() {
        yield 1;
        yield { a: Symbol("x") };
      },
    });
    const api = calling(server.endpoint);
    const error = await api.broken().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ name: "Broken", message: "in two", method: "broken", code: "EBROKEN" });
    expect((error as RemoteError).data).toEqual({ id: 2 ** 40, raw: Buffer.from("x") });
    expect((error as RemoteError).traceback).toContain("calls.test");
    await expect(api.text()).rejects.toMatchObject({ name: "Error", message: "just text", traceback: null });
    await expect(api.odd()).rejects.toMatchObject({ message: "[object Object]" });
    await expect(api.unsendable()).rejects.toMatchObject({
      data: { notSent: "error.data is a function, which cannot be sent" },
    });
    await expect(api.result()).rejects.toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("result has the key 1"),
    });
    const stream = api.$stream("items");
    expect((await stream.next()).value).toBe(1);
    await expect(stream.next()).rejects.toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("item.a is a symbol"),
    });
  });

  it("keep everything when a server in between passes them on; tracebacks can be withheld", async () => {
    const last = await serving({
      fail: () => {
        throw Object.assign(new RangeError("deep"), { code: "E", data: [1] });
      },
    });
    const inner = calling(last.endpoint);
    const middle = await serving({ fail: () => inner.fail() });
    const quiet = await serving({ fail: () => inner.fail() }, { tracebacks: false });
    const direct = await inner.fail().catch((e: unknown) => e);
    const error = await calling(middle.endpoint)
      .fail()
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: "RangeError",
      message: "deep",
      code: "E",
      data: [1],
      traceback: direct.traceback,
    });
    await expect(calling(quiet.endpoint).fail()).rejects.toMatchObject({
      name: "RangeError",
      traceback: null,
    });
  });
});

describe("several servers", () => {
  it("calls go in turn to the servers that are connected", async () => {
    const [one, two] = [await serving({ who: () => 1 }), await serving({ who: () => 2 })];
    const api = calling([one.endpoint, "tcp://127.0.0.1:1", two.endpoint]);
    await until(() => api.$client.stats.servers === 2, "both are there");
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.who()));
    expect(answers.filter((one) => one === 1).length).toBe(10);
    await two.close({ grace: 0, linger: 0 });
    await until(() => api.$client.stats.servers === 1, "one is gone");
    expect(await Promise.all(Array.from({ length: 20 }, () => api.who()))).toEqual(Array(20).fill(1));
  });

  it("idempotent calls are sent to another server when the first is lost; other calls reject", async () => {
    const never = () => new Promise(() => {});
    const [bad, good] = [
      await serving({ get: never, put: never, other: never }),
      await serving({ get: () => "got", put: () => "put", other: () => "other" }),
    ];
    const api = calling([bad.endpoint, good.endpoint], { idempotent: ["get"] });
    await until(() => api.$client.stats.servers === 2, "both are there");
    const gets = [api.get(), api.get()];
    const puts = [api.put(), api.put()].map((call) => call.catch((error: unknown) => error));
    const others = [api.$call("other", [], { retries: 1 }), api.$call("other", [], { retries: 1 })];
    await until(() => bad.stats.running === 3, "one of each is held");
    await bad.close({ grace: 0, linger: 0 });
    expect(await Promise.all(gets)).toEqual(["got", "got"]);
    expect(await Promise.all(others)).toEqual(["other", "other"]);
    const results = await Promise.all(puts);
    expect(results.filter((one) => one instanceof LostRemote)).toHaveLength(1);
    expect(api.$client.stats.retried).toBe(2);
  });

  it("a call that a closing or busy server refuses goes to another, because it did not run", async () => {
    const held = gate();
    const busy = await serving({ who: () => held.opened }, { concurrency: 1, queueLimit: 0 });
    const other = await serving({ who: () => "other" });
    const api = calling([busy.endpoint, other.endpoint]);
    await until(() => api.$client.stats.servers === 2, "both are there");
    const calls = Array.from({ length: 6 }, () => api.who());
    await until(() => api.$client.stats.inFlight === 1, "only the one that runs is left");
    held.open();
    const answers = await Promise.all(calls);
    expect(answers.filter((one) => one === "other")).toHaveLength(5);
    expect(busy.stats.refused).toBe(2);
  });
});
