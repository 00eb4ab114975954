/**
 * Many streams, abandoned streams, many calls: everybody still answers, and nothing is left in any list (T29, §8). What is
 * left in memory: volume.long.test.ts. ZWIRE_RPC_VOLUME multiplies the counts for a run by hand.
 */
import { expect, it } from "vitest";
import { until } from "../support/helpers.js";
import { arr, int } from "../support/msgpack.js";
import { calling, ScriptedClient, serving } from "../support/rpc-peers.js";

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
