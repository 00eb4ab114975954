/**
 * What clients share of a server: places, the queue, open calls, and memory for answers that nobody reads. One that takes
 * much, or takes nothing, keeps it from nobody else.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer } from "../../src/index.js";
import { CallRefused, Server, type ServerLimitEvent } from "../../src/rpc.js";
import { gate, managed, turns, until, within } from "../support/helpers.js";
import { arr, bin, int, map, nil } from "../support/msgpack.js";
import { calling, event, ManualClock, newId, ScriptedClient, serving } from "../support/rpc-peers.js";

/** Node's sockets take no sizes for the kernel's buffers, and what the kernel takes does not wait here. */
const SMALL_BUFFERS = process.env.ZWIRE_ENGINE !== "portable";

/** Calls whose answers nobody reads: the receiving side is full after a few. */
function unreading(endpoint: string): Dealer {
  const dealer = managed(new Dealer({ receiveHighWaterMark: 1, receiveBufferSize: 4096 }));
  dealer.connect(endpoint);
  return dealer;
}

describe("places", () => {
  it("streams whose clients grant nothing and only send heartbeats hold no place: others are served", async () => {
    const server = await serving(
      {
        *count(n: number) {
          for (let i = 0; i < n; i++) yield i;
        },
        echo: async (value: unknown) => value,
      },
      { concurrency: 4 },
    );
    const stuck = Array.from({ length: 4 }, () => new ScriptedClient(server.endpoint));
    const ids = await Promise.all(stuck.map((client) => client.say("count", arr(int(9)))));
    await Promise.all(stuck.map((client, i) => client.answer(ids[i])));
    for (const [i, client] of stuck.entries()) {
      await client.follow(ids[i], "_zpc_hb", arr(int(0)));
      await client.answer(ids[i], 2);
    }
    const api = calling(server.endpoint);
    expect(await within(api.echo(1), "a call of somebody else", 5000)).toBe(1);
    expect(server.stats).toMatchObject({ running: 4, streams: 4, waiting: 0 });
    // They go on when they are granted something.
    for (const [i, client] of stuck.entries()) {
      await client.follow(ids[i], "_zpc_more", arr(int(100)));
      await client.answer(ids[i], 11);
      expect(client.names(ids[i]).at(-1)).toBe("STREAM_DONE");
    }
    expect(server.stats).toMatchObject({ running: 0, streams: 0, channels: 0 });
  });

  it("a stream that may go on waits for a place as a call does, and gets one", async () => {
    const held = gate();
    const server = await serving(
      {
        *count(n: number) {
          for (let i = 0; i < n; i++) yield i;
        },
        hold: () => held.opened,
      },
      { concurrency: 1 },
    );
    const client = new ScriptedClient(server.endpoint);
    const [first, second] = [await client.say("count", arr(int(3))), await client.say("count", arr(int(3)))];
    await client.answer(second);
    const holding = await client.say("hold", arr());
    await until(() => server.stats.calls === 3, "the call runs");
    await client.follow(first, "_zpc_more", arr(int(100)));
    await client.follow(second, "_zpc_more", arr(int(100)));
    await client.call("_zerorpc_ping");
    await turns(5);
    expect([client.names(first), client.names(second)]).toEqual([["STREAM"], ["STREAM"]]);
    held.open();
    for (const id of [holding, first, second]) await client.answer(id, id === holding ? 1 : 4);
    expect(server.stats).toMatchObject({ running: 0, channels: 0 });
    await client.follow(await client.say("count", arr(int(3))), "_zpc_cancel", arr());
    await until(
      () => server.stats.running === 0 && server.stats.channels === 0,
      "one that is left gives all back",
    );
  });

  it("clients get places in turn: a hundred calls of one client do not delay the one call of another", async () => {
    const order: string[] = [];
    const first = gate();
    const server = await serving(
      {
        first: () => first.opened,
        note: async (who: string) => {
          order.push(who);
        },
      },
      { concurrency: 1 },
    );
    const [many, one] = [calling(server.endpoint), calling(server.endpoint)];
    const calls: Promise<unknown>[] = [many.first()];
    await until(() => server.stats.running === 1, "the place is taken");
    for (let i = 0; i < 100; i++) calls.push(many.note("many"));
    await until(() => server.stats.waiting === 100, "all of them wait");
    calls.push(one.note("one"));
    await until(() => server.stats.waiting === 101, "so does the other's");
    first.open();
    await within(Promise.all(calls), "all calls");
    expect(order.indexOf("one")).toBeLessThan(2);
  });

  it("a full queue refuses calls of the client with the most in it, and accepts those of another", async () => {
    const held = gate();
    const server = await serving({ hold: () => held.opened }, { concurrency: 1, queueLimit: 10 });
    const [many, one] = [calling(server.endpoint), calling(server.endpoint)];
    const calls = Array.from({ length: 11 }, () => many.hold().catch((error: unknown) => error));
    await until(() => server.stats.waiting === 10, "the queue is full");
    const others = Array.from({ length: 5 }, () => one.hold());
    await until(() => server.stats.refused === 5, "as many of the first client's are refused");
    const sixth = await within(one.hold().catch((error: unknown) => error) as Promise<unknown>, "a refusal");
    expect(sixth).toBeInstanceOf(CallRefused);
    held.open();
    await within(Promise.all(others), "the other's calls");
    const results = await within(Promise.all(calls), "the first client's calls");
    expect(results.map((one) => one instanceof CallRefused)).toEqual([
      ...new Array(6).fill(false),
      ...new Array(5).fill(true),
    ]);
  });

  it("ten thousand calls that wait for one place and are done at once do not overflow the stack", async () => {
    const first = gate();
    const server = await serving({ first: () => first.opened, quick: (i: number) => i }, { concurrency: 1 });
    const api = calling(server.endpoint);
    const calls: Promise<unknown>[] = [api.first()];
    await until(() => server.stats.running === 1, "the place is taken");
    for (let i = 0; i < 10_000; i++) calls.push(api.quick(i));
    await until(() => server.stats.waiting === 10_000, "all wait");
    first.open();
    expect((await within(Promise.all(calls), "all answers")).at(-1)).toBe(9999);
  });
});

