import { describe, expect, it } from "vitest";
import { FrameRun } from "../../../src/engine/incoming/frame-run.js";
import { PART_COST } from "../../../src/engine/message-size.js";

const MORE = 1;

/** A run of messages of text parts. */
function runOf(messages: readonly (readonly string[])[]): FrameRun {
  const parts = messages.flat();
  const table: number[] = [9, 9, 9]; // a frame that is not in the run
  let offset = 0;
  for (const message of messages) {
    for (const [at, part] of message.entries()) {
      table.push(offset, part.length, at < message.length - 1 ? MORE : 0);
      offset += part.length;
    }
  }
  return new FrameRun(
    Buffer.from(parts.join("")),
    Uint32Array.from(table),
    1,
    1 + parts.length,
    messages.length,
  );
}

function take(run: FrameRun): string[][] {
  const messages: string[][] = [];
  while (run.length > 0) messages.push(run.shift().map((part) => part.toString()));
  return messages;
}

describe("run of frames", () => {
  const messages = [["a"], ["b1", "b2"], [""], ["c1", "", "c3"], ["d1", "d2", "d3", "d4", "d5", "d6"]];

  it("gives its messages in order, and counts what is left", () => {
    const run = runOf(messages);
    const cost = 1 + 4 + 4 + 12 + 13 * PART_COST;
    expect([run.length, run.cost]).toEqual([5, cost]);
    expect(run.shift().map(String)).toEqual(["a"]);
    expect([run.length, run.cost]).toEqual([4, cost]); // the memory is held until the last is taken
    expect(take(run)).toEqual(messages.slice(1));
    expect([run.length, run.cost]).toEqual([0, cost]);
  });

  it("keeps the messages whose first part is wanted, whole, and drops the others, whole (J11)", () => {
    const wanted = ["b", "d"];
    const run = runOf(messages);
    run.retain((octets, at, length) => length > 0 && wanted.includes(String.fromCharCode(octets[at])));
    expect(run.length).toBe(2);
    expect(run.cost).toBe(4 + 4 + 12 + 8 * PART_COST); // with what lies between them
    expect(take(run)).toEqual([messages[1], messages[4]]);
    const none = runOf(messages);
    none.retain(() => false);
    expect([none.length, none.cost]).toEqual([0, 0]);
  });
});
