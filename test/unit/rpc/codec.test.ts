/**
 * Bytes in and out: bounds before memory, what Python needs, the raw type of old.
 */
import { describe, expect, it } from "vitest";
import { parametersOf } from "../../../src/rpc/service/parameters.js";
import { Codec, sendable } from "../../../src/rpc/wire/codec.js";
import { decodeEvent, encodeEvent, openEnvelope } from "../../../src/rpc/wire/event.js";
import { toRaw } from "../../../src/rpc/wire/legacy.js";
import { Scanner } from "../../../src/rpc/wire/scan.js";
import { arr, bin, decode, hex, int, map, nil, plain, str } from "../../support/msgpack.js";

const LIMITS = { depth: 8, items: 1000 };

function scan(bytes: Buffer, limits = LIMITS) {
  const scanner = new Scanner(limits);
  return { fault: scanner.scan(bytes), scanner };
}

describe("the scanner", () => {
  const heads = [
    "c0",
    "c2",
    "c3",
    "00",
    "7f",
    "e0",
    "ff",
    "a0",
    "a161",
    "d900",
    "d90161",
    "da000161",
    "db0000000161",
    "c400",
    "c40161",
    "c5000161",
    "c60000000161",
    "cc01",
    "cd0001",
    "ce00000001",
    "cf0000000000000001",
    "d001",
    "d10001",
    "d200000001",
    "d30000000000000001",
    "ca00000000",
    "cb0000000000000000",
    "d4ff00",
    "d5ff0000",
    "d6ff00000000",
    "d7ff0000000000000000",
    `d8ff${"00".repeat(16)}`,
    "c700ff",
    "c8000105aa",
    "c90000000105aa",
    "90",
    "9101",
    "dc000101",
    "dd0000000101",
    "80",
    "81a16101",
    "de0001a16101",
    "df00000001a16101",
  ];

  it.each(heads)("finds the end of %s, whole, cut anywhere, and with bytes behind it", (digits) => {
    const bytes = hex(digits);
    const whole = scan(bytes);
    expect([whole.fault, whole.scanner.end]).toEqual([null, bytes.length]);
    for (let cut = 0; cut < bytes.length; cut++) expect(scan(bytes.subarray(0, cut)).fault).not.toBeNull();
    const more = scan(Buffer.concat([bytes, hex("93c1ff")]));
    expect([more.fault, more.scanner.end]).toEqual([null, bytes.length]);
    expect(scan(arr(bytes, bytes, bytes)).scanner.starts).toEqual([
      1,
      1 + bytes.length,
      1 + 2 * bytes.length,
    ]);
  });

  it("notes what needs care", () => {
    expect(scan(hex("81 01 02")).scanner.oddKeys).toBe(true);
    expect(scan(hex("81 c40161 02")).scanner.oddKeys).toBe(true);
    expect(scan(map({ __proto__x: int(1), a: arr(int(1)) })).scanner.oddKeys).toBe(false);
    expect(scan(arr(hex("81 a95f5f70726f746f5f5f 01"))).scanner.oddKeys).toBe(true);
    expect(scan(arr(hex("d6 ff 00000000"))).scanner.extension).toBeNull();
    expect(scan(arr(hex("d4 05 00"))).scanner.extension).toBe(5);
    expect(scan(arr(hex("c7 00 72"))).scanner.extension).toBe(0x72);
    expect(scan(hex("93 80 90 90")).scanner.elements).toBe(3);
    expect(scan(hex("80")).scanner.elements).toBe(-1);
  });

  it("keeps the bounds, and believes no length that was not received", () => {
    expect(scan(hex("dd ffffffff c0")).fault).toBe("it ends too early");
    expect(scan(hex("df ffffffff c0c0")).fault).toBe("it ends too early");
    expect(scan(hex("c1")).fault).toContain("c1");
    expect(scan(Buffer.concat([Buffer.alloc(8, 0x91), nil])).fault).toBeNull();
    expect(scan(Buffer.concat([Buffer.alloc(9, 0x91), nil])).fault).toContain("more than 8 arrays");
    const wide = Buffer.concat([hex("dc 03e8"), Buffer.alloc(1000, 0xc0)]);
    expect(scan(wide).fault).toContain("more than 1000 values");
    expect(scan(wide, { depth: 8, items: 1001 }).fault).toBeNull();
  });
});

