/** Batches whose messages have a part in front that not every peer gets. */
import { describe, expect, it } from "vitest";
import { Batch } from "../../../src/engine/outgoing/batch.js";
import { message } from "../../support/raw-peer.js";

const FRONTS = [Buffer.alloc(0), Buffer.alloc(55, "t"), Buffer.alloc(568, "s")];
const BODIES = [
  [""],
  ["a", ""],
  [Buffer.alloc(300, 1)],
  ["head", Buffer.alloc(20_000, 2), "tail"],
  [Buffer.alloc(70_000, 3)],
];
const bytesOf = (batch: Batch): Buffer => Buffer.concat(batch.seal());
const parts = (given: ReadonlyArray<string | Buffer>): Buffer[] => given.map((part) => Buffer.from(part));

/** A batch of many messages, and its bytes with what is in front, without it, and with nothing in it. */
function filled() {
  const batch = new Batch();
  const [full, bare, empty]: [Buffer[], Buffer[], Buffer[]] = [[], [], []];
  for (let i = 0; i < 60; i++) {
    const front = FRONTS[i % FRONTS.length];
    const body = parts(BODIES[i % BODIES.length]);
    batch.append([front, ...body]);
    full.push(message(front, ...body));
    bare.push(message(...body));
    empty.push(message("", ...body));
  }
  return { batch, full: Buffer.concat(full), bare, empty };
}

describe("Batch.refront", () => {
  it("leaves a batch as it is for a peer that gets the part", () => {
    const { batch, full } = filled();
    batch.refront(true);
    expect(bytesOf(batch).equals(full)).toBe(true);
  });

  it("takes the part off, puts an empty one there, and takes that off", () => {
    const { batch, bare, empty } = filled();
    for (const [wanted, all] of [
      [false, bare],
      [false, bare],
      [true, empty],
      [false, bare],
    ] as const) {
      batch.refront(wanted);
      const expected = Buffer.concat(all);
      expect(bytesOf(batch).equals(expected)).toBe(true);
      expect([batch.bytes, batch.messages, batch.intact]).toEqual([expected.length, 60, true]);
    }
  });

  it("keeps the form of what a broken write has left", () => {
    const { batch, bare, empty } = filled();
    batch.refront(false);
    const taken = Buffer.concat(bare.slice(0, 20)).length + 1;
    batch.dropTaken(batch.bytes - taken);
    expect(bytesOf(batch).equals(Buffer.concat(bare.slice(20)))).toBe(true);
    batch.refront(true);
    expect(bytesOf(batch).equals(Buffer.concat(empty.slice(20)))).toBe(true);
  });

  it("begins anew when it is used again", () => {
    const { batch } = filled();
    batch.refront(false);
    batch.release();
    batch.append([Buffer.from("front"), Buffer.from("body")]);
    batch.refront(false);
    expect(bytesOf(batch).equals(message("body"))).toBe(true);
  });

  it("leaves a batch alone whose memory is gone: it is not written", () => {
    const batch = new Batch();
    const body = Buffer.from(new ArrayBuffer(70_000));
    batch.append([Buffer.from("front"), body]);
    const { bytes } = batch;
    structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
    batch.refront(false);
    expect([batch.intact, batch.bytes]).toEqual([false, bytes]);
  });
});
