/** Commands: frames that we make to the byte, and bodies as they may come. */
import { describe, expect, it } from "vitest";
import { encodeCommand, encodePing, parseCommand, parsePing } from "../../../src/wire/zmtp/command.js";
import { COMMAND_BODIES, ENCODED_FRAMES, PING_DATA } from "../../vectors/command.js";
import { titled } from "../../vectors/every-way.js";

describe("frames that we send", () => {
  it.each(titled(ENCODED_FRAMES))("%s", (_, { encode, octets }) => {
    expect(encode().toString("hex")).toBe(octets.toString("hex"));
  });

  it("MORE is never set (E6)", () => {
    for (const { encode } of ENCODED_FRAMES) expect(encode()[0] & 1).toBe(0);
  });

  it("a context above 16 octets and a TTL above 16 bits are our own mistakes (F6)", () => {
    expect(() => encodePing(0, Buffer.alloc(17))).toThrow(RangeError);
    expect(() => encodePing(65536, Buffer.alloc(0))).toThrow(RangeError);
  });
});

describe("command bodies", () => {
  it.each(titled(COMMAND_BODIES))("%s", (_, { octets, name, data }) => {
    expect(parseCommand(octets)).toEqual(name === undefined ? undefined : { name, data });
  });

  it("nothing outside the body is read (E12)", () => {
    // A body in the middle of a chunk, whose neighbours would complete the name and the TTL.
    const chunk = Buffer.from("xx\x05READYzz", "latin1");
    expect(parseCommand(chunk.subarray(2, 7))).toBeUndefined();
    expect(parseCommand(new Uint8Array(chunk.buffer, chunk.byteOffset + 2, 6))).toEqual({
      name: "READY",
      data: Buffer.alloc(0),
    });
  });

  it("what is encoded is parsed again, for every length of name (E13)", () => {
    for (let length = 1; length <= 255; length++) {
      const name = "N".repeat(length);
      const frame = encodeCommand(name, Buffer.from("data"));
      const body = frame.subarray((frame[0] & 2) === 0 ? 2 : 9);
      expect(parseCommand(body)).toEqual({ name, data: Buffer.from("data") });
    }
  });
});

describe("PING as received", () => {
  it.each(titled(PING_DATA))("%s", (_, { octets, ttlMs, context }) => {
    expect(parsePing(octets)).toEqual(ttlMs === undefined ? undefined : { ttlMs, context });
  });

  it("a TTL is not read past the frame (F8)", () => {
    const chunk = Buffer.from([0x00, 0x32, 0x33]);
    expect(parsePing(chunk.subarray(0, 1))).toBeUndefined();
  });
});
