/**
 * Random and malicious events never stop a server or a client, and leave no call behind. ZWIRE_RPC_FUZZ sets the
 * number of events (default 3000), ZWIRE_RPC_SEED the first random number.
 */
import { expect, it } from "vitest";
import { Dealer } from "../../src/index.js";
import { managed, until, within } from "../support/helpers.js";
import { arr, bin, hex, int, map, nil, str } from "../support/msgpack.js";
import { Fuzzer } from "../support/rpc-fuzzer.js";
import { calling, event, newId, ScriptedServer, serving } from "../support/rpc-peers.js";

const EVENTS = Number(process.env.ZWIRE_RPC_FUZZ ?? 3000);
const SEED = Number(process.env.ZWIRE_RPC_SEED ?? 12345);

const SERVER_NAMES = [
  "echo",
  "count",
  "add",
  "nope",
  "_zpc_hb",
  "_zpc_more",
  "_zpc_cancel",
  "_zerorpc_inspect",
  "_zerorpc_args",
  "OK",
  "__proto__",
];
const CLIENT_NAMES = ["OK", "ERR", "STREAM", "STREAM_DONE", "_zpc_hb", "_zpc_more", "_zpc_cancel", "zzz"];

it("a server survives random events, answers beside them, and is free when the sender leaves", async () => {
  const fuzzer = new Fuzzer(SEED);
  const server = await serving({
    echo: (...values: unknown[]) => values,
    add: (a: number, b: number) => a + b,
    *count(n: number) {
      for (let i = 0; i < (Number(n) || 3); i++) yield i;
    },
  });
  const api = calling(server.endpoint);
  const bad = managed(new Dealer());
  bad.on("message", () => {});
  bad.connect(server.endpoint);
  const ids: Buffer[] = [];
  for (let i = 0; i < EVENTS; i++) {
    const payload = fuzzer.event(ids, SERVER_NAMES);
    const frames = fuzzer.pick([
      ["", payload],
      ["", payload],
      [payload],
      ["", "", payload],
      ["x", "", payload],
      ["", payload, ""],
    ]);
    await bad.send(frames);
    if (i % 500 === 0) expect(await within(api.add(i, 1), `an answer after ${i} events`)).toBe(i + 1);
  }
  expect(await within(api.add(1, 1), "an answer")).toBe(2);
  expect(server.stats.dropped).toBeGreaterThan(0);
  await bad.close({ linger: 0 });
  await until(() => server.stats.channels === 0 && server.stats.running === 0, "nothing is left behind");
});

it("a client survives random answers, and every call of it ends", async () => {
  const fuzzer = new Fuzzer(SEED + 1);
  const server = await ScriptedServer.listen();
  const api = calling(server.endpoint, { timeout: 20_000 });
  for (let round = 0; round < EVENTS / 30; round++) {
    const call = api.m(round).then(
      () => "done",
      () => "failed",
    );
    const request = await server.next("m", round + 1);
    const id = bin(request.header.message_id as Buffer);
    for (let i = 0; i < 15; i++)
      await server.socket.send([...request.envelope, fuzzer.event([id], CLIENT_NAMES)]);
    for (let i = 0; i < 15; i++) {
      const header = { message_id: bin(newId()), v: int(3), response_to: id };
      const payload = arr(map(header), str(fuzzer.pick(CLIENT_NAMES.slice(2))), fuzzer.value());
      await server.socket.send([...request.envelope, payload]);
    }
    await server.reply(request, "OK", arr(int(1)));
    await within(call, `call ${round} ends`);
  }
  const last = api.last();
  await server.reply(await server.next("last"), "OK", arr(int(65)));
  expect(await last).toBe(65);
  await until(() => api.$client.stats.inFlight === 0, "nothing in flight");
});

it("huge and deep events are bounded", async () => {
  const server = await serving({ echo: (value: unknown) => value }, { limits: { items: 100_000 } });
  const api = calling(server.endpoint);
  const bad = managed(new Dealer());
  bad.connect(server.endpoint);
  const header = { message_id: bin(newId()), v: int(3) };
  const nils = Buffer.alloc(200_000, 0xc0);
  for (const args of [
    Buffer.alloc(100_000, 0x91), // 100,000 arrays inside one another, and nothing in the last
    Buffer.concat([Buffer.alloc(5000, 0x91), nil]),
    Buffer.concat([Buffer.alloc(5000, 0x81), nil]),
    Buffer.concat([hex("dd 00030d40"), nils]),
    Buffer.concat([hex("df 000186a0"), nils]),
    hex("dd 7fffffff"),
  ]) {
    await bad.send(["", event(header, "echo", args)]);
  }
  await bad.send([
    "",
    event(
      { message_id: Buffer.concat([hex("c5 ffff"), Buffer.alloc(65535, 1)]), v: int(3) },
      "echo",
      arr(int(1)),
    ),
  ]);
  expect(await within(api.echo(1), "an answer")).toBe(1);
  await until(() => server.stats.dropped === 7, "all are dropped");
});
