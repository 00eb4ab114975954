/**
 * Clients that fall silent, in simulated time: what a server keeps for whom, and for how long; with brokers in between,
 * and peers of old.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer, Router } from "../../src/index.js";
import { LostRemote, Server } from "../../src/rpc.js";
import { managed, turns, until, within } from "../support/helpers.js";
import { arr, bin, decode, hex, int, map, str } from "../support/msgpack.js";
import { calling, event, ManualClock, newId, ScriptedClient, serving } from "../support/rpc-peers.js";

const service = {
  *count(n: number) {
    for (let i = 0; i < n; i++) yield i;
  },
  echo: (value: unknown) => value,
  never: () => new Promise(() => {}),
};

async function joinedWithClock() {
  const clock = new ManualClock();
  const server = new Server(service, {}, clock);
  await server.open(["tcp://127.0.0.1:*"]);
  onTestFinished(() => server.close({ grace: 0, linger: 0 }));
  return { clock, server, client: new ScriptedClient(server.endpoint) };
}

/** Lets seconds pass, as timers do. */
function pass(clock: ManualClock, seconds: number): void {
  for (let i = 0; i < seconds; i++) clock.advance(1000);
}

describe("a stream whose client accepts nothing", () => {
  it("is kept while a zerorpc client sends heartbeats, and given up after 30 s of silence", async () => {
    const { clock, server, client } = await joinedWithClock();
    const id = await client.say("count", arr(int(9)));
    await client.answer(id);
    for (let beats = 1; beats <= 20; beats++) {
      pass(clock, 5);
      await client.follow(id, "_zpc_hb", arr(int(0)));
      await client.answer(id, 1 + beats);
    }
    pass(clock, 25);
    await turns(5);
    expect(server.stats.streams).toBe(1);
    pass(clock, 10);
    await until(() => server.stats.running === 0, "it is given up");
    await client.call("echo", int(1));
    expect(new Set(client.names(id))).toEqual(new Set(["STREAM", "_zpc_hb"]));
    expect(server.stats).toMatchObject({ streams: 0, channels: 0, cancelled: 1 });
  });

  it("of a client with one heartbeat a minute is given up after three minutes of silence", async () => {
    const { clock, server, client } = await joinedWithClock();
    const id = await client.say("count", arr(int(9)));
    await client.answer(id);
    for (let beats = 1; beats <= 3; beats++) {
      pass(clock, 60);
      await client.follow(id, "_zpc_hb", arr(int(0)));
      await client.answer(id, 1 + beats);
    }
    pass(clock, 170); // the first came after a minute, so the server knows from then on
    await turns(5);
    expect(server.stats.streams).toBe(1);
    pass(clock, 20);
    await until(() => server.stats.running === 0, "it is given up");
  });

  it("of a client without heartbeats is given up after five minutes; a running call is never given up for silence", async () => {
    const { clock, server, client } = await joinedWithClock();
    await client.answer(await client.say("count", arr(int(9))));
    await client.say("never", arr());
    await client.call("echo", int(1));
    pass(clock, 290);
    await turns(5);
    expect(server.stats.streams).toBe(1);
    pass(clock, 20);
    await until(() => server.stats.streams === 0, "the stream is given up");
    pass(clock, 3600);
    await turns(5);
    expect(server.stats).toMatchObject({ running: 1, channels: 1 });
  });

  it("of a zwire client is given up after five minutes, and the client is told", async () => {
    const { clock, server, client } = await joinedWithClock();
    const id = await client.say("count", arr(int(9)), { zwire: map({}) });
    await client.answer(id);
    await client.follow(id, "_zpc_hb", arr(int(0)), { zwire: map({}) });
    await client.answer(id, 2);
    pass(clock, 290);
    await turns(5);
    expect(server.stats.streams).toBe(1);
    pass(clock, 20);
    expect((await client.answer(id, client.on(id).length + 1)).name).toBe("_zpc_cancel");
    await until(() => server.stats.running === 0, "it is given up");
  });
});