describe("events", () => {
  const codec = new Codec(undefined, false);

  it("arguments that cannot be decoded leave the header", () => {
    const bytes = arr(map({ message_id: bin("i"), v: int(3) }), str("m"), arr(hex("d4 05 00")));
    expect(decodeEvent(codec, bytes)).toMatchObject({
      id: "bi",
      name: "m",
      fault: { message: "msgpack extension type 5 is not supported" },
    });
  });

  it("an id is a copy, and too long ones are none", () => {
    const bytes = arr(map({ message_id: bin("abc"), v: int(3) }), str("m"), arr());
    const { id } = decodeEvent(codec, bytes);
    bytes.fill(0);
    expect(id).toBe("babc");
    const long = hex(`93 81 aa6d6573736167655f6964 c5 0401 ${"00".repeat(1025)} a16d 90`);
    expect(decodeEvent(codec, long).id).toBeNull();
  });

  it("values survive the way there and back", () => {
    const values = [
      null,
      true,
      0,
      -1,
      1.5,
      2 ** 53,
      -(2 ** 53),
      2n ** 63n,
      "",
      "é😀",
      Buffer.from([0, 255]),
      [],
      {},
      { a: [{ b: null }] },
      new Date(5),
    ];
    const bytes = encodeEvent(
      codec,
      { id: "i1", responseTo: null, headers: null, extension: null },
      "m",
      sendable(values, "args"),
    );
    expect(decodeEvent(codec, bytes).args).toEqual(values);
  });

  it("what is sent is left as it was", () => {
    const value = { list: [2 ** 40, { deep: 2 ** 41, same: 1 }], text: "\ud800" };
    const copy = structuredClone(value);
    expect(sendable(value, "x")).toEqual({ list: [2n ** 40n, { deep: 2n ** 41n, same: 1 }], text: "\ufffd" });
    expect(value).toEqual(copy);
    const fine = { list: [1, { a: "b" }] };
    expect(sendable(fine, "x")).toBe(fine);
  });

  it.each([
    [["r", "", "p"], ["r"]],
    [["r", "p"], ["r"]],
    [
      ["r", "h1", "h2", "", "p"],
      ["r", "h1", "h2"],
    ],
    [["r", "", "", "p"], ["r"]],
    [
      ["r", "h", "p"],
      ["r", "h"],
    ],
  ])("the frames %j have the envelope %j (T4, T5)", (frames, envelope) => {
    const opened = openEnvelope(frames.map((frame) => Buffer.from(frame)));
    expect([opened?.envelope.map(String), String(opened?.payload)]).toEqual([envelope, "p"]);
    expect(openEnvelope([Buffer.from("r")])).toBeNull();
  });
});

describe("the raw type of old", () => {
  const codec = new Codec(undefined, true);

  it("is all that is sent, for text and bytes of any length", () => {
    for (const length of [0, 31, 32, 255, 256, 65535, 65536]) {
      const value = [
        "x".repeat(length),
        Buffer.alloc(length, 0x78),
        { k: 2 ** 40, f: 1.5, n: -5, e: [null, true] },
      ];
      const fields = { id: "sid", responseTo: null, headers: null, extension: null };
      const bytes = encodeEvent(codec, fields, "m", sendable(value, "x"));
      expect(() => toRaw(bytes)).not.toThrow();
      const types = new Set<string>();
      const walk = (wire: ReturnType<typeof decode>): void => {
        types.add(wire.type);
        if (wire.type === "array") wire.items.forEach(walk);
        if (wire.type === "map") for (const entry of wire.entries) entry.forEach(walk);
      };
      const wire = decode(bytes);
      walk(wire);
      expect(types.has("bin")).toBe(false);
      expect(bytes.includes(0xd9)).toBe(false);
      const [, , args] = plain(wire) as [unknown, unknown, unknown[]];
      expect(args.slice(0, 2)).toEqual(["x".repeat(length), "x".repeat(length)]);
    }
  });

  it("is text where it is valid, and bytes where it is not", () => {
    const bytes = arr(
      map({ message_id: str("id"), v: int(3) }),
      str("m"),
      arr(str("é"), hex("a3 fffe41"), int(5), hex("a2 c328")),
    );
    expect(decodeEvent(codec, bytes)).toMatchObject({
      id: "sid",
      name: "m",
      args: ["é", Buffer.from([0xff, 0xfe, 0x41]), 5, Buffer.from([0xc3, 0x28])],
    });
  });

  it("what is no value is still refused", () => {
    expect(() => decodeEvent(codec, hex("93 80 a5"))).toThrow("too early");
  });
});

describe("parameters", () => {
  it.each<[(...args: never[]) => unknown, unknown]>([
    [(a: number, b: number) => [a, b], [{ name: "a" }, { name: "b" }]],
    [
      (a = 1, b = "x", ...rest: unknown[]) => [a, b, rest],
      [{ name: "a", default: 1 }, { name: "b", default: "x" }, { name: "...rest" }],
    ],
    [
      async (a = "),(", { b }: { b?: number } = {}, [c]: number[] = [1, 2], d = Math.max(1, 2)) => [
        a,
        b,
        c,
        d,
      ],
      [{ name: "a", default: "),(" }, { name: "arg1" }, { name: "arg2" }, { name: "d" }],
    ],
    [
      function named(a: unknown) {
        return a;
      },
      [{ name: "a" }],
    ],
    [
      {
        method(a: unknown, b: unknown = [1, 2]) {
          return [a, b];
        },
      }.method,
      [{ name: "a" }, { name: "b", default: [1, 2] }],
    ],
    [Math.max, [{ name: "arg0" }, { name: "arg1" }]],
    [() => 1, []],
  ])("of %s", (handler, expected) => expect(parametersOf(handler)).toEqual(expected));
});
