/**
 * Random and malicious events never stop a server or a client, and leave no call behind. ZWIRE_RPC_FUZZ sets the
 * number of events (default 3000), ZWIRE_RPC_SEED the first random number.
 */
import { expect, it } from "vitest";
import { Dealer } from "../../src/index.js";
import { managed, until, within } from "../support/helpers.js";
import { arr, bin, hex, int, map, nil, str } from "../support/msgpack.js";
import { calling, event, newId, ScriptedServer, serving } from "../support/rpc-peers.js";

const EVENTS = Number(process.env.ZWIRE_RPC_FUZZ ?? 3000);
const SEED = Number(process.env.ZWIRE_RPC_SEED ?? 12345);

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Fuzzer {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = random(seed);
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  bytes(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(most) }, () => this.below(256)));
  }

  /** Any msgpack value, or nearly one. */
  value(depth = 0): Buffer {
    const kind = this.below(depth > 4 ? 9 : 13);
    switch (kind) {
      case 0:
        return nil;
      case 1:
        return int(this.below(2 ** 31) - this.below(2 ** 31));
      case 2:
        return str(
          this.pick(["", "a", "__proto__", "constructor", "toString", "then", "zwire", "x".repeat(200)]),
        );
      case 3:
        return bin(this.bytes(40));
      case 4:
        return hex(
          this.pick([
            "c2",
            "c3",
            "cb 7ff8000000000000",
            "ca 3f800000",
            "cf ffffffffffffffff",
            "d3 8000000000000000",
          ]),
        );
      case 5:
        return hex(
          this.pick([
            "d4 72 40",
            "d4 05 00",
            "c7 00 62",
            "d6 ff 00000000",
            "c7 04 78 92a1 61a0",
            "d4 65 93",
            "d5 72 40 41",
            "c7 03 ff 000000",
          ]),
        );
      case 6:
        return Buffer.concat([Buffer.of(0xa3), Buffer.from([0xff, 0xfe, 0x41])]);
      case 7:
        return hex(
          this.pick([
            "c1",
            "dd ffffffff",
            "df 7fffffff",
            "db ffffffff",
            "c6 ffffffff",
            "c9 ffffffff 00",
            "dc ffff",
            "81",
            "92",
          ]),
        );
      case 8:
        return this.bytes(20);
      case 9:
      case 10:
        return arr(...Array.from({ length: this.below(6) }, () => this.value(depth + 1)));
      default: {
        const count = this.below(5);
        const entries = Array.from({ length: count * 2 }, () => this.value(depth + 1));
        return Buffer.concat([Buffer.of(0x80 | count), ...entries]);
      }
    }
  }

  /** An event, right in some places and wrong in others. */
  event(ids: Buffer[], names: readonly string[]): Buffer {
    const id = this.below(8) === 0 ? this.value() : bin(newId());
    if (ids.length < 200) ids.push(id);
    const fields: Record<string, Buffer> = {
      message_id: id,
      v: this.pick([int(3), int(3), int(1), this.value()]),
    };
    if (this.below(2) === 0 && ids.length > 0)
      fields.response_to = this.below(6) === 0 ? this.value() : this.pick(ids);
    if (this.below(3) === 0)
      fields.zwire = this.pick([map({}), map({ timeout: this.value() }), this.value()]);
    if (this.below(10) === 0) fields[this.pick(["v", "__proto__", "message_id"])] = this.value();
    const header = this.below(20) === 0 ? this.value() : map(fields);
    const name = this.below(8) === 0 ? this.value() : str(this.pick(names));
    const args =
      this.below(2) === 0 ? this.value() : arr(...Array.from({ length: this.below(4) }, () => this.value()));
    const whole = this.below(12) === 0 ? arr(header, name) : arr(header, name, args);
    if (this.below(12) === 0) return whole.subarray(0, this.below(whole.length));
    if (this.below(12) === 0) {
      const bent = Buffer.from(whole);
      bent[this.below(bent.length)] = this.below(256);
      return bent;
    }
    return whole;
  }
}

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
