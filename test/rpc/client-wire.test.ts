/**
 * The client against a server whose bytes are written by hand (items T1 to T35 of the protocol's list, the client's
 * side).
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { Router } from "../../src/index.js";
import {
  Client,
  type ClientOptions,
  LostRemote,
  MalformedAnswer,
  RemoteError,
  TimeoutExpired,
  UnknownMethod,
} from "../../src/rpc.js";
import { managed, rawListen, turns, until, within } from "../support/helpers.js";
import { arr, bin, decode, hex, int, map, nil, plain, str } from "../support/msgpack.js";
import { message } from "../support/raw-peer.js";
import { calling, event, type Heard, ManualClock, newId, ScriptedServer } from "../support/rpc-peers.js";

async function joined(options: ClientOptions = {}) {
  const server = await ScriptedServer.listen();
  return { server, api: calling(server.endpoint, options) };
}

function heapUsed(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  return process.memoryUsage().heapUsed;
}

/** With a clock that goes only when it is told to. */
async function joinedWithClock(options: ClientOptions = {}) {
  const server = await ScriptedServer.listen();
  const clock = new ManualClock();
  const client = new Client(server.endpoint, options, clock);
  onTestFinished(() => client.close());
  return { server, clock, client };
}

/** Answers a call and gives back what became of it. */
async function answered(name: string, args: Buffer, header: Record<string, Buffer> = {}) {
  const { server, api } = await joined();
  const call = api.method(1);
  await server.reply(await server.next("method"), name, args, header);
  return call;
}

/** Send so many integers of a stream, from a number on. */
async function items(server: ScriptedServer, request: Heard, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) await server.reply(request, "STREAM", int(i));
}

