/** Frames out of bytes during the handshake, several in a row as mechanisms with more steps than NULL need it. */
import { describe, expect, it } from "vitest";
import { FrameReader } from "../../../src/wire/zmtp/frame-reader.js";
import { everyWay, TRAILING } from "../../vectors/every-way.js";
import { frame, longFrame } from "../../vectors/frames.js";
import { octets, text } from "../../vectors/octets.js";

const LIMIT = 1000;

/** Bodies of the frames, in hexadecimal. */
function read(chunks: Buffer[]): string[] {
  const reader = new FrameReader(LIMIT);
  const bodies: string[] = [];
  for (const chunk of chunks) {
    for (let rest: Uint8Array = chunk; rest.length > 0; ) {
      const next = reader.push(rest);
      if (next.body !== undefined) bodies.push(next.body.toString("hex"));
      else expect(next.rest).toHaveLength(0);
      rest = next.rest;
    }
  }
  return bodies;
}

describe("frames in a row", () => {
  const bodies = [
    text("HELLO"),
    Buffer.alloc(0),
    Buffer.alloc(255, 1),
    Buffer.alloc(256, 2),
    Buffer.alloc(LIMIT, 3),
    text("x"),
  ];

  it("short, long, and empty ones come out whole however they are cut (E2, E3, E8, E11)", () => {
    const frames = bodies.flatMap((body) => [frame(4, body), longFrame(4, body)]);
    const expected = bodies.flatMap((body) => [body.toString("hex"), body.toString("hex")]);
    for (const { how, chunks } of everyWay(octets(...frames))) expect(read(chunks), how).toEqual(expected);
  });

  it("of the flags only LONG counts (E5, E6, C23)", () => {
    for (let flags = 0; flags < 256; flags++) {
      const sized = (flags & 2) === 0 ? frame(flags, "abcd") : longFrame(flags, octets("abcd"));
      expect(read([octets(sized, frame(4, "ef"))]), `flags ${flags}`).toEqual(["abcd", "ef"]);
    }
  });

  it("nothing is taken from behind a frame (C24)", () => {
    const reader = new FrameReader(LIMIT);
    const { body, rest } = reader.push(octets(frame(4, "abcd"), TRAILING));
    expect(body).toEqual(octets("abcd"));
    expect(rest).toEqual(TRAILING);
  });

  it("a later frame above the limit is refused too (E15)", () => {
    expect(() => read([octets(frame(4, "abcd"), longFrame(4, Buffer.alloc(LIMIT + 1)))])).toThrow(
      "1001 bytes",
    );
  });
});
