/**
 * Many streams, abandoned streams, many calls: everybody still answers, and nothing is left behind (T29, §8).
 * ZWIRE_RPC_VOLUME multiplies the counts for a run by hand.
 */
import { expect, it } from "vitest";
import { Dealer } from "../../src/index.js";
import { managed, until } from "../support/helpers.js";
import { arr, bin, hex, int, map } from "../support/msgpack.js";
import { calling, event, newId, ScriptedClient, serving } from "../support/rpc-peers.js";

const VOLUME = Number(process.env.ZWIRE_RPC_VOLUME ?? 1);

const service = {
  *count(n: number) {
    for (let i = 0; i < n; i++) yield i;
  },
  async *later(n: number) {
    for (let i = 0; i < n; i++) yield { i, text: "x".repeat(100) };
  },
  add: (a: number, b: number) => a + b,
};

async function sum(stream: AsyncIterable<number>): Promise<number> {
  let total = 0;
  for await (const item of stream) total += item;
  return total;
}

function heap(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  return process.memoryUsage().heapUsed;
}

it("60 streams of 250 items, at once and one by one, and one of 5000 arrive whole and leave nothing behind (T29)", async () => {
  const server = await serving(service);
  const api = calling(server.endpoint);
  const expected = (250 * 249) / 2;
  const atOnce = Array.from({ length: 60 * VOLUME }, () => sum(api.count(250)));
  expect(await Promise.all(atOnce)).toEqual(atOnce.map(() => expected));
  for (let i = 0; i < 60 * VOLUME; i++) expect(await sum(api.count(250))).toBe(expected);
  expect(await sum(api.count(5000))).toBe((5000 * 4999) / 2);
  expect(await api.add(1, 2)).toBe(3);
  await until(() => server.stats.channels === 0, "no channel left");
  expect(api.$client.stats).toMatchObject({ streams: 0, inFlight: 0, waiting: 0, dropped: 0 });
});

it("1000 streams that are left early: both sides are free, and memory is flat", async () => {
  const server = await serving(service);
  const api = calling(server.endpoint);
  const abandon = async (count: number) => {
    for (let done = 0; done < count; done += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          for await (const item of api.later(100_000)) if (item.i >= i % 5) break;
        }),
      );
    }
    await until(() => server.stats.channels === 0 && server.stats.running === 0, "the server is free");
  };
  await abandon(500);
  const before = heap();
  await abandon(1000 * VOLUME);
  expect(heap() - before).toBeLessThan(4_000_000);
  expect(await api.add(1, 2)).toBe(3);
  expect(api.$client.stats).toMatchObject({ streams: 0, inFlight: 0, waiting: 0 });
});

it("1000 streams that a zerorpc client leaves without a word do not block the server, and end with the client", async () => {
  const server = await serving(service);
  const client = new ScriptedClient(server.endpoint);
  for (let i = 0; i < 1000; i++) {
    const id = await client.say("later", arr(int(100)));
    if (i % 2) await client.follow(id, "_zpc_more", arr(int(5)));
  }
  expect((await client.call("add", int(1), int(2))).args).toEqual([3]);
  expect(server.stats.channels).toBe(1000);
  await client.socket.close({ linger: 0 });
  await until(() => server.stats.channels === 0 && server.stats.running === 0, "the server is free");
});

it("10,000 calls at once, and as many given up: nothing is left in flight", async () => {
  const server = await serving({ ...service, never: () => new Promise(() => {}) });
  const api = calling(server.endpoint, { timeout: 60_000 });
  const calls = Array.from({ length: 10_000 * VOLUME }, (_, i) => api.add(i, 1));
  expect((await Promise.all(calls)).at(-1)).toBe(10_000 * VOLUME);
  const controller = new AbortController();
  const given = Array.from({ length: 2000 }, () =>
    api.$call("never", [], { signal: controller.signal }).catch(() => "given up"),
  );
  await until(() => server.stats.channels === 2000, "all run");
  controller.abort();
  expect(new Set(await Promise.all(given))).toEqual(new Set(["given up"]));
  await until(() => server.stats.channels === 0, "the server was told");
  expect(api.$client.stats).toMatchObject({ inFlight: 0, waiting: 0 });
});

it("20,000 answered calls with as many different timeouts leave nothing behind", async () => {
  const server = await serving({ soon: () => new Promise<void>((resolve) => setImmediate(resolve)) });
  const client = managed(new Dealer());
  client.connect(server.endpoint);
  let heard = 0;
  client.on("message", () => void heard++);
  const call = (timeout: Buffer) =>
    client.send(["", event({ message_id: bin(newId()), v: int(3), zwire: map({ timeout }) }, "soon", arr())]);
  const round = async (from: number): Promise<number> => {
    for (let i = 0; i < 20_000; i++) await call(int(60_000 + from + i));
    await until(() => server.stats.channels === 0, "all are answered");
    return heap();
  };
  await round(0);
  const before = await round(20_000);
  expect((await round(40_000)) - before).toBeLessThan(4 * 1024 ** 2);
  // More than a timer can wait for, and more than any: they are served like all others.
  const answered = heard;
  for (const timeout of ["cb 7e37e43c8800759c", "cb 7ff0000000000000", "ce ffffffff"])
    await call(hex(timeout));
  await until(() => heard >= answered + 3, "answers");
  expect(server.stats.cancelled).toBe(0);
});