describe("requests", () => {
  it("a request is two frames with an id of 32 digits, version 3 and one header key that other servers ignore (T1)", async () => {
    const { server, api } = await joined({ timeout: 5000 });
    const call = api.add(1);
    const { envelope, wire, name, args, payload } = await server.next("add");
    expect(envelope.map((frame) => frame.length)).toEqual([5, 0]);
    expect(Object.keys(wire)).toEqual(["message_id", "v", "zwire"]);
    expect(wire.message_id).toMatchObject({ type: "bin" });
    expect(String(plain(wire.message_id))).toMatch(/^[0-9a-f]{32}$/);
    expect([plain(wire.v), plain(wire.zwire), name, args]).toEqual([3, { timeout: 5000 }, "add", [1]]);
    expect(payload.subarray(0, 15).toString("hex")).toBe("9383aa6d6573736167655f6964c420");
    await server.reply(await server.next("add"), "OK", arr(int(1)));
    expect(await call).toBe(1);
  });

  it("a call resolves when its answer has no delimiter (T4)", async () => {
    const { server, api } = await joined();
    const call = api.add(1);
    const request = await server.next("add");
    await server.reply({ ...request, envelope: [request.envelope[0]] }, "OK", arr(int(7)));
    expect(await call).toBe(7);
  });

  it("headers reach the server, and those of the protocol are refused (T9)", async () => {
    const { server, api } = await joined({ headers: { app: "a", both: 1 } });
    void api.$call("m", [], { headers: { both: 2, trace: { id: 1 } } }).catch(() => {});
    expect((await server.next("m")).header).toMatchObject({ app: "a", both: 2, trace: { id: 1 } });
    for (const key of ["message_id", "response_to", "v", "zwire"]) {
      expect(() => api.$call("m", [], { headers: { [key]: 1 } })).toThrow(
        `headers must not have the key ${key}`,
      );
    }
  });

  it.each([
    [2 ** 31, "ce80000000"],
    [2 ** 32, "d30000000100000000"],
    [2 ** 53 - 1, "d3001fffffffffffff"],
    [2 ** 53, "d30020000000000000"],
    [-(2 ** 31) - 1, "d3ffffffff7fffffff"],
    [-(2 ** 40), "d3ffffff0000000000"],
    [2n ** 63n, "cf8000000000000000"],
    [-5n, "d3fffffffffffffffb"],
    [1.5, "cb3ff8000000000000"],
    [1e20, "cb4415af1d78b58c40"],
    [Buffer.from([0, 255]), "c40200ff"],
    [new Uint8Array([1]), "c40101"],
    [new Uint16Array([0x0201]), "c4020102"],
    [new Uint8Array([7]).buffer, "c40107"],
    ["\ud800x", "a4efbfbd78"],
    [{ "\udfff": 1 }, "81a3efbfbd01"],
    [undefined, "c0"],
    [[undefined, null], "92c0c0"],
    [{ a: undefined }, "81a161c0"],
    [new Set([1, "a"]), "9201a161"],
    [new Map([["k", 2 ** 40]]), "81a16bd30000010000000000"],
    [new Date(1000), "d6ff00000001"],
    [new RangeError("x"), "82a46e616d65aa52616e67654572726f72a76d657373616765a178"],
    [new URL("http://a/"), "a9687474703a2f2f612f"],
  ])("%o is sent as %s (T27)", async (value, digits) => {
    const { server, api } = await joined();
    void api.m(value, [value]).catch(() => {});
    const { payload } = await server.next("m");
    expect(payload.toString("hex").endsWith(`a16d92${digits}91${digits}`)).toBe(true);
  });

  it("an argument that cannot be sent is refused at once, with its place in the message (T27)", async () => {
    const { server, api } = await joined();
    const loop: unknown[] = [];
    loop.push(loop);
    for (const [value, message] of [
      [{ a: [new Map([[1, 2]])] }, "args[0].a[0] has the key 1 of type number"],
      [{ "a b": () => 1 }, 'args[0]["a b"] is a function'],
      [Symbol("s"), "args[0] is a symbol"],
      [Promise.resolve(1), "args[0] is a promise; await it first"],
      [new Date(Number.NaN), "args[0] is an invalid Date"],
    ] as const) {
      expect(() => api.m(value)).toThrow(TypeError);
      expect(() => api.m(value)).toThrow(message);
    }
    expect(() => api.m(2n ** 64n)).toThrow(RangeError);
    expect(() => api.m(-(2n ** 63n) - 1n)).toThrow("which does not fit into 64 bits");
    expect(() => api.m(loop)).toThrow("nested deeper than 400, or contains itself");
    void api.last().catch(() => {});
    await server.next("last");
    expect(server.names).toEqual(["last"]);
  });
});

