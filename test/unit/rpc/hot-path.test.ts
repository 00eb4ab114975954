/**
 * What carries every call: the writer against an independent decoder, the places of open calls against a Map, deadlines
 * under a clock of the test's own.
 */
import { Unpackr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { OpenCalls } from "../../../src/rpc/client/open-calls.js";
import type { Clock } from "../../../src/rpc/clock.js";
import { Deadlines } from "../../../src/rpc/deadlines.js";
import { Codec, sendable } from "../../../src/rpc/wire/codec.js";
import { IdSource } from "../../../src/rpc/wire/event.js";
import { same } from "../../support/same.js";

/** A reproducible random number below n. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

describe("the writer", () => {
  const codec = new Codec(undefined, false);
  // biome-ignore lint/suspicious/noExplicitAny: "auto" is missing in the declarations
  const reference = new Unpackr({ useRecords: false, int64AsType: "auto" } as any);
  const edges = [0, 23, 24, 31, 32, 127, 128, 255, 256, 65535, 65536, 70000];

  it.each([
    [
      "integers",
      [
        0,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2 ** 32 - 1,
        -1,
        -32,
        -33,
        -128,
        -129,
        -32768,
        -32769,
        -(2 ** 31),
      ],
    ],
    [
      "integers of 64 bits",
      [2 ** 32, 2 ** 53, -(2 ** 31) - 1, -(2 ** 53), 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)],
    ],
    ["floats", [1.5, -0.1, 2 ** 54, Number.MAX_VALUE, Infinity, -Infinity, 5e-324]],
    ["text", edges.flatMap((length) => ["x".repeat(length), "é".repeat(length), `${"a".repeat(length)}😀`])],
    ["bytes", edges.map((length) => Buffer.alloc(length, 7))],
    ["arrays", [[], [[]], new Array(15).fill(1), new Array(16).fill(1), new Array(65536).fill(null)]],
    [
      "the rest",
      [
        null,
        true,
        false,
        {},
        { a: { b: [{}] } },
        Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
      ],
    ],
  ])("%s are what msgpackr reads", (_name, values) => {
    for (const value of values as unknown[]) {
      expect(reference.unpack(codec.encode(sendable(value, "x")))).toEqual(value);
    }
  });

  it("takes the shortest head for each", () => {
    const hex = (value: unknown): string => codec.encode(sendable(value, "x")).toString("hex");
    expect([127, 128, 256, 65536, 2 ** 32].map(hex)).toEqual([
      "7f",
      "cc80",
      "cd0100",
      "ce00010000",
      "d30000000100000000",
    ]);
    expect([-32, -33, -129, -32769].map(hex)).toEqual(["e0", "d0df", "d1ff7f", "d2ffff7fff"]);
    expect(hex("a".repeat(32)).slice(0, 4)).toBe("d920");
    expect(hex(Buffer.alloc(1))).toBe("c40100");
  });

  it("leaves what it has written alone, through new slabs and growth", () => {
    const next = random(1);
    const written: { bytes: Buffer; value: unknown }[] = [];
    for (let i = 0; i < 2000; i++) {
      const value = {
        i,
        text: "y".repeat(next(300)),
        big: i % 100 === 0 ? Buffer.alloc(next(60_000), i) : null,
      };
      written.push({ bytes: codec.encode(value), value });
    }
    for (const { bytes, value } of written) expect(reference.unpack(bytes)).toEqual(value);
  });

  it("forgets a payload that was begun and failed", () => {
    const { writer } = codec;
    writer.begin();
    writer.value("half a");
    expect(reference.unpack(codec.encode([1]))).toEqual([1]);
  });
});

describe("open calls", () => {
  const make = () => {
    const ids = new IdSource(Buffer.alloc(16, 0xff), false);
    return { ids, open: new OpenCalls<{ id: string; number: number }>(ids) };
  };

  it("are found, kept in order and taken out like those of a Map, whatever stays open for long", () => {
    const { ids, open } = make();
    const map = new Map<string, { id: string; number: number }>();
    const next = random(7);
    for (let i = 0; i < 60_000; i++) {
      // Short calls, and now and then one that stays while the numbers come round many times.
      if (map.size < 40 || (map.size < 900 && next(3) === 0)) {
        const call = { id: ids.next(), number: -1 };
        open.add(call);
        map.set(call.id, call);
      } else {
        const keys = [...map.keys()];
        const id = keys[next(4) === 0 ? next(keys.length) : keys.length - 1];
        const call = map.get(id)!;
        same(open.get(id), call);
        same(open.delete(call), true);
        same(open.delete(call), false);
        same(open.get(id), undefined);
        map.delete(id);
      }
      same(open.size, map.size);
    }
    expect(open.all()).toEqual([...map.values()]);
    for (const [id, call] of map) expect(open.get(id)).toBe(call);
  });

  it("ids of others are none of them", () => {
    const { ids, open } = make();
    const call = { id: ids.next(), number: -1 };
    open.add(call);
    for (const other of [
      "",
      "b",
      "sabc",
      `s${call.id.slice(1)}`,
      call.id.toUpperCase(),
      `${call.id}0`,
      call.id.replace(/^b./, "bg"),
    ]) {
      expect(open.get(other)).toBeUndefined();
    }
  });
});

describe("deadlines", () => {
  /** Time that passes when it is told to. */
  function simulated() {
    let time = 0;
    const timers = new Set<{ at: number; due: () => void }>();
    const clock: Clock = {
      now: () => time,
      after(milliseconds, due) {
        const timer = { at: time + milliseconds, due };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    };
    const pass = (milliseconds: number): void => {
      for (const end = time + milliseconds; time < end; time++) {
        for (const timer of [...timers]) if (timer.at <= time && timers.delete(timer)) timer.due();
      }
    };
    return { clock, pass, timers };
  }

  it("come in order, once, and not when they were called off", () => {
    const { clock, pass, timers } = simulated();
    const deadlines = new Deadlines(clock);
    const fired: string[] = [];
    const add = (name: string, length: number) => deadlines.after(length, () => fired.push(name));
    add("a", 100);
    pass(10);
    const b = add("b", 100);
    add("c", 30);
    pass(10);
    add("d", 100);
    b.cancel();
    b.cancel();
    pass(25);
    expect(fired).toEqual(["c"]);
    pass(200);
    expect(fired).toEqual(["c", "a", "d"]);
    expect(timers.size).toBe(0);
    add("e", 100);
    pass(102);
    expect(fired.at(-1)).toBe("e");
  });

  it("of many calls with one length are one timer", () => {
    const { clock, pass, timers } = simulated();
    const deadlines = new Deadlines(clock);
    let fired = 0;
    const all = Array.from({ length: 1000 }, () => deadlines.after(50, () => fired++));
    expect(timers.size).toBe(1);
    for (const one of all.slice(10)) one.cancel();
    pass(60);
    expect(fired).toBe(10);
  });

  it("of 100,000 lengths, called off, leave a few timers, and none after the close", () => {
    const { clock, timers } = simulated();
    const deadlines = new Deadlines(clock);
    for (let i = 0; i < 100_000; i++) deadlines.after(30_000 + i / 7, () => {}).cancel();
    expect(timers.size).toBeLessThanOrEqual(64);
    expect(deadlines.lanes).toBe(timers.size);
    const fired: number[] = [];
    for (let i = 0; i < 100; i++) deadlines.after(10 + i, () => fired.push(i));
    deadlines.close();
    expect(timers.size).toBe(0);
    expect(deadlines.lanes).toBe(0);
  });

  it("one of a length that ended in its own time, and began it anew, comes", () => {
    const { clock, pass, timers } = simulated();
    const deadlines = new Deadlines(clock);
    const fired: string[] = [];
    for (let i = 0; i < 100; i++) deadlines.after(1000 + i, () => {});
    deadlines.after(10, () => deadlines.after(10, () => fired.push("anew")));
    pass(15);
    expect(fired).toEqual([]);
    pass(15);
    expect(fired).toEqual(["anew"]);
    pass(2000);
    expect(timers.size).toBe(0);
  });

  it("one that is due may call off and begin others", () => {
    const { clock, pass } = simulated();
    const deadlines = new Deadlines(clock);
    const fired: string[] = [];
    const second = deadlines.after(20, () => {});
    const first = deadlines.after(10, () => {
      second.cancel();
      first.cancel();
      deadlines.after(10, () => fired.push("later"));
    });
    pass(15);
    expect(fired).toEqual([]);
    pass(15);
    expect(fired).toEqual(["later"]);
  });
});
