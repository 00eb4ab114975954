/**
 * Client and server together: values, errors, contexts, middleware, cancelling, limits, closing, several servers.
 */
import { describe, expect, it } from "vitest";
import { Dealer } from "../../src/index.js";
import {
  type CallContext,
  CallRefused,
  connect,
  LostRemote,
  type Middleware,
  method,
  RemoteError,
  RpcError,
  type RpcStream,
  serve,
  TimeoutExpired,
  UnknownMethod,
} from "../../src/rpc.js";
import { managed, TRANSPORTS, turns, until, within } from "../support/helpers.js";
import { arr, bin, int } from "../support/msgpack.js";
import { calling, event, newId, ScriptedClient, serving } from "../support/rpc-peers.js";

/** A promise to be settled from outside. */
function gate<T = void>() {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

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

describe("contexts and middleware", () => {
  it("a handler knows its call: name, headers, deadline, caller", async () => {
    let call: CallContext | undefined;
    const server = await serving({
      a: {
        look: method((context, x: number) => {
          call = context;
          return x;
        }),
      },
    });
    const api = calling(server.endpoint, { headers: { tenant: "t" } });
    const before = Date.now();
    expect(await api.$with({ headers: { trace: [1] }, timeout: 5000 }).a.look(7)).toBe(7);
    expect(call).toMatchObject({ method: "a.look", args: [7], headers: { tenant: "t", trace: [1] } });
    expect(call?.deadline).toBeGreaterThanOrEqual(before + 5000);
    expect(call?.deadline).toBeLessThanOrEqual(Date.now() + 5000);
    expect(call?.peer.zwire).toBe(true);
    expect(call?.peer.envelope).toEqual([call?.peer.routingId]);
    await api.$with({ timeout: Infinity }).a.look(1);
    expect(call?.deadline).toBe(Infinity);
  });

  it("hooks run around calls and streams, in order, and may refuse, replace and observe", async () => {
    const log: string[] = [];
    const first: Middleware = {
      loadTaskContext: (headers) => void log.push(`load ${headers.user}`),
      serverBeforeExec: async (call) => {
        log.push(`before ${call.method}`);
        call.state.set("user", call.headers.user);
        if (call.headers.user === "evil") throw new Error("not you");
      },
      serverExec: async (call, next) => {
        log.push("around");
        const result = await next();
        return call.method === "add" ? (result as number) * 10 : result;
      },
      serverAfterExec: (call, result) => void log.push(`after ${call.method} ${result}`),
      serverInspectException: (call, error) => {
        log.push(`inspect ${call.method} ${(error as Error).message}`);
        if (call.method === "fail") throw new RangeError("another");
      },
    };
    const second: Middleware = {
      serverExec: (_call, next) => {
        log.push("inner");
        return next();
      },
    };
    const server = await serving(
      {
        add: (a: number, b: number) => a + b,
        *count() {
          yield 1;
          yield 2;
        },
        fail: () => {
          throw new Error("plain");
        },
        who: method((call) => call.state.get("user")),
      },
      { middleware: [first, second] },
    );
    const api = calling(server.endpoint, { headers: { user: "me" } });
    expect(await api.add(1, 2)).toBe(30);
    expect(log.splice(0)).toEqual(["load me", "before add", "around", "inner", "after add 30"]);
    for await (const _ of api.count());
    expect(log.splice(0)).toEqual(["load me", "before count", "around", "inner", "after count undefined"]);
    await expect(api.fail()).rejects.toMatchObject({ name: "RangeError", message: "another" });
    expect(log.splice(0)).toEqual(["load me", "before fail", "around", "inner", "inspect fail plain"]);
    await expect(api.$with({ headers: { user: "evil" } }).add(1, 2)).rejects.toThrow("not you");
    expect(log.splice(0)).toEqual(["load evil", "before add", "inspect add not you"]);
    expect(await api.who()).toBe("me");
  });

  it("a client's hooks add headers, see answers, and may replace errors and endpoints", async () => {
    const log: unknown[] = [];
    const server = await serving({
      add: (a: number, b: number) => a + b,
      headers: method((call) => call.headers),
      fail: () => {
        throw new Error("remote");
      },
    });
    const hooks: Middleware = {
      resolveEndpoint: (name) => (name === "desk" ? server.endpoint : name),
      getTaskContext: () => ({ trace: "t" }),
      clientBeforeRequest: (request) => {
        request.headers.signed = request.method;
      },
      clientAfterRequest: ({ method }, result, error) =>
        void log.push([method, result, (error as Error)?.message ?? null]),
      clientHandleRemoteError: (_request, error) => new Error(`translated ${error.message}`),
    };
    const api = calling("desk", { middleware: [hooks] });
    expect(await api.add(1, 2)).toBe(3);
    expect(await api.headers()).toEqual({ trace: "t", signed: "headers" });
    await expect(api.fail()).rejects.toThrow("translated remote");
    expect(log).toEqual([
      ["add", 3, null],
      ["headers", { trace: "t", signed: "headers" }, null],
      ["fail", undefined, "translated remote"],
    ]);
  });
});

describe("hooks that throw", () => {
  it("fail their call before it is made, replace its error, and harm nothing after the answer", async () => {
    const server = await serving({
      add: (a: number) => a,
      fail: () => {
        throw new Error("remote");
      },
    });
    const thrown: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => thrown.push(error.message));
    try {
      const api = calling(server.endpoint, {
        middleware: [
          {
            clientBeforeRequest: ({ method }) => {
              if (method === "refused") throw new Error("before");
            },
            clientAfterRequest: () => {
              throw new Error("after");
            },
            clientHandleRemoteError: () => {
              throw new Error("handled");
            },
          },
        ],
      });
      expect(() => api.refused()).toThrow("before");
      expect(await api.add(1)).toBe(1);
      await expect(api.fail()).rejects.toThrow("handled");
      await until(() => thrown.length === 2, "both are told");
      expect(thrown).toEqual(["after", "after"]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const one of listeners) process.on("uncaughtException", one);
    }
  });
});