describe("answers", () => {
  it.each([
    ["[]", arr(), null],
    ["[1, 2]", arr(int(1), int(2)), 1],
    ["[nil]", arr(nil), null],
  ])("a call whose OK is %s resolves (T22)", async (_name, args, value) =>
    expect(await answered("OK", args)).toBe(value),
  );

  it("a call whose OK is not an array rejects with MalformedAnswer (T22)", async () => {
    await expect(answered("OK", int(1))).rejects.toThrow(MalformedAnswer);
  });

  it("a call rejects with RemoteError for an ERR of two, three or four elements, and of one in version 1 (T21)", async () => {
    const three = await answered("ERR", arr(str("ValueError"), str("bad"), str("Traceback …"))).catch(
      (e) => e,
    );
    expect(three).toBeInstanceOf(RemoteError);
    expect(three).toMatchObject({
      name: "ValueError",
      message: "bad",
      traceback: "Traceback …",
      method: "method",
    });
    const two = await answered("ERR", arr(str("ValueError"), str("bad"))).catch((e) => e);
    expect(two).toMatchObject({ name: "ValueError", message: "bad", traceback: null });
    const four = await answered("ERR", arr(str("ValueError"), bin("bad"), nil, int(1))).catch((e) => e);
    expect(four).toMatchObject({ name: "ValueError", message: "bad", traceback: null });
    const one = await answered("ERR", arr(str("ValueError('bad')"))).catch((e) => e);
    expect(one).toBeInstanceOf(RemoteError);
    expect(one).toMatchObject({ name: "RemoteError", message: "ValueError('bad')" });
    await expect(answered("ERR", nil)).rejects.toThrow(MalformedAnswer);
    await expect(answered("ERR", arr())).rejects.toThrow(MalformedAnswer);
  });

  it("UnknownMethod is only for Python's NameError of an unknown method, not for one that a handler raised (T25)", async () => {
    await expect(answered("ERR", arr(str("NameError"), str("method"), nil))).rejects.toThrow(UnknownMethod);
    const other = await answered("ERR", arr(str("NameError"), str("name 'x' is not defined"), nil)).catch(
      (e) => e,
    );
    expect(other).toBeInstanceOf(RemoteError);
    expect(other).not.toBeInstanceOf(UnknownMethod);
  });

  it("an error has the code and data that its header carries (T35)", async () => {
    const error = await answered("ERR", arr(str("E"), str("m"), nil), {
      zwire: map({ code: str("EX"), data: map({ a: arr(int(1)) }) }),
    }).catch((e) => e);
    expect(error).toMatchObject({ name: "E", code: "EX", data: { a: [1] } });
  });

  it("an answer whose id has another type belongs to no call (T2, T3)", async () => {
    const { server, api } = await joined();
    const call = api.m();
    const request = await server.next("m");
    const id = String(request.header.message_id);
    await server.reply(request, "OK", arr(int(1)), { response_to: str(id) });
    await server.reply(request, "OK", arr(int(2)));
    expect(await call).toBe(2);
    expect(api.$client.stats.late).toBe(1);
  });

  it("integers and maps arrive as the values that the documentation names (T27)", async () => {
    const value = arr(
      hex("cf 0000018bcfe56800"),
      hex("d3 ffffffffffffffff"),
      hex("cf 8000000000000000"),
      hex("81 01 a161"),
      hex("81 c40161 02"),
      map({ a: map({ b: nil }) }),
      hex("81 a95f5f70726f746f5f5f 01"),
    );
    const got = (await answered("OK", arr(value))) as unknown[];
    expect(got.slice(0, 6)).toEqual([
      1700000000000,
      -1,
      2n ** 63n,
      new Map([[1, "a"]]),
      new Map([[Buffer.from("a"), 2]]),
      { a: { b: null } },
    ]);
    expect(Object.entries(got[6] as object)).toEqual([["__proto__", 1]]);
  });

  it.each([
    ["an unknown extension", hex("91 d4 05 00")],
    ["a record definition of msgpackr", hex("91 d4 72 40")],
    ["a regular expression of msgpackr", hex("91 c7 04 78 92a1 61a0")],
  ])("an answer with %s fails its call, and no other", async (_name, args) => {
    const { server, api } = await joined();
    const [bad, good] = [api.bad(), api.good()];
    await server.reply(await server.next("bad"), "OK", args);
    await expect(bad).rejects.toThrow(/cannot be decoded: msgpack extension type/);
    await server.reply(await server.next("good"), "OK", arr(int(65)));
    expect(await good).toBe(65);
  });

  it("a message that is not an event is dropped and counted (T6)", async () => {
    const { server, api } = await joined();
    const call = api.m();
    const request = await server.next("m");
    const bad = [
      Buffer.alloc(0),
      hex("c1"),
      hex("92 80 a0"),
      hex("93 c0 a0 90"),
      hex("dd ffffffff"),
      Buffer.alloc(99, 0x91),
    ];
    for (const payload of bad) await server.socket.send([...request.envelope, payload]);
    await server.reply(request, "OK", arr(int(1)));
    expect(await call).toBe(1);
    expect(api.$client.stats.dropped).toBe(bad.length);
  });

  it("a call rejects with MalformedAnswer for an event that is not an answer, and ignores an extension (T34)", async () => {
    const { server, api } = await joined();
    const call = api.m();
    const request = await server.next("m");
    await server.reply(request, "_zpc_unheard_of", arr(int(1)));
    await server.reply(request, "HELLO", arr(int(1)));
    await expect(call).rejects.toThrow("with the event HELLO");
  });

  it("answers after a timeout are dropped and counted (T28)", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: 500 });
    const call = client.call("m");
    const request = await server.next("m");
    clock.advance(500);
    const error = await call.catch((e) => e);
    expect(error).toBeInstanceOf(TimeoutExpired);
    expect(error).toMatchObject({ timeout: 500, sent: true, method: "m" });
    for (let i = 0; i < 20; i++) await server.reply(request, "OK", arr(int(i)));
    await until(() => client.stats.late === 20, "late answers counted");
    expect(client.stats).toMatchObject({ inFlight: 0, waiting: 0, dropped: 0 });
    clock.advance(1000);
    expect(clock.timers).toBe(0);
  });

  it("a timeout covers the first item of a stream, and not the others", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: 500 });
    const stream = client.stream<number>("count");
    const request = await server.next("count");
    await items(server, request, 0, 1);
    expect(await stream.next()).toEqual({ value: 0, done: false });
    const next = stream.next();
    clock.advance(100_000);
    await items(server, request, 1, 1);
    expect(await next).toEqual({ value: 1, done: false });
    const late = client.stream("count");
    await server.next("count", 2);
    clock.advance(500);
    await expect(late.next()).rejects.toThrow(TimeoutExpired);
  });
});

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

