/** What many calls, and streams that are left, keep in memory: nothing. ZWIRE_RPC_VOLUME multiplies the counts for a run by hand. */
import { expect, it } from "vitest";
import { Dealer } from "../../src/index.js";
import { managed, until } from "../support/helpers.js";
import { arr, bin, hex, int, map } from "../support/msgpack.js";
import { calling, event, newId, serving } from "../support/rpc-peers.js";

const VOLUME = Number(process.env.ZWIRE_RPC_VOLUME ?? 1);

const service = {
  async *later(n: number) {
    for (let i = 0; i < n; i++) yield { i, text: "x".repeat(100) };
  },
  add: (a: number, b: number) => a + b,
};

function heap(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  return process.memoryUsage().heapUsed;
}

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