describe("giving up", () => {
  it.each([
    ["cancel()", (call: { cancel(): void }, _abort: () => void) => call.cancel()],
    ["its signal", (_call: { cancel(): void }, abort: () => void) => abort()],
  ])("a call given up by %s tells the handler, even the very first one", async (_name, giveUp) => {
    const [begun, told] = [gate(), gate<unknown>()];
    const server = await serving({
      slow: method((call) => {
        begun.open();
        return new Promise((_, reject) =>
          call.signal.addEventListener("abort", () => {
            told.open(call.signal.reason);
            reject(new Error("x"));
          }),
        );
      }),
    });
    const api = calling(server.endpoint);
    const controller = new AbortController();
    const call = api.$call("slow", [], { signal: controller.signal });
    call.catch(() => {});
    await begun.opened;
    giveUp(call, () => controller.abort());
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(await within(told.opened, "the handler is told")).toMatchObject({ name: "AbortError" });
    await until(() => server.stats.running === 0, "the handler is done");
    expect(server.stats).toMatchObject({ channels: 0, cancelled: 1 });
  });

  it("a deadline ends the call on both sides, and a call that waits behind others never starts", async () => {
    const started: string[] = [];
    const told = gate<unknown>();
    const server = await serving(
      {
        slow: method((call, name: string) => {
          started.push(name);
          return new Promise((_, reject) => {
            call.signal.addEventListener("abort", () => {
              told.open(call.signal.reason);
              setTimeout(() => reject(new Error("late")), 20);
            });
          });
        }),
        quick: (name: string) => void started.push(name),
      },
      { concurrency: 1 },
    );
    const api = calling(server.endpoint, { timeout: 600 });
    const slow = api.slow("slow").catch((error: unknown) => error);
    const waiting = api.quick("never").catch((error: unknown) => error);
    await until(() => server.stats.waiting === 1, "one runs, one waits");
    expect(await slow).toBeInstanceOf(TimeoutExpired);
    expect(await waiting).toBeInstanceOf(TimeoutExpired);
    expect(await within(told.opened, "the handler is told")).toBeInstanceOf(Error);
    await until(() => server.stats.running === 0, "the place is free");
    await api.quick("after");
    expect(started).toEqual(["slow", "after"]);
  });

  it("an aborted signal rejects before anything is sent, and a signal may serve many calls", async () => {
    const server = await serving({ add: (a: number) => a });
    const api = calling(server.endpoint);
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    await expect(api.$call("add", [1], { signal })).rejects.toBe(reason);
    await expect(api.$stream("add", [1], { signal }).next()).rejects.toBe(reason);
    expect(api.$client.stats).toMatchObject({ waiting: 0, inFlight: 0 });
    const controller = new AbortController();
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on("warning", listener);
    const calls = Array.from({ length: 30 }, (_, i) => api.$call("add", [i], { signal: controller.signal }));
    expect(await Promise.all(calls)).toHaveLength(30);
    await turns(5);
    process.off("warning", listener);
    expect(warnings).toEqual([]);
  });
});

