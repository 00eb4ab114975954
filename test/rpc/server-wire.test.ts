/**
 * The server against a client whose bytes are written by hand: framing, ids, errors, streams by credit, heartbeats
 * (items T1 to T35 of the protocol's list, the server's side).
 */
import { describe, expect, it, vi } from "vitest";
import { Dealer, Router } from "../../src/index.js";
import { Channel } from "../../src/rpc/channel.js";
import { method } from "../../src/rpc.js";
import { managed, turns, until } from "../support/helpers.js";
import { arr, bin, decode, hex, int, map, nil, plain, str } from "../support/msgpack.js";
import { event, newId, ScriptedClient, serving } from "../support/rpc-peers.js";

const service = {
  add: (a: number, b = 0) => a + b,
  echo: (value: unknown) => value,
  *count(n: number) {
    for (let i = 0; i < n; i++) yield i;
  },
  *failing(n: number) {
    for (let i = 0; i < n; i++) yield i;
    throw new RangeError("enough");
  },
  fail: () => {
    throw new TypeError("it's wrong");
  },
  empty: () => {},
  headers: method((call) => call.headers),
  hidden: { _secret: () => 1, open: () => 2 },
};

async function joined(options = {}) {
  const server = await serving(service, options);
  return { server, client: new ScriptedClient(server.endpoint) };
}

