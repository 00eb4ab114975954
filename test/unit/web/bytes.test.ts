/** A page's bytes do what Node's Buffer does: every method with random values, and none that the page's file uses is missing. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Bytes } from "../../../src/web/bytes.js";
import { randomFrom } from "../../support/random.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../../..");
const RUNS = 300;
const TEXTS = [
  "",
  "plain",
  "Grüße",
  "🙂 of four bytes",
  "\ufeffmark",
  "\ud800 alone",
  "\0",
  "水".repeat(50),
  "é\u0301",
];

/** The same random bytes as both. */
function both(random: (below: number) => number, length = random(300)): [Bytes, Buffer] {
  const numbers = Array.from({ length }, () => random(256));
  return [Bytes.from(numbers), Buffer.from(numbers)];
}

/** The bytes, whatever class has them. */
const plain = (bytes: Uint8Array) => [...bytes];

describe("bytes of a page against Buffer", () => {
  it("make the same of text, arrays, bytes and ArrayBuffers", () => {
    for (const text of TEXTS) {
      expect(plain(Bytes.from(text))).toEqual(plain(Buffer.from(text)));
      expect(plain(Bytes.from(text, "latin1"))).toEqual(plain(Buffer.from(text, "latin1")));
      expect(Bytes.byteLength(text)).toBe(Buffer.byteLength(text));
    }
    expect(plain(Bytes.from("00ff7f", "hex"))).toEqual([0, 255, 127]);
    expect(plain(Bytes.from([1, 256, -1, 2.9]))).toEqual(plain(Buffer.from([1, 256, -1, 2.9])));
    const source = Uint8Array.of(1, 2, 3);
    const copy = Bytes.from(source);
    const view = Bytes.from(source.buffer, 1, 2);
    source[1] = 9;
    expect([plain(copy), plain(view)]).toEqual([
      [1, 2, 3],
      [9, 3],
    ]);
    expect(plain(Bytes.from(source.buffer))).toEqual([1, 9, 3]);
    expect([copy instanceof Uint8Array, Bytes.isBuffer(copy), Bytes.isBuffer(source)]).toEqual([
      true,
      true,
      false,
    ]);
    for (const make of [Bytes.alloc, Bytes.allocUnsafe, Bytes.allocUnsafeSlow])
      expect(make(7)).toHaveLength(7);
    expect(plain(Bytes.alloc(3))).toEqual([0, 0, 0]);
  });

  it("read as the same text, whole and in part", () => {
    const random = randomFrom(1);
    for (let i = 0; i < RUNS; i++) {
      const [ours, theirs] = both(random);
      const start = random(theirs.length + 1);
      const end = start + random(theirs.length - start + 1);
      for (const encoding of ["utf8", "latin1", "hex"] as const) {
        expect(ours.toString(encoding)).toBe(theirs.toString(encoding));
        expect(ours.toString(encoding, start, end)).toBe(theirs.toString(encoding, start, end));
      }
      expect(String(ours)).toBe(String(theirs));
    }
    for (const text of TEXTS) expect(String(Bytes.from(text))).toBe(String(Buffer.from(text)));
    const long = both(random, 50_000);
    expect(long[0].toString("latin1")).toBe(long[1].toString("latin1"));
  });

  it("are compared, joined and copied in the same way", () => {
    const random = randomFrom(2);
    for (let i = 0; i < RUNS; i++) {
      const [[a, na], [b, nb]] = [both(random, random(4)), both(random, random(4))];
      expect(Math.sign(a.compare(b))).toBe(na.compare(nb));
      expect(a.equals(b)).toBe(na.equals(nb));
      expect(a.equals(Bytes.from(a))).toBe(true);
      expect(plain(Bytes.concat([a, b, a]))).toEqual(plain(Buffer.concat([na, nb, na])));
      const [from, nfrom] = both(random, 20);
      const [to, nto] = both(random, 10);
      const [at, start] = [random(10), random(20)];
      const end = start + random(20 - start + 1);
      expect(from.copy(to, at, start, end)).toBe(nfrom.copy(nto, at, start, end));
      expect(plain(to)).toEqual(plain(nto));
      expect(from.copy(to)).toBe(nfrom.copy(nto));
      expect(plain(to)).toEqual(plain(nto));
    }
    expect(plain(Bytes.concat([]))).toEqual([]);
  });

  it("take text where there is room, and no part of a letter", () => {
    for (const text of TEXTS) {
      for (const [room, at] of [
        [200, 3],
        [5, 1],
        [4, 0],
        [3, 0],
      ]) {
        for (const encoding of ["utf8", "latin1"] as const) {
          const [ours, theirs] = [Bytes.alloc(room), Buffer.alloc(room)];
          expect(ours.write(text, at, encoding)).toBe(theirs.write(text, at, encoding));
          expect(plain(ours)).toEqual(plain(theirs));
        }
      }
    }
  });

  it("read and write the same numbers, in a part of other memory, too", () => {
    const random = randomFrom(3);
    for (let i = 0; i < RUNS; i++) {
      const [whole, nwhole] = both(random, 40);
      const from = random(20);
      const [ours, theirs] = [whole.subarray(from) as Bytes, nwhole.subarray(from)];
      expect(ours).toBeInstanceOf(Bytes);
      const at = random(12);
      const length = 1 + random(6);
      expect(ours.readUInt16BE(at)).toBe(theirs.readUInt16BE(at));
      expect(ours.readUInt32BE(at)).toBe(theirs.readUInt32BE(at));
      expect(ours.readUInt32LE(at)).toBe(theirs.readUInt32LE(at));
      expect(ours.readBigUInt64BE(at)).toBe(theirs.readBigUInt64BE(at));
      expect(ours.readBigInt64BE(at)).toBe(theirs.readBigInt64BE(at));
      expect(ours.readUIntBE(at, length)).toBe(theirs.readUIntBE(at, length));
      const [small, large] = [random(2 ** 16), random(2 ** 32)];
      const sized = random(2 ** 8) * 2 ** (8 * (length - 1));
      const big = (BigInt(large) << 32n) + BigInt(random(2 ** 32));
      for (const bytes of [ours, theirs]) {
        expect(bytes.writeUInt16BE(small, at)).toBe(at + 2);
        expect(bytes.writeUInt32BE(large, at + 2)).toBe(at + 6);
        expect(bytes.writeUInt32LE(large, at + 6)).toBe(at + 10);
        expect(bytes.writeUIntBE(sized, 0, length)).toBe(length);
      }
      expect(plain(whole)).toEqual(plain(nwhole));
      for (const bytes of [ours, theirs]) expect(bytes.writeBigUInt64BE(big, at)).toBe(at + 8);
      expect(plain(whole)).toEqual(plain(nwhole));
    }
    expect(() => Bytes.alloc(3).readUInt32BE(0)).toThrow(RangeError);
  });

  it("have every method of Buffer that the files for pages call", () => {
    const text = ["web.js", "web-curve.js"]
      .map((name) => readFileSync(join(ROOT, "dist", name), "utf8"))
      .join("\n");
    const names = Object.getOwnPropertyNames(Buffer.prototype).filter((name) => !(name in Bytes.prototype));
    expect(names).toContain("readUInt8"); // one that Bytes does not have
    expect(names.filter((name) => new RegExp(`\\.${name}\\(`).test(text))).toEqual([]);
  });
});