describe("streams", () => {
  it("leaving early ends the generator and frees both sides", async () => {
    const ended = gate<number>();
    const server = await serving({
      async *count() {
        let i = 0;
        try {
          for (; ; i++) yield i;
        } finally {
          ended.open(i);
        }
      },
    });
    const api = calling(server.endpoint);
    for await (const item of api.count()) if (item === 10) break;
    expect(await within(ended.opened, "the generator's end")).toBeLessThanOrEqual(10 + 1 + 100);
    await until(() => server.stats.channels === 0 && server.stats.running === 0, "the server is free");
    expect(api.$client.stats).toMatchObject({ streams: 0, inFlight: 0 });
  });

  it("a generator is never more than the window ahead of a slow reader", async () => {
    let made = 0;
    const server = await serving({
      *count() {
        for (;;) yield made++;
      },
    });
    const api = calling(server.endpoint, { window: 20 });
    const stream: RpcStream<number> = api.$stream("count");
    for (let taken = 1; taken <= 200; taken++) {
      await stream.next();
      expect(made - taken).toBeLessThanOrEqual(20);
    }
    await stream[Symbol.asyncDispose]();
  });

  it("a stream that nobody can read any more is freed when it is garbage", async () => {
    const server = await serving({
      *count() {
        for (let i = 0; ; i++) yield i;
      },
    });
    const api = calling(server.endpoint);
    await (async () => {
      const stream = api.$stream("count");
      await stream.next();
    })();
    const awaited = await api.count();
    api.count();
    await until(() => server.stats.streams === 3, "three streams");
    await until(() => {
      global.gc?.();
      return server.stats.streams === 1;
    }, "those that nobody has are freed");
    expect((await awaited.next()).value).toBe(0);
    await awaited.return();
    await until(() => {
      global.gc?.();
      return server.stats.streams === 0;
    }, "the server's side is free");
    expect(api.$client.stats.streams).toBe(0);
  });

  it("other iterators and async iterables stream; arrays, Maps, Sets and text are values", async () => {
    const server = await serving({
      array: () => [1, 2],
      set: () => new Set([1, 2]),
      map: () => new Map([["a", 1]]),
      text: () => "ab",
      entries: () => [5, 6].values(),
      web: () => new ReadableStream({ start: (to) => [1].map((one) => to.enqueue(one)) && to.close() }),
      later: async () => [7].values(),
      *promises() {
        yield Promise.resolve(8);
      },
    });
    const api = calling(server.endpoint);
    expect([await api.array(), await api.set(), await api.map(), await api.text()]).toEqual([
      [1, 2],
      [1, 2],
      { a: 1 },
      "ab",
    ]);
    for (const [name, items] of [
      ["entries", [5, 6]],
      ["web", [1]],
      ["later", [7]],
      ["promises", [8]],
    ] as const) {
      const got: unknown[] = [];
      for await (const item of api[name]()) got.push(item);
      expect(got).toEqual(items);
    }
  });

  it("a synchronous generator with endless credit leaves others their turn", async () => {
    const server = await serving({
      *endless() {
        for (let i = 0; ; i++) yield i;
      },
      add: (a: number, b: number) => a + b,
    });
    const greedy = calling(server.endpoint, { window: 1_000_000 });
    const stream = greedy.$stream("endless");
    for (let i = 0; i < 10; i++) await stream.next();
    const api = calling(server.endpoint);
    expect(await within(api.add(1, 2), "an answer beside the stream")).toBe(3);
    await stream.return();
    await until(() => server.stats.running === 0, "the stream ends");
  });
});

