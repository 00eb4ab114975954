/**
 * Client and server together: what a handler knows of its call, and the hooks around calls on both sides.
 */
import { describe, expect, it } from "vitest";
import { type CallContext, type Middleware, method } from "../../src/rpc.js";
import { until } from "../support/helpers.js";
import { calling, serving } from "../support/rpc-peers.js";

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
