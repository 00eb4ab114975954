/** The circular buffer under every queue. */
import { describe, expect, it } from "vitest";
import { Fifo } from "../../../src/base/fifo.js";
import { same } from "../../support/same.js";

describe("Fifo", () => {
  it("keeps order across wrap-around and growth", () => {
    const fifo = new Fifo<number>();
    const expected: number[] = [];
    let next = 0;
    for (let round = 0; round < 500; round++) {
      for (let i = 0; i < (round * 7) % 23; i++) {
        fifo.push(next);
        expected.push(next++);
      }
      for (let i = 0; i < (round * 5) % 19; i++) same(fifo.shift(), expected.shift());
      expect(fifo.length).toBe(expected.length);
      expect(fifo.peek()).toBe(expected[0]);
    }
    expect([...fifo]).toEqual(expected);
  });

  it("answers undefined when empty", () => {
    const fifo = new Fifo<number>();
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.peek()).toBeUndefined();
  });

  it("retains what passes, in order", () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 100; i++) fifo.push(i);
    fifo.retain((item) => item % 3 === 0);
    expect([...fifo]).toEqual(Array.from({ length: 34 }, (_, i) => i * 3));
  });

  it("gives memory back after a burst and still works", () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 100_000; i++) fifo.push(i);
    for (let i = 0; i < 100_000; i++) same(fifo.shift(), i);
    fifo.push(7);
    expect(fifo.shift()).toBe(7);
  });
});
