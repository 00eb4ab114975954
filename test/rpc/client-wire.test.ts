/**
 * The client against a server whose bytes are written by hand (items T1 to T35 of the protocol's list, the client's
 * side): requests and answers. Streams, heartbeats and servers that come and go have files of their own.
 */
import { describe, expect, it } from "vitest";
import { MalformedAnswer, RemoteError, TimeoutExpired, UnknownMethod } from "../../src/rpc.js";
import { until } from "../support/helpers.js";
import { arr, bin, hex, int, map, nil, plain, str } from "../support/msgpack.js";
import { items, joined, joinedWithClock } from "../support/rpc-client.js";

/** Answers a call and gives back what became of it. */
async function answered(name: string, args: Buffer, header: Record<string, Buffer> = {}) {
  const { server, api } = await joined();
  const call = api.method(1);
  await server.reply(await server.next("method"), name, args, header);
  return call;
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