describe("frames, ids and headers", () => {
  it("request and answer have the bytes of a Python client and server (T1)", async () => {
    const { client } = await joined();
    const id = "00000001a1b2c3d4e5f6a7b8c9d0e1f2";
    const idBytes = `c420${Buffer.from(id).toString("hex")}`;
    await client.raw("", hex(`93 82 aa6d6573736167655f6964 ${idBytes} a176 03 a3616464 91 01`));
    const { payload, envelope } = await client.answer(id);
    expect(envelope.map((frame) => frame.length)).toEqual([0]);
    const own = payload.subarray(2 + 11 + 2, 2 + 11 + 2 + 32).toString();
    expect(own).toMatch(/^[0-9a-f]{32}$/);
    expect(payload.toString("hex")).toBe(
      hex(
        `93 83 aa6d6573736167655f6964 c420 ${Buffer.from(own).toString("hex")} a176 03
         ab726573706f6e73655f746f ${idBytes} a24f4b 91 01`.replaceAll("\n", ""),
      ).toString("hex"),
    );
  });

  it.each([
    ["bin", bin("0123456789abcdef0123456789abcdef")],
    ["text", str("a7d29f0c-1f6b-4a77-9f5c-000000000001")],
    ["short text", str("1")],
    ["integer", int(1)],
    ["negative integer", int(-70_000)],
    ["64-bit integer", hex("cf ffffffffffffffff")],
    ["43-bit integer", hex("cf 0000018bcfe56800")],
  ])("an id that is %s comes back as it was (T2)", async (_name, id) => {
    const { client } = await joined();
    await client.raw("", event({ message_id: id, v: int(3) }, "add", arr(int(1), int(2))));
    await until(() => client.heard.length === 1, "an answer");
    const [{ wire, args }] = client.heard;
    expect(args).toEqual([3]);
    expect(wire.response_to).toEqual(decode(id));
  });

  it.each([
    ["1e21, whose text is no integer", hex("cb 444b1ae4d6e2ef50")],
    ["-1e20", hex("cb c415af1d78b58c40")],
    ["2^64", hex("cb 43f0000000000000")],
    ["2^63", hex("cb 43e0000000000000")],
    ["-2^63", hex("cb c3e0000000000000")],
    ["single 2^64", hex("ca 5f800000")],
    ["not a number", hex("cb 7ff8000000000000")],
    ["infinite", hex("cb 7ff0000000000000")],
    ["a half", hex("cb 3fe0000000000000")],
  ])("a float id that is %s cannot stop the server: it is dropped and counted (T2)", async (_name, id) => {
    const { server, client } = await joined();
    const v = int(3);
    const zwire = map({});
    for (const name of ["add", "x", "_zpc_hb", "_zpc_more", "_zpc_cancel"]) {
      await client.raw("", event({ message_id: id }, name, arr()));
      await client.raw("", event({ message_id: id, v, zwire }, name, nil));
      // The general way of decoding, which an odd key asks for.
      await client.raw("", event({ message_id: id, v, __proto__x: nil, ["__proto__"]: nil }, name, arr()));
    }
    expect((await client.call("add", int(1), int(2))).args).toEqual([3]);
    expect(client.heard.length).toBe(1);
    expect(server.stats).toMatchObject({ dropped: 15, channels: 0 });
    for (const name of ["_zpc_hb", "_zpc_more", "add"]) {
      await client.raw("", event({ message_id: bin(newId()), response_to: id, v, zwire }, name, arr(int(1))));
    }
    expect((await client.call("add", int(1), int(2))).args).toEqual([3]);
    expect(server.stats).toMatchObject({ dropped: 18, channels: 0, faults: 0 });
  });

  it("an envelope that no answer could carry is dropped and counted (T5)", async () => {
    const { server, client } = await joined();
    const request = event({ message_id: bin(newId()), v: int(3) }, "add", arr(int(1)));
    await client.raw(...new Array(65_000).fill("x"), request);
    await client.raw(...new Array(65_000).fill("x"), "", request);
    await client.raw(...new Array(64).fill("x"), request);
    await client.raw("x".repeat(256), "", request);
    await until(() => server.stats.dropped === 4, "all are dropped");
    const id = newId();
    await client.raw(
      ...new Array(15).fill("x"),
      event({ message_id: bin(id), v: int(3) }, "add", arr(int(1))),
    );
    expect((await client.answer(id)).envelope.length).toBe(16);
  });

  it("a handler that throws what its caller sent, or a value without text, is answered (T8)", async () => {
    const server = await serving({
      fail: (fields: object) => {
        throw Object.assign(new Error("x"), fields);
      },
      odd: () => ({
        [Symbol.asyncIterator]: () => {
          throw new RangeError("no iterator");
        },
      }),
    });
    const client = new ScriptedClient(server.endpoint);
    const odd = map({ toString: int(1) });
    const id = await client.say(
      "fail",
      arr(map({ name: odd, message: odd, stack: odd, code: odd, data: odd })),
    );
    expect((await client.answer(id)).name).toBe("ERR");
    expect((await client.call("odd")).args).toEqual(["RangeError", "no iterator", expect.any(String)]);
  });

  it("a bug that an event meets ends its channel, is told once, and stops nothing", async () => {
    const { server, client } = await joined();
    const warned: Error[] = [];
    const listen = (warning: Error): void => void warned.push(warning);
    process.on("warning", listen);
    const broken = vi.spyOn(Channel.prototype, "grant").mockImplementation(() => {
      throw new Error("a bug");
    });
    try {
      await client.raw("", event({ message_id: bin("s"), v: int(3) }, "count", arr(int(9))));
      await until(() => server.stats.streams === 1, "a stream");
      const grant = { message_id: bin("g"), v: int(3), response_to: bin("s") };
      for (let i = 0; i < 2; i++) await client.raw("", event(grant, "_zpc_more", arr(int(1))));
      await until(() => server.stats.channels === 0, "its channel is closed");
      await until(() => warned.length > 0, "the warning");
    } finally {
      broken.mockRestore();
      process.off("warning", listen);
    }
    expect(warned.map(({ message }) => message)).toEqual([expect.stringContaining("a bug")]);
    expect(server.stats.faults).toBe(1);
    expect(await client.call("add", int(1), int(2))).toMatchObject({ name: "OK", args: [3] });
  });

  it("ids with the same bytes and different types are different channels (T3)", async () => {
    const { server, client } = await joined();
    await client.raw("", event({ message_id: bin("1"), v: int(3) }, "count", arr(int(5))));
    await client.raw("", event({ message_id: str("1"), v: int(3) }, "count", arr(int(5))));
    await client.raw("", event({ message_id: int(1), v: int(3) }, "count", arr(int(5))));
    await until(() => client.heard.length === 3, "first items of three streams");
    await client.raw(
      "",
      event({ message_id: bin(newId()), v: int(3), response_to: str("1") }, "_zpc_more", arr(int(100))),
    );
    await until(() => client.heard.length === 3 + 5, "the rest of one");
    expect(client.heard.slice(3).map(({ wire }) => wire.response_to)).toEqual(
      Array.from({ length: 5 }, () => ({ type: "str", value: "1" })),
    );
    expect(server.stats.streams).toBe(2);
  });

  it("a request without a delimiter gets an answer with one (T4)", async () => {
    const { client } = await joined();
    const id = newId();
    await client.raw(event({ message_id: bin(id), v: int(3) }, "add", arr(int(1))));
    expect((await client.answer(id)).envelope.map((frame) => frame.length)).toEqual([0]);
  });

  it("an envelope of two hops comes back unchanged (T5)", async () => {
    const { client } = await joined();
    const id = newId();
    await client.raw("hop 1", "hop 2", "", event({ message_id: bin(id), v: int(3) }, "add", arr(int(1))));
    expect((await client.answer(id)).envelope.map(String)).toEqual(["hop 1", "hop 2", ""]);
  });

  it("through a broker of Router and Dealer, two clients with the same id get their own answers (T5)", async () => {
    const { server } = await joined();
    const [front, back] = [managed(new Router()), managed(new Dealer())];
    back.connect(server.endpoint);
    front.on("message", (frames) => void back.send(frames));
    back.on("message", (frames) => void front.send(frames));
    const endpoint = await front.bind("tcp://127.0.0.1:*");
    const clients = [new ScriptedClient(endpoint), new ScriptedClient(endpoint)];
    const id = newId();
    await Promise.all(
      clients.map((one, i) =>
        one.raw("", event({ message_id: bin(id), v: int(3) }, "add", arr(int(10), int(i)))),
      ),
    );
    for (const [i, one] of clients.entries()) expect((await one.answer(id)).args).toEqual([10 + i]);
  });

  it("a message that is not an event is dropped and counted, and the next request is served (T6)", async () => {
    const { server, client } = await joined();
    const header = map({ message_id: bin(newId()), v: int(3) });
    const bad = [
      arr(header, str("add")),
      arr(header, str("add"), arr(), nil),
      Buffer.from("not msgpack at all"),
      Buffer.alloc(0),
      hex("c1"),
      hex("93 81"),
      hex("dd ffffffff"),
      arr(map({ v: int(3) }), str("add"), arr(int(1))),
      arr(nil, str("add"), arr(int(1))),
      arr(map({ message_id: nil, v: int(3) }), str("add"), arr(int(1))),
      arr(map({ message_id: arr(), v: int(3) }), str("add"), arr(int(1))),
    ];
    for (const payload of bad) await client.raw("", payload);
    expect((await client.call("add", int(1), int(2))).args).toEqual([3]);
    expect(client.heard).toHaveLength(1);
    expect(server.stats.dropped).toBe(bad.length);
  });

  it("bytes behind the event are ignored (T6)", async () => {
    const { client } = await joined();
    const id = newId();
    await client.raw(
      "",
      Buffer.concat([event({ message_id: bin(id), v: int(3) }, "add", arr(int(1))), hex("c0c1ff")]),
    );
    expect((await client.answer(id)).args).toEqual([1]);
  });

  it("a method name that is bytes is unknown, as in Python (T7)", async () => {
    const { client } = await joined();
    const id = newId();
    await client.raw("", arr(map({ message_id: bin(id), v: int(3) }), bin("add"), arr(int(1))));
    expect((await client.answer(id)).args).toEqual(["NameError", "b'add'", null]);
  });

  it.each([
    ["nil", nil],
    ["an integer", int(1)],
    ["text", str("abc")],
    ["a map", map({ a: int(1) })],
    ["an extension", hex("d4 05 00")],
    ["an array with an extension in it", hex("91 d4 72 40")],
  ])("arguments that are %s get a TypeError (T8)", async (_name, args) => {
    const { client } = await joined();
    const { name, args: error } = await client.answer(await client.say("add", args));
    expect([name, (error as unknown[])[0]]).toEqual(["ERR", "TypeError"]);
    expect((await client.call("add", int(1))).args).toEqual([1]);
  });

  it("other header keys reach the handler (T9)", async () => {
    const { client } = await joined();
    const id = await client.say("headers", arr(), { trace: str("t1"), deep: map({ a: arr(int(1)) }) });
    expect((await client.answer(id)).args).toEqual([{ trace: "t1", deep: { a: [1] } }]);
  });

  it.each([
    ["missing", undefined, 1],
    ["1", int(1), 1],
    ["2", int(2), 3],
    ["3", int(3), 3],
    ["4", int(4), 3],
  ])("an error to a client of version %s has %3$i elements (T10)", async (_name, v, length) => {
    const { client } = await joined();
    const id = newId();
    await client.raw("", event({ message_id: bin(id), ...(v && { v }) }, "fail", arr()));
    const { name, args } = await client.answer(id);
    expect(name).toBe("ERR");
    expect(args).toHaveLength(length);
    if (length === 1) expect(args).toEqual([`TypeError("it's wrong")`]);
    else
      expect(args).toMatchObject([
        "TypeError",
        "it's wrong",
        expect.stringContaining("TypeError: it's wrong"),
      ]);
  });
});

