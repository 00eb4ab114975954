/** Section A as far as the 64 bytes go: ours to the byte, and a peer's however they are cut. */
import { describe, expect, it } from "vitest";
import { encodeGreeting, GREETING_SIZE, GreetingParser } from "../../../src/wire/zmtp/greeting.js";
import { ProtocolError } from "../../../src/wire/zmtp/protocol-error.js";
import { everyWay, TRAILING, titled } from "../../vectors/every-way.js";
import { BAD_GREETINGS, GOOD_GREETINGS, OUR_GREETING } from "../../vectors/greeting.js";
import { octets } from "../../vectors/octets.js";

/** The greeting, and the bytes that were not taken; or the error, and how many bytes had been handed over. */
function parse(chunks: Buffer[]) {
  const parser = new GreetingParser();
  let handedOver = 0;
  for (const [index, chunk] of chunks.entries()) {
    handedOver += chunk.length;
    try {
      const { greeting, consumed } = parser.push(chunk);
      if (greeting === undefined) {
        expect(consumed).toBe(chunk.length);
        continue;
      }
      const rest = Buffer.concat([chunk.subarray(consumed), ...chunks.slice(index + 1)]);
      return { greeting, rest: rest.toString("hex") };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { error, handedOver };
    }
  }
  return { handedOver };
}

describe("our greeting", () => {
  it("it is 64 octets: signature, version 3.1, mechanism, as-server, filler of zeros (A6)", () => {
    expect(encodeGreeting("NULL", false)).toEqual(OUR_GREETING);
    expect(OUR_GREETING).toHaveLength(GREETING_SIZE);
  });

  it("as-server is octet 33, and the mechanism may fill its 20 octets (A6)", () => {
    const octets = encodeGreeting("ABCDEFGHIJKLMNOPQRST", true);
    expect(octets.toString("latin1", 12, 32)).toBe("ABCDEFGHIJKLMNOPQRST");
    expect([...octets.subarray(32)]).toEqual([1, ...Array(31).fill(0)]);
  });

  it("a mechanism of 21 octets is our own mistake", () => {
    expect(() => encodeGreeting("ABCDEFGHIJKLMNOPQRSTU", false)).toThrow(RangeError);
  });
});

describe("a peer's greeting", () => {
  it.each(titled(GOOD_GREETINGS))("%s", (_, { octets, greeting }) => {
    for (const { how, chunks } of everyWay(octets)) {
      expect(parse(chunks), how).toEqual({ greeting, rest: "" });
    }
    for (const { how, chunks } of everyWay(Buffer.concat([octets, TRAILING]))) {
      expect(parse(chunks), `trailing, ${how}`).toEqual({ greeting, rest: TRAILING.toString("hex") });
    }
  });

  it.each(titled(BAD_GREETINGS))("%s", (_, { octets, code, rule, after }) => {
    for (const { how, chunks } of [...everyWay(octets), ...everyWay(Buffer.concat([octets, TRAILING]))]) {
      const { error, handedOver = 0 } = parse(chunks);
      expect(error, how).toMatchObject({ code, octets: after, kind: "protocol" });
      expect(error?.rule.split(", "), how).toEqual([rule, "A22"]);
      // No chunk is awaited that the verdict does not need.
      const needed = chunks.findIndex((_, i) => Buffer.concat(chunks.slice(0, i + 1)).length >= after);
      expect(handedOver, how).toBe(Buffer.concat(chunks.slice(0, needed + 1)).length);
    }
  });

  it("of a peer of ZMTP 2.0 it is signature and revision, and what follows is left alone (A10)", () => {
    for (const { how, chunks } of everyWay(octets("ff 0000000000000001 7f 01 05 00 00"))) {
      const parser = new GreetingParser();
      let consumed = 0;
      for (const chunk of chunks) {
        if (parser.revision === undefined) consumed += parser.push(chunk).consumed;
      }
      expect([parser.revision, consumed], how).toEqual([1, 11]);
    }
  });

  it("no verdict comes too early (A12, A13)", () => {
    expect(parse([OUR_GREETING.subarray(0, 63)])).toEqual({ handedOver: 63 });
    for (const { octets, after } of BAD_GREETINGS) {
      expect(parse([octets.subarray(0, after - 1)])).toEqual({ handedOver: after - 1 });
    }
  });
});
