/** Connection metadata: properties to bytes and back, and every way in which they may be malformed. */
import { describe, expect, it } from "vitest";
import { encodeMetadata, getProperty, parseMetadata } from "../../../src/wire/zmtp/metadata.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import { titled } from "../../vectors/every-way.js";
import { BAD_METADATA, GOOD_METADATA } from "../../vectors/metadata.js";

function refusal(body: Buffer): ProtocolError {
  try {
    parseMetadata(body);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error(`accepted: ${body.toString("hex")}`);
}

function property(name: string, value: string): Buffer {
  return encodeMetadata([[name, Buffer.from(value)]]);
}

describe("metadata", () => {
  it.each(titled(GOOD_METADATA))("%s", (_, { octets, properties }) => {
    expect([...parseMetadata(octets)]).toEqual(properties);
    expect(encodeMetadata(properties)).toEqual(octets);
  });

  it.each(titled(BAD_METADATA))("%s is refused", (_, { octets, rule }) => {
    expect(refusal(octets)).toMatchObject({ code: "invalid-metadata", rule, zmqCode: 0x10000018 });
  });

  it.each(titled(GOOD_METADATA))(
    "no prefix of it is taken for more than it is: %s (C18)",
    (_, { octets, properties }) => {
      // Where a property ends, the prefix is good and holds the properties so far.
      const ends = new Map([[0, 0]]);
      properties.forEach((_, i) => {
        ends.set(encodeMetadata(properties.slice(0, i + 1)).length, i + 1);
      });
      for (let length = 0; length <= octets.length; length++) {
        const prefix = octets.subarray(0, length);
        const whole = ends.get(length);
        if (whole === undefined) expect(refusal(prefix).code).toBe("invalid-metadata");
        else expect([...parseMetadata(prefix)]).toEqual(properties.slice(0, whole));
      }
    },
  );

  it("values do not share memory with the chunk that they came in (C15)", () => {
    const body = property("X-a", "value");
    const found = parseMetadata(body);
    body.fill(0);
    expect(found.get("X-a")).toEqual(Buffer.from("value"));
  });

  it("a value announced with 2 GiB takes no memory (C20)", () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i++) refusal(Buffer.from("01617fffffff62", "hex"));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  it("property names compare case-insensitively, an exact one first (C5)", () => {
    const found = parseMetadata(
      Buffer.concat([property("identity", "lower"), property("Identity", "exact"), property("X-A", "a")]),
    );
    expect(getProperty(found, "Identity")).toEqual(Buffer.from("exact"));
    expect(getProperty(found, "IDENTITY")).toEqual(Buffer.from("lower"));
    expect(getProperty(found, "x-a")).toEqual(Buffer.from("a"));
    expect(getProperty(found, "x-")).toBeUndefined();
  });

  it("64 properties are accepted and 65 refused, repeated names included", () => {
    const distinct = (count: number) =>
      Buffer.concat(Array.from({ length: count }, (_, i) => property(`X-${i}`, "v")));
    const repeated = (count: number) => Buffer.concat(Array(count).fill(property("X-a", "v")));
    expect(parseMetadata(distinct(64)).size).toBe(64);
    expect(parseMetadata(repeated(64)).size).toBe(1);
    expect(refusal(distinct(65)).octets).toBe(distinct(65).length);
    expect(refusal(repeated(65)).code).toBe("invalid-metadata");
  });

  it.each(["", "n".repeat(256), "with space", "X-\0", "X-\u20ac", "a:b"])(
    "%j is no property name and is not encoded (C17)",
    (name) => {
      expect(() => property(name, "v")).toThrow(RangeError);
    },
  );
});
