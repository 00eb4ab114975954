/**
 * The server's answers and streams, to a client whose bytes are written by hand.
 */
import { describe, expect, it } from "vitest";
import { turns, until } from "../support/helpers.js";
import { arr, bin, decode, hex, int, map, nil, plain, str } from "../support/msgpack.js";
import { event, newId } from "../support/rpc-peers.js";
import { joined } from "../support/rpc-server.js";

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