describe("limits", () => {
  it("a client with more than maxClientCalls open is refused, with one event; others are served", async () => {
    const server = await serving(
      { never: () => new Promise(() => {}), echo: async (value: unknown) => value },
      { maxClientCalls: 10 },
    );
    const events: ServerLimitEvent[] = [];
    server.on("limit", (one) => events.push(one as ServerLimitEvent));
    const greedy = new ScriptedClient(server.endpoint);
    for (let i = 0; i < 10; i++) await greedy.say("never", arr());
    for (let i = 0; i < 3; i++) {
      const { name, args } = await greedy.call("echo", int(i));
      expect([name, (args as unknown[])[0]]).toEqual(["ERR", "ServerBusy"]);
    }
    // An envelope is what a client says: no way around the limit.
    const id = newId();
    await greedy.raw("x", "", event({ message_id: bin(id), v: int(3) }, "echo", arr(int(1))));
    expect((await greedy.answer(id)).name).toBe("ERR");
    expect(await within(calling(server.endpoint).echo(1), "another's call")).toBe(1);
    expect(events).toMatchObject([{ limit: "maxClientCalls", action: "refused", value: 11 }]);
    expect((await greedy.call("_zerorpc_ping")).args).toEqual([["pong", "zwire"]]);
  });

  it("requests that wait for a place have one limit in bytes for all clients: those with the most are refused", async () => {
    const held = gate();
    const server = await serving(
      { hold: () => held.opened, size: (bytes: Buffer) => bytes.length },
      { concurrency: 1, maxWaitingBytes: 1024 * 1024 },
    );
    const events: ServerLimitEvent[] = [];
    server.on("limit", (one) => events.push(one as ServerLimitEvent));
    const [first, many, one] = [calling(server.endpoint), calling(server.endpoint), calling(server.endpoint)];
    const blocking = first.hold();
    await until(() => server.stats.running === 1, "the place is taken");
    const large = Buffer.alloc(100_000);
    const calls = Array.from({ length: 15 }, () => many.size(large).catch((error: unknown) => error));
    await until(() => server.stats.refused === 5, "what is too much is refused");
    expect(server.stats.waiting).toBe(10);
    // Another client's request takes the place of those that have waited least, as many as need be.
    const other = one.size(Buffer.alloc(250_000));
    await until(() => server.stats.refused === 8, "the other's request waits");
    // One that would then be the largest of all is refused itself.
    const refused = await one.size(Buffer.alloc(900_000)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CallRefused);
    expect((refused as CallRefused).code).toBe("busy");
    expect((refused as CallRefused).message).toMatch(/maxWaitingBytes/);
    held.open();
    await within(blocking, "the call in front");
    expect(await within(other, "the other's call")).toBe(250_000);
    const results = await within(Promise.all(calls), "the first client's calls");
    expect(results.filter((result) => result === 100_000)).toHaveLength(7);
    expect(results.slice(0, 7).every((result) => result === 100_000)).toBe(true);
    expect(events.map(({ limit, action }) => [limit, action])).toEqual([
      ["maxWaitingBytes", "refused"],
      ["maxWaitingBytes", "refused"],
    ]);
    expect(events[0].value).toBeGreaterThan(1024 * 1024);
  });

  it("a request that alone is above maxWaitingBytes may wait if no other does; many small values count, too", async () => {
    const held = gate();
    const options = { concurrency: 1, maxWaitingBytes: 1000 };
    const server = await serving(
      { hold: () => held.opened, size: (list: unknown[]) => list.length },
      options,
    );
    const api = calling(server.endpoint);
    const blocking = api.hold();
    await until(() => server.stats.running === 1, "the place is taken");
    // Each empty object is one byte of the request, and dozens of bytes in memory.
    const small = Array.from({ length: 100 }, () => ({}));
    const waits = api.size(small);
    await until(() => server.stats.waiting === 1, "it waits");
    await expect(api.size(small)).rejects.toBeInstanceOf(CallRefused);
    held.open();
    await within(blocking, "the call in front");
    expect(await within(waits, "the large one")).toBe(100);
  });

  it.runIf(SMALL_BUFFERS)(
    "answers that nobody reads have one limit for all clients: the clients with the most lose them, with an event",
    async () => {
      const server = await serving(
        { blob: (size: number) => Buffer.alloc(size) },
        { maxUnsentBytes: 1024 * 1024, socket: { sendHighWaterMark: 2, sendBufferSize: 4096 } },
      );
      const events: ServerLimitEvent[] = [];
      server.on("limit", (one) => events.push(one as ServerLimitEvent));
      const bad = Array.from({ length: 4 }, () => unreading(server.endpoint));
      for (const dealer of bad) {
        for (let i = 0; i < 100; i++) {
          const header = { message_id: bin(newId()), v: int(3) };
          await dealer.send(["", event(header, "blob", arr(int(64 * 1024)))]);
        }
      }
      await until(() => server.stats.undelivered > 200, "answers are dropped");
      expect(events.length).toBeGreaterThan(0);
      expect(events.length).toBeLessThanOrEqual(4);
      expect(events[0]).toMatchObject({ limit: "maxUnsentBytes", action: "dropped" });
      // One answer as large as may be, to a client that is slow to read it, still comes.
      const api = calling(server.endpoint);
      expect(await within(api.blob(200_000), "an answer")).toHaveLength(200_000);
      for (const dealer of bad) await dealer.close({ linger: 0 });
      expect(await within(api.blob(20_000_000), "a large answer")).toHaveLength(20_000_000);
    },
  );

  it.runIf(SMALL_BUFFERS)("a client that reads late gets what waited for it, in order", async () => {
    const server = await serving(
      { blob: (i: number) => [i, Buffer.alloc(50_000)] },
      { socket: { sendHighWaterMark: 2, sendBufferSize: 4096 } },
    );
    const slow = unreading(server.endpoint);
    for (let i = 0; i < 50; i++) {
      await slow.send(["", event({ message_id: bin(newId()), v: int(3) }, "blob", arr(int(i)))]);
    }
    await until(() => server.stats.calls === 50, "all are answered");
    for (let i = 0; i < 50; i++) expect((await slow.receive({ timeout: 10_000 })).length).toBe(2);
    expect(server.stats.undelivered).toBe(0);
  });
});