describe("heartbeats", () => {
  it("every heartbeat of the server is answered with one heartbeat (T19)", async () => {
    const { server, clock, client } = await joinedWithClock();
    const call = client.call("slow");
    const request = await server.next("slow");
    for (let second = 1; second <= 6; second++) {
      clock.advance(1000);
      await server.reply(request, "_zpc_hb", arr(int(0)));
      expect((await server.next("_zpc_hb", second)).args).toEqual([0]);
    }
    await server.reply(request, "OK", arr(int(1)));
    expect(await call).toBe(1);
    expect(server.names.filter((name) => name === "_zpc_hb")).toHaveLength(6);
  });

  it("a server that sends heartbeats without end and reads nothing does not fill the memory of its client", async () => {
    const listener = await rawListen();
    const api = calling(listener.endpoint);
    const call = api.slow();
    const server = await listener.accept();
    await server.handshake({ type: "ROUTER" });
    await server.readFrame();
    const request = decode((await server.readFrame()).body);
    const [header] = plain(request) as [{ message_id: Buffer }];
    server.pause();
    const before = heapUsed();
    const reply = (name: string, args: Buffer) =>
      message(
        Buffer.alloc(0),
        event({ message_id: bin(newId()), v: int(3), response_to: bin(header.message_id) }, name, args),
      );
    for (let i = 0; i < 500; i++) {
      server.write(...Array.from({ length: 100 }, () => reply("_zpc_hb", arr(int(0)))));
      await turns(1);
    }
    server.write(reply("OK", arr(int(1))));
    expect(await within(call, "the answer behind all heartbeats")).toBe(1);
    expect(heapUsed() - before).toBeLessThan(16 * 1024 ** 2);
  });

  it("a client begins a heartbeat when none came for an interval, and does not answer the answer", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: Infinity });
    const call = client.call("slow");
    const request = await server.next("slow");
    clock.advance(4900);
    await turns(10);
    expect(server.names).toEqual(["slow"]);
    for (let i = 1; i <= 3; i++) {
      clock.advance(5000);
      await server.next("_zpc_hb", i);
      await server.reply(request, "_zpc_hb", nil); // T18
    }
    await server.reply(request, "OK", arr(int(1)));
    await call;
    expect(server.names).toEqual(["slow", "_zpc_hb", "_zpc_hb", "_zpc_hb"]);
  });

  it("with heartbeat 0 a client begins none, and answers each", async () => {
    const { server, clock, client } = await joinedWithClock({ heartbeat: 0, timeout: Infinity });
    const call = client.call("slow");
    const request = await server.next("slow");
    clock.advance(100_000);
    await server.reply(request, "_zpc_hb", arr(int(0)));
    await server.next("_zpc_hb");
    await server.reply(request, "OK", arr(int(1)));
    await call;
    expect(server.names).toEqual(["slow", "_zpc_hb"]);
  });

  it("with lostAfter a call to a silent server rejects with LostRemote in time, and one to a server that sends heartbeats does not (T20)", async () => {
    const { server, clock, client } = await joinedWithClock({ heartbeat: 1000, lostAfter: 3000 });
    const silent = client.call("silent").catch((error) => error);
    const alive = client.call("alive");
    const request = await server.next("alive");
    for (let i = 1; i <= 3; i++) {
      clock.advance(1000);
      const before = client.stats.late;
      await server.reply(request, "_zpc_hb", arr(int(0)));
      await server.reply({ ...request, header: { message_id: Buffer.from("none") } }, "OK", arr());
      await until(() => client.stats.late > before, "the heartbeat came");
    }
    expect(await silent).toBeInstanceOf(LostRemote);
    await server.reply(request, "OK", arr(int(1)));
    expect(await alive).toBe(1);
  });

  it("a server that is silent for minutes does not lose its call by default", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: Infinity });
    const call = client.call("slow");
    const request = await server.next("slow");
    await server.reply(request, "_zpc_hb", arr(int(0))); // it has beaten once, and blocks then
    await server.next("_zpc_hb");
    for (let i = 0; i < 300; i++) clock.advance(1000);
    await server.reply(request, "OK", arr(int(1)));
    expect(await call).toBe(1);
    expect(server.names.filter((name) => name === "_zerorpc_ping").length).toBeLessThanOrEqual(1);
  });

  it("a call rejects with LostRemote when its server stops its heartbeats and still answers a ping", async () => {
    const { server, clock, client } = await joinedWithClock({ timeout: Infinity });
    const call = client.call("slow").catch((error) => error);
    const request = await server.next("slow");
    await server.reply(request, "_zpc_hb", arr(int(0)));
    await server.next("_zpc_hb");
    for (let i = 0; i < 16; i++) clock.advance(1000);
    const ping = await server.next("_zerorpc_ping");
    await server.reply(ping, "OK", arr(arr(str("pong"), str("x"))));
    await until(() => client.stats.inFlight === 1, "the ping is answered");
    clock.advance(7000);
    clock.advance(2000);
    const error = await within(call, "the call fails");
    expect(error).toBeInstanceOf(LostRemote);
    expect((error as Error).message).toContain("has forgotten the call");
  });
});

