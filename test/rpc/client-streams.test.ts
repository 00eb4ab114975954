/**
 * The client's streams against a server whose bytes are written by hand.
 */
import { describe, expect, it } from "vitest";
import { turns, until, within } from "../support/helpers.js";
import { arr, bin, int, nil, str } from "../support/msgpack.js";
import { items, joined, joinedWithClock } from "../support/rpc-client.js";

describe("streams", () => {
  it("a stream is granted nothing before its first item, then its window, and never more (T15, T16)", async () => {
    const { server, api } = await joined({ window: 10 });
    const stream = api.$stream<number>("count");
    const request = await server.next("count");
    const first = stream.next();
    await turns(10);
    expect(server.names).toEqual(["count"]);
    await items(server, request, 0, 1);
    expect((await first).value).toBe(0);
    let sent = 1;
    let granted = 1;
    let seen = 0;
    for (let taken = 1; taken < 60; taken++) {
      const next = stream.next();
      if (sent === taken) {
        // It has taken all that there is: only a grant can bring more.
        await server.next("_zpc_more", ++seen);
        const grants = server.heard.filter(({ name }) => name === "_zpc_more");
        granted = 1 + grants.reduce((sum, { args }) => sum + (args as number[])[0], 0);
        seen = grants.length;
        expect(granted - taken).toBeLessThanOrEqual(10);
        await items(server, request, sent, granted - sent);
        sent = granted;
      }
      expect((await next).value).toBe(taken);
    }
    await stream.return();
  });

  it("a stream of 250 items with a window of 100 needs at most one grant for each 50, and none after its end (T16)", async () => {
    const { server, api } = await joined();
    const got: number[] = [];
    const reading = (async () => {
      for await (const item of api.count(250)) got.push(item);
    })();
    const request = await server.next("count");
    let credit = 1;
    let counted = 0;
    for (let i = 0; i <= 250; i++) {
      await until(() => {
        const grants = server.heard.filter(({ name }) => name === "_zpc_more");
        for (; counted < grants.length; counted++) credit += (grants[counted].args as number[])[0];
        return credit > 0;
      }, `credit for item ${i}`);
      credit--;
      await server.reply(request, i < 250 ? "STREAM" : "STREAM_DONE", i < 250 ? int(i) : nil);
    }
    await within(reading, "the whole stream");
    expect(got).toEqual(Array.from({ length: 250 }, (_, i) => i));
    await turns(20);
    expect(server.names.filter((name) => name === "_zpc_more").length).toBeLessThanOrEqual(6);
    expect(credit).toBeLessThan(100);
  });

  it.each([
    ["STREAM_DONE nil", "STREAM_DONE", nil],
    ["STREAM_DONE []", "STREAM_DONE", arr()],
    ["OK [nil], as zerorpc for Node ends it", "OK", arr(nil)],
  ])("an empty stream ends with %s (T23, T24)", async (_name, name, args) => {
    const { server, api } = await joined();
    const stream = api.$stream("count");
    await server.reply(await server.next("count"), name, args);
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(api.$client.stats).toMatchObject({ inFlight: 0, streams: 0 });
  });

  it("a stream ends with STREAM_DONE of nil or [], and rejects with an error behind its items (T23, T13)", async () => {
    for (const args of [nil, arr()]) {
      const { server, api } = await joined();
      const stream = api.$stream("count");
      const request = await server.next("count");
      await items(server, request, 0, 1);
      await server.reply(request, "STREAM_DONE", args);
      expect([await stream.next(), await stream.next()]).toEqual([
        { value: 0, done: false },
        { value: undefined, done: true },
      ]);
    }
    const { server, api } = await joined();
    const stream = api.$stream("count");
    const request = await server.next("count");
    await items(server, request, 0, 1);
    await server.reply(request, "ERR", arr(str("ValueError"), str("enough"), nil));
    expect((await stream.next()).value).toBe(0);
    await expect(stream.next()).rejects.toMatchObject({ name: "ValueError", message: "enough" });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  it("items may be null", async () => {
    const { server, api } = await joined();
    const stream = api.$stream("count");
    const request = await server.next("count");
    await server.reply(request, "STREAM", nil);
    await server.reply(request, "STREAM", arr(int(1), bin("x")));
    expect((await stream.next()).value).toBe(null);
    expect((await stream.next()).value).toEqual([1, Buffer.from("x")]);
    await stream.return();
  });

  it("a value where a stream is read rejects, and awaiting a stream gives the stream", async () => {
    const { server, api } = await joined();
    const one = api.$stream("one");
    await server.reply(await server.next("one"), "OK", arr(int(1)));
    await expect(one.next()).rejects.toThrow("answered with one value, not with a stream");
    const call = api.many();
    const request = await server.next("many");
    await items(server, request, 0, 1);
    await server.reply(request, "STREAM_DONE", nil);
    const stream = (await call) as AsyncIterable<number>;
    const got: number[] = [];
    for await (const item of stream) got.push(item);
    expect(got).toEqual([0]);
  });

  it("a server that sends more than it was granted loses its call, and memory stays bounded", async () => {
    const { server, api } = await joined({ window: 10 });
    const stream = api.$stream("count");
    const request = await server.next("count");
    await items(server, request, 0, 30);
    await until(() => api.$client.stats.late > 0, "events after the end");
    const rest = (async () => {
      for await (const _ of stream);
    })();
    await expect(rest).rejects.toThrow("with more than it was granted");
  });

  it("after a break nothing more is sent to a server that is not zwire: no grant, heartbeat or cancellation (T30)", async () => {
    const { server, clock, client } = await joinedWithClock();
    const request = server.next("count");
    const reading = (async () => {
      for await (const item of client.start<unknown, number>("count")) if (item === 2) break;
    })();
    await items(server, await request, 0, 1);
    await server.next("_zpc_more");
    await items(server, await request, 1, 2);
    await reading;
    const before = server.heard.length;
    await items(server, await request, 3, 60);
    await until(() => client.stats.late === 60, "what comes after it is late");
    clock.advance(60_000);
    await turns(20);
    expect(server.heard.length).toBe(before);
    expect(client.stats).toMatchObject({ streams: 0, inFlight: 0 });
  });
});