describe("channels without a call", () => {
  it("a zwire client that sends heartbeats on a closed channel is told so; a zerorpc client is not", async () => {
    const { server, client } = await joinedWithClock();
    const id = newId();
    await client.follow(id, "_zpc_hb", arr(int(0)));
    await client.call("echo", int(1));
    expect(client.names(id)).toEqual([]);
    await client.follow(id, "_zpc_hb", arr(int(0)), { zwire: map({}) });
    expect((await client.answer(id)).name).toBe("_zpc_cancel");
    await client.follow(id, "_zpc_cancel", arr(), { zwire: map({}) });
    await client.call("echo", int(1));
    expect(client.names(id)).toEqual(["_zpc_cancel"]);
    expect(server.stats).toMatchObject({ channels: 0, late: 3 });
  });

  it("a channel that a heartbeat has opened closes after a minute without a call", async () => {
    const { clock, server, client } = await joinedWithClock();
    await client.answer(await client.say("_zpc_hb", arr(int(0))));
    pass(clock, 55);
    expect(server.stats.channels).toBe(1);
    pass(clock, 10);
    expect(server.stats.channels).toBe(0);
    pass(clock, 10);
    expect(clock.timers).toBe(0);
  });
});

describe("brokers", () => {
  it("calls, streams and cancelling pass a broker; a server that is replaced behind it has forgotten the call, and says so", async () => {
    const [front, back] = [managed(new Router()), managed(new Dealer())];
    const behind = await back.bind("tcp://127.0.0.1:*");
    front.on("message", (frames) => void back.send(frames));
    back.on("message", (frames) => void front.send(frames));
    const endpoint = await front.bind("tcp://127.0.0.1:*");
    const server = new Server(service, { connect: true });
    await server.open([behind]);
    const api = calling(endpoint, { heartbeat: 50 });
    expect(await api.echo("é")).toBe("é");
    const got: number[] = [];
    for await (const item of api.count(500)) got.push(item);
    expect(got).toHaveLength(500);
    for await (const item of api.count(1e6)) if (item === 3) break;
    await until(() => server.stats.channels === 0, "the cancellation passes");
    const stream = api.$stream("count", [1e6]);
    await stream.next();
    await server.close({ grace: 0, linger: 0 });
    await until(() => back.peers.length === 0, "it is gone, and the client's connection stands");
    const other = new Server(service, { connect: true });
    onTestFinished(() => other.close({ grace: 0, linger: 0 }));
    await other.open([behind]);
    const lost = (async () => {
      for await (const _ of stream);
    })();
    await expect(within(lost, "the stream ends")).rejects.toThrow(LostRemote);
    expect(await api.echo(1)).toBe(1);
  });
});

describe("old peers with one raw type", () => {
  it("a server with legacyRaw speaks to them, and their bytes are bytes", async () => {
    const server = await serving(service, { legacyRaw: true });
    const client = managed(new Dealer());
    client.connect(server.endpoint);
    const id = str("1234567890abcdef");
    await client.send([
      "",
      event({ message_id: id, v: int(3) }, "echo", arr(arr(str("é"), hex("a2 fffe"), int(1)))),
    ]);
    const [, answer] = await client.receive({ timeout: 5000 });
    const text = answer.toString("latin1");
    expect(text).toContain("response_to\xb01234567890abcdef");
    expect(text.endsWith(`\x91\x93${str("é").toString("latin1")}\xa2\xff\xfe\x01`)).toBe(true);
    expect(answer.includes(0xc4)).toBe(false);
  });

  it("a client with legacyRaw sends nothing else", async () => {
    const router = managed(new Router());
    const api = calling(await router.bind("tcp://127.0.0.1:*"), { legacyRaw: true });
    const call = api.m(Buffer.from([0xff]), "x".repeat(40));
    const [name, , request] = await router.receive({ timeout: 5000 });
    expect([request.includes(0xc4), request.includes(0xd9)]).toEqual([false, false]);
    expect(request.includes(hex("92 a1 ff da 0028"))).toBe(true);
    const id = request.subarray(13, 13 + 35);
    expect(id.subarray(0, 3)).toEqual(hex("da 0020"));
    await router.send([
      name,
      "",
      arr(map({ message_id: str("x"), v: int(3), response_to: id }), str("OK"), arr(hex("a1 ff"))),
    ]);
    expect(await call).toEqual(Buffer.from([0xff]));
    expect(decode(bin("x")).type).toBe("bin");
  });
});