describe("servers that come and go", () => {
  it("calls that timed out or were aborted before a server came are never delivered (T32)", async () => {
    const clock = new ManualClock();
    const { endpoint, socket } = await ScriptedServer.listen();
    await socket.close({ linger: 0 });
    const client = new Client(endpoint, { socket: { reconnectInterval: 10 } }, clock);
    onTestFinished(() => client.close());
    const controller = new AbortController();
    const early = Array.from({ length: 1000 }, (_, i) => client.call("early", [i], { timeout: 100 }));
    const aborted = Array.from({ length: 100 }, (_, i) =>
      client.call("aborted", [i], { signal: controller.signal }),
    );
    const late = Array.from({ length: 100 }, (_, i) => client.call("late", [i], { timeout: 100_000 }));
    expect(client.stats).toMatchObject({ waiting: 1200, inFlight: 0 });
    clock.advance(100);
    controller.abort(new Error("no longer"));
    for (const result of await Promise.allSettled(early)) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "TimeoutExpired", sent: false } });
    }
    for (const result of await Promise.allSettled(aborted)) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "no longer" } });
    }
    expect(client.stats.waiting).toBe(100);
    const server = await ScriptedServer.listen(endpoint);
    await server.next("late", 100);
    expect(server.heard.map(({ args }) => (args as number[])[0])).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    await Promise.all(server.heard.map((request, i) => server.reply(request, "OK", arr(int(i)))));
    expect(await Promise.all(late)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(server.names.filter((name) => name !== "late")).toEqual([]);
  });

  it("calls under way reject when the connection breaks, and the next call goes to the new server", async () => {
    const first = await ScriptedServer.listen();
    const api = calling(first.endpoint, { socket: { reconnectInterval: 10 } });
    const call = api.m();
    const stream = api.$stream("s");
    await items(first, await first.next("s"), 0, 1);
    expect((await stream.next()).value).toBe(0);
    await first.socket.close({ linger: 0 });
    await expect(within(call, "the call fails")).rejects.toThrow(LostRemote);
    await expect(within(stream.next(), "the stream fails")).rejects.toThrow(LostRemote);
    const next = api.again();
    const second = await ScriptedServer.listen(first.endpoint);
    await second.reply(await second.next("again"), "OK", arr(int(1)));
    expect(await next).toBe(1);
    expect(second.names).toEqual(["again"]);
  });

  it("an answer that came before the connection broke counts", async () => {
    const server = await ScriptedServer.listen();
    const api = calling(server.endpoint);
    const calls = Array.from({ length: 300 }, () => api.m());
    await server.next("m", 300);
    for (const [i, request] of server.heard.entries()) void server.reply(request, "OK", arr(int(i)));
    await server.socket.close({ linger: 5000 });
    expect(await Promise.all(calls)).toHaveLength(300);
  });

  it("calls wait for room: many big ones to a server that does not read are sent in order when it does", async () => {
    const router = managed(new Router({ receiveHighWaterMark: 1 }));
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const api = calling(endpoint, { socket: { sendHighWaterMark: 2 } });
    const body = Buffer.alloc(500_000);
    const controller = new AbortController();
    const calls = Array.from({ length: 60 }, (_, i) =>
      api.$call("m", [i, body], { signal: i % 2 ? controller.signal : undefined }).catch((error) => error),
    );
    await api.$client.connected();
    await turns(50);
    const { waiting, inFlight } = api.$client.stats;
    expect(waiting).toBeGreaterThan(20);
    expect(waiting + inFlight).toBe(60);
    controller.abort(new Error("withdrawn"));
    const kept = Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 2 === 0 || i < inFlight);
    for (const i of kept) {
      const [name, , payload] = await router.receive({ timeout: 5000 });
      const [header, , args] = plain(decode(payload)) as [{ message_id: Buffer }, string, [number]];
      expect(args[0]).toBe(i);
      const answer = arr(
        map({ message_id: bin("x"), v: int(3), response_to: bin(header.message_id) }),
        str("OK"),
        arr(int(i)),
      );
      await router.send([name, "", answer]);
    }
    const results = await within(Promise.all(calls), "all calls");
    expect(results.filter((one) => typeof one === "number")).toEqual(
      Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 2 === 0),
    );
    expect(router.tryReceive()).toBeUndefined();
  });

  it("a client may bind, and the server connect", async () => {
    const api = calling("tcp://127.0.0.1:*", { bind: true });
    const router = managed(new Router());
    router.connect(api.$client.endpoints[0]);
    const call = api.m();
    const [name, , payload] = await router.receive({ timeout: 5000 });
    const [header] = plain(decode(payload)) as [{ message_id: Buffer }];
    await router.send([
      name,
      "",
      arr(
        map({ message_id: bin("x"), v: int(3), response_to: bin(header.message_id) }),
        str("OK"),
        arr(int(5)),
      ),
    ]);
    expect(await call).toBe(5);
  });
});
