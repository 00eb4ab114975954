/**
 * The server against a client whose bytes are written by hand (items T1 to T35 of the protocol's list, the server's
 * side): frames, ids and headers.
 */
import { describe, expect, it, vi } from "vitest";
import { Dealer, Router } from "../../src/index.js";
import { Channel } from "../../src/rpc/channel.js";
import { managed, until } from "../support/helpers.js";
import { arr, bin, decode, hex, int, map, nil, str } from "../support/msgpack.js";
import { event, newId, ScriptedClient, serving } from "../support/rpc-peers.js";
import { joined } from "../support/rpc-server.js";

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
