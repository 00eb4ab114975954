import { describe, expect, it } from "vitest";
import { Assembler } from "../../../src/engine/incoming/assembler.js";
import type { FrameRun } from "../../../src/engine/incoming/frame-run.js";
import { PART_COST } from "../../../src/engine/message-size.js";
import { randomFrom } from "../../support/random.js";

const MORE = 1;
const COMMAND = 4;

type Frame = readonly [flags: number, body: string];

/** What an assembler says of chunks of frames, runs taken apart; how many messages came in runs. */
function assemble(chunks: readonly (readonly Frame[])[]): {
  said: string[];
  inRuns: number;
  long: number;
  open: number;
} {
  const said: string[] = [];
  let inRuns = 0;
  let long = 0;
  const show = (parts: readonly Buffer[]): string => parts.map((part) => part.toString()).join("|");
  const assembler = new Assembler({ command: (body) => said.push(`command ${body}`) });
  assembler.sink = {
    deliver: (parts) => said.push(show(parts)),
    deliverRun: (run: FrameRun) => {
      inRuns += run.length;
      for (let left = run.length; left > 0; left--) {
        expect(run.length).toBe(left);
        said.push(show(run.shift()));
      }
    },
    deliverLong: (message) => {
      long++;
      expect(message.length).toBe(1);
      said.push(show(message.shift()));
    },
  };
  for (const frames of chunks) {
    const chunk = Buffer.from(`pad${frames.map(([, body]) => body).join("")}`);
    const table = new Uint32Array(frames.length * 3);
    let offset = 3;
    for (const [at, [flags, body]] of frames.entries()) {
      table.set([offset, body.length, flags], at * 3);
      offset += body.length;
    }
    assembler.frames(chunk, table, frames.length);
    table.fill(0xffffffff); // valid only during the call
  }
  return { said, inRuns, long, open: assembler.openCost };
}

/** The same, the plain way. */
function expected(chunks: readonly (readonly Frame[])[]): string[] {
  const said: string[] = [];
  let parts: string[] = [];
  for (const [flags, body] of chunks.flat()) {
    if ((flags & COMMAND) !== 0) said.push(`command ${body}`);
    else parts.push(body);
    if ((flags & (MORE | COMMAND)) === 0) {
      said.push(parts.join("|"));
      parts = [];
    }
  }
  return said;
}

describe("assembler", () => {
  it("many small messages of a chunk come as one run (E7)", () => {
    const frames = Array.from({ length: 100 }, (_, i): Frame => [0, `m${i}`]);
    const { said, inRuns } = assemble([frames]);
    expect(said).toEqual(expected([frames]));
    expect(inRuns).toBe(100);
  });

  it("a command between two parts leaves the message whole, and order is kept around it (E7)", () => {
    const frames: Frame[] = [
      ...Array.from({ length: 5 }, (_, i): Frame => [0, `a${i}`]),
      [MORE, "first"],
      [COMMAND, "PING"],
      [0, "second"],
      ...Array.from({ length: 5 }, (_, i): Frame => [0, `b${i}`]),
    ];
    const { said, inRuns } = assemble([frames]);
    expect(said).toEqual(expected([frames]));
    expect(inRuns).toBe(10);
  });

  it("a message of many parts is the same however its frames lie in chunks (E7)", () => {
    for (const parts of [1, 2, 3, 4, 5, 40]) {
      const message = Array.from({ length: parts }, (_, i): Frame => [i < parts - 1 ? MORE : 0, `p${i}`]);
      const all = [0, 1, 2, 3, 4, 5].flatMap(() => message);
      for (let cut = 0; cut <= all.length; cut++) {
        const chunks = [all.slice(0, cut), all.slice(cut)];
        expect(assemble(chunks).said).toEqual(expected(chunks));
      }
    }
  });

  it("parts whose end has not come count, each with what it will cost, and no more once it has come", () => {
    const part: Frame = [MORE, "12345"];
    expect(assemble([[part]]).open).toBe(5 + PART_COST);
    expect(
      assemble([
        [part, part],
        [[COMMAND, "PING"], part],
      ]).open,
    ).toBe(3 * (5 + PART_COST));
    expect(assemble([[part, part], [[0, ""]]])).toMatchObject({ said: ["12345|12345|"], open: 0 });
  });

  it("a message of very many parts is handed on as it came, its parts of any size in order", () => {
    const message = Array.from(
      { length: 3000 },
      (_, i): Frame => [MORE, "x".repeat([0, 1, 253, 254, 255, 5000][i % 6]) + i],
    );
    const chunks = [message.slice(0, 1), message.slice(1, 2000), message.slice(2000), [[0, "end"] as Frame]];
    const { said, long } = assemble(chunks);
    expect(long).toBe(1);
    expect(said).toEqual(expected(chunks));
  });

  it.each([1, 2, 3, 4, 5])("agrees with the plain way on any frames in any chunks (seed %i)", (seed) => {
    const random = randomFrom(seed);
    for (let round = 0; round < 300; round++) {
      const chunks = Array.from({ length: 1 + random(4) }, () =>
        Array.from({ length: random(20) }, (): Frame => {
          const kind = random(10);
          return [kind === 0 ? COMMAND : kind < 4 ? MORE : 0, "x".repeat(random(4)) + random(100)];
        }),
      );
      expect(assemble(chunks).said).toEqual(expected(chunks));
    }
  });
});
