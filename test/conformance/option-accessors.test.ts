/**
 * Options by libzmq's number: what the accessors take and refuse, on sockets and on contexts.
 */
import { describe, expect, it, vi } from "vitest";
import * as zwire from "../../src/index.js";
import { ACCESSORS, create, einval, enotsup, get, SAMPLES, set } from "../support/option-accessors.js";

describe("arguments of the accessors", () => {
  const socket = () => create("PUSH");

  it.each(ACCESSORS)("an identifier that is no number is a TypeError: %s", (accessor) => {
    for (const id of ["17", null, undefined, {}]) {
      expect(() => get(socket(), accessor, id as number)).toThrow(TypeError);
      expect(() => set(socket(), accessor, id as number, SAMPLES[accessor])).toThrow(TypeError);
    }
  });

  it.each(ACCESSORS)("a number that nothing has is EINVAL: %s (U2)", (accessor) => {
    for (const id of [0, -1, 1, 2, 3, 10, 20, 26, 83, 96, 97, 101, 9999, 1.5, Number.NaN]) {
      expect(() => get(socket(), accessor, id)).toThrow(einval);
      expect(() => set(socket(), accessor, id, SAMPLES[accessor])).toThrow(einval);
    }
  });

  it("a value of another type is a TypeError", () => {
    const push = socket();
    for (const value of [1, "true", null]) expect(() => set(push, "Bool", 39, value)).toThrow(TypeError);
    for (const value of ["1", true, null, 1n]) {
      for (const accessor of ["Int32", "Uint32"] as const)
        expect(() => set(push, accessor, 17, value)).toThrow(TypeError);
      for (const accessor of ["Int64", "Uint64"] as const)
        expect(() => set(push, accessor, 22, value)).toThrow(TypeError);
    }
    for (const value of [1, true, undefined, []])
      expect(() => set(push, "String", 92, value)).toThrow(TypeError);
    expect([push.immediate, push.linger, push.maxMessageSize, push.interface]).toEqual([
      false,
      30000,
      -1,
      null,
    ]);
  });

  it("octets serve where text does, and null unsets", () => {
    const dealer = create("DEALER");
    dealer.setStringOption(5, Buffer.from([1, 255]));
    expect(dealer.routingId).toEqual(Buffer.from([1, 255]));
    dealer.setStringOption(5, null);
    expect(dealer.getStringOption(5)).toBeNull();
  });

  it("a number without sign reads a negative one as libzmq does", () => {
    const push = socket();
    expect([push.getUint32Option(34), push.getUint64Option(22)]).toEqual([2 ** 32 - 1, 2 ** 64]);
    push.setUint32Option(17, 2 ** 32 - 1);
    expect(push.linger).toBe(-1);
  });

  it("switches that libzmq reads as a number take any that is not negative (U2)", () => {
    const router = create("ROUTER");
    for (const [id, name] of [
      [33, "mandatory"],
      [56, "handover"],
      [51, "probeRouter"],
    ] as const) {
      router.setInt32Option(id, 2);
      expect(router[name]).toBe(true);
      router.setInt32Option(id, 0);
      expect(router[name]).toBe(false);
      expect(() => router.setInt32Option(id, -1)).toThrow(einval);
    }
    for (const id of [39, 42]) expect(() => router.setInt32Option(id, 2)).toThrow(einval);
  });

  it("warns as the property does after bind", async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const push = socket();
      await push.bind("inproc://option-numbers");
      push.setInt32Option(17, 5);
      push.setInt32Option(23, 5);
      expect(warnings).not.toHaveBeenCalled();
      push.setInt32Option(18, 5);
      expect(warnings.mock.calls).toEqual([["Socket option will not take effect until next connect/bind."]]);
    } finally {
      warnings.mockRestore();
    }
  });
});

describe("contexts by number", () => {
  const rows = [
    [1, "ioThreads", "Int32", 1, 1, -1],
    [2, "maxSockets", "Int32", 1023, 10, 0],
    [5, "maxMessageSize", "Int32", 2 ** 31 - 1, 10, -1],
    [42, "ipv6", "Bool", false, true, 2],
    [70, "blocky", "Bool", true, false, 2],
  ] as const;

  it.each(rows)("%i %s", (id, name, accessor, initial, good, bad) => {
    const context = new zwire.Context();
    expect(get(context, accessor, id)).toBe(initial);
    set(context, accessor, id, good);
    expect(context[name]).toBe(good);
    expect(() => context.setInt32Option(id, bad)).toThrow(einval);
    for (const other of ["Int64", "Uint64", "String"] as const) {
      expect(() => get(context, other, id)).toThrow(einval);
      expect(() => set(context, other, id, SAMPLES[other])).toThrow(einval);
    }
    expect(context[name]).toBe(good);
  });

  it("3 reads the largest number of sockets; 3 and 4, thread options, and 1 take only their defaults", () => {
    const context = new zwire.Context();
    expect(context.getInt32Option(3)).toBe(65535);
    expect(() => context.getInt32Option(4)).toThrow(einval);
    for (const id of [3, 4]) {
      context.setInt32Option(id, -1);
      expect(() => context.setInt32Option(id, 1)).toThrow(enotsup);
    }
    expect(() => context.setInt32Option(1, 2)).toThrow(enotsup);
    for (const id of [0, 6, 17, 9999]) expect(() => context.getInt32Option(id)).toThrow(einval);
  });
});