describe("streams", () => {
  it("a stream of three items sends exactly one without a grant (T11)", async () => {
    const { client } = await joined();
    const id = await client.say("count", arr(int(3)));
    await client.answer(id);
    expect((await client.call("add", int(1))).args).toEqual([1]);
    await turns(20);
    expect(client.names(id)).toEqual(["STREAM"]);
    expect(client.on(id)[0].args).toBe(0);
  });

  it("a stream sends one more item for a grant of one, and the rest and its end for a grant of ten (T12)", async () => {
    const { client } = await joined();
    const id = await client.say("count", arr(int(5)));
    await client.answer(id);
    await client.follow(id, "_zpc_more", arr(int(1)));
    await client.answer(id, 2);
    await client.call("add", int(1));
    expect(client.names(id)).toEqual(["STREAM", "STREAM"]);
    await client.follow(id, "_zpc_more", arr(int(10)));
    await client.answer(id, 6);
    expect(client.names(id)).toEqual([...Array(5).fill("STREAM"), "STREAM_DONE"]);
    expect(client.on(id).map(({ args }) => args)).toEqual([0, 1, 2, 3, 4, null]);
  });

  it("grants add up (T12)", async () => {
    const { client } = await joined();
    const id = await client.say("count", arr(int(100)));
    for (let i = 0; i < 3; i++) await client.follow(id, "_zpc_more", arr(int(2)));
    await client.answer(id, 7);
    await client.call("add", int(1));
    expect(client.on(id)).toHaveLength(7);
  });

  it("the end of a stream and an error after items wait for credit (T13)", async () => {
    const { client } = await joined();
    const ended = await client.say("count", arr(int(1)));
    const failed = await client.say("failing", arr(int(1)));
    await client.answer(ended);
    await client.answer(failed);
    await client.call("add", int(1));
    expect([client.names(ended), client.names(failed)]).toEqual([["STREAM"], ["STREAM"]]);
    await client.follow(ended, "_zpc_more", arr(int(1)));
    await client.follow(failed, "_zpc_more", arr(int(1)));
    expect((await client.answer(ended, 2)).name).toBe("STREAM_DONE");
    expect(await client.answer(failed, 2)).toMatchObject({
      name: "ERR",
      args: ["RangeError", "enough", expect.any(String)],
    });
  });

  it("a malformed grant is ignored (T14)", async () => {
    const { client } = await joined();
    const id = await client.say("count", arr(int(3)));
    await client.answer(id);
    for (const args of [
      nil,
      arr(),
      arr(str("5")),
      arr(int(-5)),
      arr(hex("cb 3ff8000000000000")),
      arr(nil),
      int(7),
    ]) {
      await client.follow(id, "_zpc_more", args);
    }
    await client.call("add", int(1));
    expect(client.names(id)).toEqual(["STREAM"]);
    await client.follow(id, "_zpc_more", arr(int(9)));
    expect((await client.answer(id, 4)).name).toBe("STREAM_DONE");
  });

  it("heartbeats cost no credit, whatever they contain, and each is answered with one (T17, T18)", async () => {
    const { client } = await joined();
    const id = await client.say("count", arr(int(2)));
    await client.answer(id);
    for (const args of [nil, arr(int(0)), arr(nil), arr()]) await client.follow(id, "_zpc_hb", args);
    await client.answer(id, 5);
    expect(client.names(id)).toEqual(["STREAM", "_zpc_hb", "_zpc_hb", "_zpc_hb", "_zpc_hb"]);
    expect(
      client
        .on(id)
        .slice(1)
        .map(({ args }) => args),
    ).toEqual(Array(4).fill([0]));
    await client.follow(id, "_zpc_more", arr(int(2)));
    await client.answer(id, 7);
    expect(client.names(id).slice(5)).toEqual(["STREAM", "STREAM_DONE"]);
  });

  it("an empty stream is one STREAM_DONE (T23, T24)", async () => {
    const { client } = await joined();
    expect(await client.call("count", int(0))).toMatchObject({ name: "STREAM_DONE", args: null });
  });

  it("events for a closed channel are counted and not answered (T28)", async () => {
    const { server, client } = await joined();
    const id = await client.say("add", arr(int(1)));
    await client.answer(id);
    for (const name of ["_zpc_hb", "_zpc_more", "anything"]) await client.follow(id, name, arr(int(1)));
    await client.call("add", int(1));
    expect(client.names(id)).toEqual(["OK"]);
    expect(server.stats.late).toBe(3);
  });
});

