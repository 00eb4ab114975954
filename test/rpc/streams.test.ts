/**
 * Client and server together: streams of items, their window and their ends.
 */
import { describe, expect, it } from "vitest";
import type { RpcStream } from "../../src/rpc.js";
import { gate, until, within } from "../support/helpers.js";
import { calling, serving } from "../support/rpc-peers.js";

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