describe("limits and closing", () => {
  it("with concurrency and queueLimit so many calls run, so many wait, others are refused, and built-in methods are answered", async () => {
    const gates: (() => void)[] = [];
    let most = 0;
    const server = await serving(
      {
        hold: () =>
          new Promise<void>((resolve) => {
            gates.push(resolve);
            most = Math.max(most, server.stats.running);
          }),
      },
      { concurrency: 2, queueLimit: 3 },
    );
    const api = calling(server.endpoint);
    const calls = Array.from({ length: 6 }, () => api.hold().catch((error: unknown) => error));
    await until(() => server.stats.refused === 1, "one is refused");
    expect(server.stats).toMatchObject({ running: 2, waiting: 3 });
    expect(await api.$client.ping()).toBe("zwire");
    const opening = setInterval(() => gates.shift()?.(), 1);
    const results = await within(Promise.all(calls), "all calls");
    clearInterval(opening);
    expect(results.filter((one) => one instanceof CallRefused)).toMatchObject([
      { name: "ServerBusy", code: "busy" },
    ]);
    expect([most, server.stats.running, server.stats.waiting]).toEqual([2, 0, 0]);
  });

  it("closing lets running calls and streams finish, and refuses others", async () => {
    const passed = gate();
    const held = gate();
    const server = await serving(
      {
        hold: () => held.opened.then(() => "done"),
        pass: () => passed.opened,
        *count(n: number) {
          for (let i = 0; i < n; i++) yield i;
        },
        quick: () => 1,
      },
      { concurrency: 2 },
    );
    const api = calling(server.endpoint);
    const running = api.hold();
    const stream = api.$stream<number>("count", [500]);
    await stream.next();
    // The stream waits for its reader, and holds no place.
    const passing = api.pass();
    await until(() => server.stats.running === 3, "two calls run beside the stream");
    const waiting = api.quick().catch((error: unknown) => error);
    await until(() => server.stats.waiting === 1, "one waits");
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    expect(await waiting).toBeInstanceOf(CallRefused);
    await expect(api.quick()).rejects.toMatchObject({ name: "ServerClosing", code: "closing" });
    passed.open();
    await passing;
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toHaveLength(499);
    expect(closed).toBe(false);
    held.open();
    expect(await running).toBe("done");
    await within(closing, "the close");
  });

  it("closing aborts what is not done within grace", async () => {
    const aborted = gate<unknown>();
    const server = await serving({
      hold: method(
        (call) =>
          new Promise(() => call.signal.addEventListener("abort", () => aborted.open(call.signal.reason))),
      ),
    });
    const api = calling(server.endpoint);
    const call = api.hold().catch((error: unknown) => error);
    await until(() => server.stats.running === 1, "it runs");
    await within(server.close({ grace: 20, linger: 0 }), "the close");
    expect(await aborted.opened).toMatchObject({ message: "The server is closing" });
    expect(await within(call, "the call fails")).toBeInstanceOf(LostRemote);
  });

  it("closing a client makes calls under way reject, and tells the server", async () => {
    const server = await serving({ never: () => new Promise(() => {}), now: () => 1 });
    const api = calling(server.endpoint);
    await api.now();
    const call = api.never().catch((error: unknown) => error);
    await until(() => server.stats.channels === 1, "it runs");
    await api.$close();
    expect(await call).toBeInstanceOf(LostRemote);
    await until(() => server.stats.channels === 0, "the server knows");
    await expect(api.now()).rejects.toThrow("the client was closed");
  });

  it("a client that leaves without a word frees its calls and streams on the server", async () => {
    const aborted = gate();
    const server = await serving({
      never: method(
        (call) =>
          new Promise((_, reject) =>
            call.signal.addEventListener("abort", () => {
              aborted.open();
              reject(new Error("x"));
            }),
          ),
      ),
      *count() {
        for (let i = 0; ; i++) yield i;
      },
    });
    const staying = calling(server.endpoint);
    const kept = staying.$stream("count");
    await kept.next();
    const leaving = new ScriptedClient(server.endpoint);
    await leaving.say("never", arr());
    await leaving.answer(await leaving.say("count", arr()));
    expect(server.stats.channels).toBe(3);
    await leaving.socket.close({ linger: 0 });
    await within(aborted.opened, "the handler is told");
    await until(
      () => server.stats.channels === 1 && server.stats.running === 1,
      "only the other's stream is left",
    );
    expect((await kept.next()).done).toBe(false);
  });

  it("a client that comes back at once under the same name loses the calls that it had", async () => {
    const server = await serving({
      *count() {
        for (let i = 0; ; i++) yield i;
      },
    });
    const first = new ScriptedClient(server.endpoint, { routingId: "me" });
    for (let i = 0; i < 5; i++) await first.answer(await first.say("count", arr()));
    const dialling = new ScriptedClient(server.endpoint, { routingId: "me", reconnectInterval: 1 });
    await first.socket.close({ linger: 0 });
    await until(() => server.stats.channels === 0 && server.stats.running === 0, "its streams end");
    expect(dialling.heard).toEqual([]);
    const again = new ScriptedClient(server.endpoint, { routingId: "other" });
    expect((await again.call("count")).args).toBe(0);
    expect(server.stats.streams).toBe(1);
  });

  it("closing sends the answers that wait for a slow reader first", async () => {
    const big = Buffer.alloc(200_000, 7);
    const server = await serving({ big: () => big }, { socket: { sendHighWaterMark: 2 } });
    const slow = managed(new Dealer({ receiveHighWaterMark: 1 }));
    slow.connect(server.endpoint);
    for (let i = 0; i < 150; i++)
      await slow.send(["", event({ message_id: bin(newId()), v: int(3) }, "big", arr())]);
    await until(() => server.stats.calls === 150, "all have run");
    const closing = server.close();
    for (let i = 0; i < 150; i++) await slow.receive({ timeout: 5000 });
    await within(closing, "the close");
    expect(server.stats.undelivered).toBe(0);
  });

  it("a client that does not read delays no other", async () => {
    const big = Buffer.alloc(100_000, 7);
    const server = await serving(
      { big: () => big, add: (a: number, b: number) => a + b },
      { socket: { sendHighWaterMark: 4 } },
    );
    const deaf = managed(new Dealer({ receiveHighWaterMark: 1 }));
    deaf.connect(server.endpoint);
    for (let i = 0; i < 300; i++)
      await deaf.send(["", event({ message_id: bin(newId()), v: int(3) }, "big", arr())]);
    const api = calling(server.endpoint);
    for (let i = 0; i < 50; i++) expect(await within(api.add(i, 1), "an answer")).toBe(i + 1);
    for (let i = 0; i < 300; i++)
      expect((await deaf.receive({ timeout: 5000 }))[1].length).toBeGreaterThan(100_000);
    expect(server.stats.undelivered).toBe(0);
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