describe("calls", () => {
  it("an unknown method is answered at once, as are hidden ones and those of every object (T25)", async () => {
    const { client } = await joined();
    for (const name of [
      "nope",
      "hidden._secret",
      "_hidden",
      "toString",
      "constructor",
      "__proto__",
      "hidden",
    ]) {
      expect(await client.call(name)).toMatchObject({ name: "ERR", args: ["NameError", name, null] });
    }
    expect((await client.call("hidden.open")).args).toEqual([2]);
  });

  it("a function without a result answers [nil] (T22)", async () => {
    const { client } = await joined();
    const { name, argsWire } = await client.call("empty");
    expect([name, argsWire]).toEqual(["OK", { type: "array", items: [{ type: "nil" }] }]);
  });

  it("the built-in methods answer (T26)", async () => {
    const { client } = await joined({ name: "me" });
    expect((await client.call("_zerorpc_ping")).args).toEqual([["pong", "me"]]);
    expect((await client.call("_zerorpc_name")).args).toEqual(["me"]);
    expect((await client.call("_zerorpc_list")).args).toEqual([
      ["add", "echo", "count", "failing", "fail", "empty", "headers", "hidden.open"],
    ]);
    expect((await client.call("_zerorpc_help", str("add"))).args).toEqual([null]);
    expect((await client.call("_zerorpc_args", str("add"))).args).toEqual([[["a", "b"], null, null, [0]]]);
    expect((await client.call("_zerorpc_help", str("nope"))).args).toMatchObject([
      "NameError",
      "nope",
      expect.anything(),
    ]);
    expect((await client.call("_zerorpc_inspect")).args).toMatchObject([
      {
        name: "me",
        methods: {
          add: { args: [{ name: "a" }, { name: "b", default: 0 }], doc: null },
          headers: { args: [] },
        },
      },
    ]);
  });

  it.each([
    ["2^31", hex("ce 80000000"), 2n ** 31n],
    ["2^32", hex("cf 0000000100000000"), 2n ** 32n],
    ["2^53-1", hex("cf 001fffffffffffff"), 2n ** 53n - 1n],
    ["2^53", hex("cf 0020000000000000"), 2n ** 53n],
    ["-2^40", hex("d3 ffffff0000000000"), -(2n ** 40n)],
    ["2^63", hex("cf 8000000000000000"), 2n ** 63n],
    ["-2^63", hex("d3 8000000000000000"), -(2n ** 63n)],
    ["2^64-1", hex("cf ffffffffffffffff"), 2n ** 64n - 1n],
  ])("the integer %s comes back as an integer (T27)", async (_name, bytes, value) => {
    const { client } = await joined();
    const { argsWire } = await client.call("echo", arr(bytes, map({ in: bytes })));
    const int = { type: "int", value };
    expect(argsWire).toEqual({
      type: "array",
      items: [
        { type: "array", items: [int, { type: "map", entries: [[{ type: "str", value: "in" }, int]] }] },
      ],
    });
  });

  it("bytes stay bytes, text stays text, floats stay floats, timestamps stay timestamps (T27)", async () => {
    const { client } = await joined();
    const values = [
      bin(hex("00ff80")),
      str("é"),
      hex("cb 3ff8000000000000"),
      hex("d6 ff 00000001"),
      hex("c2"),
    ];
    const { argsWire } = await client.call("echo", arr(...values));
    expect(argsWire).toEqual({ type: "array", items: [decode(arr(...values))] });
  });

  it("a map with integer keys reaches the handler, and returning it is an error, because Python would drop it (T27)", async () => {
    const { client } = await joined();
    const { name, args } = await client.call("echo", hex("81 01 a161"));
    expect([name, (args as string[])[0], (args as string[])[1]]).toEqual([
      "ERR",
      "TypeError",
      "result has the key 1 of type number: keys of a map must be strings, because Python drops a message with others",
    ]);
  });

  it("two requests with the same id are both answered (T33)", async () => {
    const { server, client } = await joined();
    const id = newId();
    for (const n of [1, 2])
      await client.raw("", event({ message_id: bin(id), v: int(3) }, "add", arr(int(n))));
    const slow = newId();
    for (const n of [1, 2])
      await client.raw("", event({ message_id: bin(slow), v: int(3) }, "count", arr(int(n))));
    await client.answer(id, 2);
    expect(client.on(id).map(({ args }) => args)).toEqual([[1], [2]]);
    await client.answer(slow, 2);
    expect(client.names(slow)).toEqual(["STREAM", "STREAM"]);
    expect(server.stats.channels).toBe(2);
    await client.socket.close({ linger: 0 });
    await until(() => server.stats.channels === 0 && server.stats.running === 0, "both go with the client");
  });

  it("an unknown event on a live channel is ignored (T34)", async () => {
    const { client } = await joined();
    const id = await client.say("count", arr(int(2)));
    await client.answer(id);
    await client.follow(id, "_zpc_unheard_of", arr(int(1)));
    await client.follow(id, "add", arr(int(1)));
    await client.follow(id, "_zpc_more", arr(int(5)));
    await client.answer(id, 3);
    expect(client.names(id)).toEqual(["STREAM", "STREAM", "STREAM_DONE"]);
  });

  it("§5 a heartbeat or a grant may open the channel, and the call follows", async () => {
    const { server, client } = await joined();
    const first = await client.say("_zpc_hb", arr(int(0)));
    expect((await client.answer(first)).name).toBe("_zpc_hb");
    await client.follow(first, "add", arr(int(1), int(2)));
    expect((await client.answer(first, 2)).args).toEqual([3]);
    const second = await client.say("_zpc_more", arr(int(10)));
    await client.follow(second, "count", arr(int(2)));
    await client.answer(second, 3);
    expect(client.names(second)).toEqual(["STREAM", "STREAM", "STREAM_DONE"]);
    await until(() => server.stats.channels === 0, "no channel left");
  });

  it("channels that heartbeats open and no call follows are bounded", async () => {
    const { server, client } = await joined();
    for (let i = 0; i < 1500; i++) await client.say("_zpc_hb", arr(int(0)));
    await client.call("add", int(1));
    expect(server.stats.channels).toBe(1000);
  });

  it("a client that is not zwire gets no event that only zwire knows", async () => {
    const { client } = await joined();
    await client.call("fail");
    await client.call("add", int(1));
    await client.call("nope");
    expect(client.heard.map(({ header }) => Object.keys(header))).toEqual(
      Array(3).fill(["message_id", "v", "response_to"]),
    );
    expect(plain(decode(client.heard[0].payload))).toBeDefined();
  });
});