describe("time that a client asks for", () => {
  it("calls that are answered leave no timer behind, whatever their timeouts were", async () => {
    const clock = new ManualClock();
    const gates = new Map<number, () => void>();
    const server = new Server(
      { hold: (i: number) => new Promise<void>((resolve) => gates.set(i, resolve)) },
      {},
      clock,
    );
    await server.open(["tcp://127.0.0.1:*"]);
    onTestFinished(() => server.close({ grace: 0, linger: 0 }));
    const client = new ScriptedClient(server.endpoint);
    const call = async (i: number, timeout: Buffer): Promise<string> =>
      client.say("hold", arr(int(i)), { zwire: map({ timeout }) });
    for (let i = 0; i < 2000; i++) await call(i, int(100_000 + i * 7919));
    await until(() => gates.size === 2000, "all run");
    expect(clock.timers).toBeLessThan(400);
    for (const open of gates.values()) open();
    await until(() => server.stats.channels === 0, "all are answered");
    expect(clock.timers).toBeLessThan(80);
    for (const odd of ["cb 7ff0000000000000", "cb 7fefffffffffffff", "cf ffffffffffffffff"]) {
      await call(5000, Buffer.from(odd.replaceAll(" ", ""), "hex"));
    }
    await call(5001, nil);
    await until(() => server.stats.channels === 4, "these run, too");
    await server.close({ grace: 0, linger: 0 });
    expect(clock.timers).toBe(0);
  });
});
