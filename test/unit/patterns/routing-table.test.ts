/** Generated names: unforeseeable, and never one that is in use (C14). */
import { describe, expect, it } from "vitest";
import type { Pipe } from "../../../src/engine/pipe.js";
import { PeerNumbers } from "../../../src/patterns/peer-numbers.js";
import { RoutingTable } from "../../../src/patterns/routing-table.js";

/** A source of randomness that says these. */
function scripted(...numbers: number[]): () => number {
  return () => numbers.shift() as number;
}

const pipe = (routingId: Buffer): Pipe => ({ routingId }) as Pipe;
const name = (number: number): Buffer => Buffer.from([0, 0, 0, 0, number]);

describe("names that are generated", () => {
  it("are random, not counted, so that a peer cannot guess another's (C14)", () => {
    const table = new RoutingTable(scripted(7, 0xfedcba98));
    expect(table.generate(() => false)).toEqual(name(7));
    expect(table.generate(() => false)).toEqual(Buffer.from([0, 0xfe, 0xdc, 0xba, 0x98]));
  });

  it("are never in use: neither announced, nor generated, nor given by connect() to who is not there yet", () => {
    const table = new RoutingTable(scripted(1, 1, 2, 3, 4));
    const first = table.generate(() => false);
    table.add(pipe(first));
    table.add(pipe(name(2))); // announced
    expect(table.generate((id) => id.equals(name(3)))).toEqual(name(4));
  });

  it("are told from announced ones of the same form, until they are free", () => {
    const table = new RoutingTable(scripted(1));
    const generated = pipe(table.generate(() => false));
    table.add(generated);
    table.add(pipe(name(2)));
    expect([table.isGenerated(name(1)), table.isGenerated(name(2))]).toEqual([true, false]);
    table.remove(generated);
    expect(table.isGenerated(name(1))).toBe(false);
  });

  it("numbers of Server and Peer are random, too, never zero and never in use (N3)", () => {
    const numbers = new PeerNumbers(scripted(5, 5, 0, 0xffffffff));
    expect(numbers.add({} as Pipe)).toBe(5);
    expect(numbers.add({} as Pipe)).toBe(0xffffffff);
  });
});
