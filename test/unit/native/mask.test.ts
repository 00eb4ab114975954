/** The addon masks WebSocket frames as JavaScript does, wherever the bytes lie, and touches nothing beside them. */
import { afterEach, expect, it } from "vitest";
import { addon } from "../../../src/transport/native/addon.js";
import { applyMask, maskAt, maskBy } from "../../../src/transport/ws/frame.js";

afterEach(() => maskBy(undefined));

/** Bytes of every value, masked. */
function masked(length: number, offset: number, phase: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: length + 20 }, (_, at) => (at * 7) & 255));
  applyMask(bytes, offset, offset + length, maskAt(Buffer.from([0x9a, 0x01, 0xf7, 0xc2]), 0), phase);
  return bytes;
}

it("masks as JavaScript does", () => {
  const native = addon()!.mask;
  let calls = 0;
  for (const length of [2048, 2049, 2055, 4096, 65_537]) {
    for (let offset = 0; offset < 9; offset++) {
      for (let phase = 0; phase < 5; phase++) {
        maskBy(undefined);
        const expected = masked(length, offset, phase);
        maskBy((...values) => {
          calls++;
          native(...values);
        });
        expect(
          masked(length, offset, phase).equals(expected),
          `${length} from ${offset}, after ${phase}`,
        ).toBe(true);
      }
    }
  }
  expect(calls).toBe(5 * 9 * 5);
});

it("refuses what lies outside of the bytes", () => {
  const bytes = Buffer.alloc(16);
  const mask = addon()!.mask as (...values: unknown[]) => void;
  for (const [from, to] of [
    [0, 17],
    [9, 8],
    [20, 24],
    ["x", 2],
  ])
    expect(() => mask(bytes, from, to, 0xffffffff)).toThrow(RangeError);
  expect(() => mask({}, 0, 4, 1)).toThrow(RangeError);
  expect(() => mask(bytes)).toThrow(RangeError);
  expect(bytes.equals(Buffer.alloc(16))).toBe(true);
  mask(bytes, 4, 9, 0x80ffffff);
  expect(bytes.toString("hex")).toBe("00000000ffffff80ff00000000000000");
});
