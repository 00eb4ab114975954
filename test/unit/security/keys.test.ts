/** CURVE's long-term keys: pairs, the public half of a secret one, and what is taken for a key. */

import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { curveKeyPair, curvePublicKey, parseKey } from "../../../src/security/crypto/keys.js";
import { z85Decode } from "../../../src/security/crypto/z85.js";

/** As libzmq's manual prints them. */
const SECRET = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
const PUBLIC = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

describe("keys", () => {
  it("the public half follows from the secret one, as text and as octets", () => {
    expect(curvePublicKey(SECRET)).toBe(PUBLIC);
    expect(curvePublicKey(z85Decode(SECRET))).toBe(PUBLIC);
    expect(curvePublicKey(new Uint8Array(z85Decode(SECRET)))).toBe(PUBLIC);
  });

  it("libzmq's pairs are pairs here", () => {
    for (let i = 0; i < 20; i++) {
      const { publicKey, secretKey } = zmq.curveKeyPair();
      expect(curvePublicKey(secretKey)).toBe(publicKey);
    }
  });

  it("a new pair is one, and no two are the same", () => {
    const pairs = Array.from({ length: 20 }, curveKeyPair);
    for (const { publicKey, secretKey } of pairs) {
      expect(publicKey).toMatch(/^[!-~]{40}$/);
      expect(secretKey).toMatch(/^[!-~]{40}$/);
      expect(curvePublicKey(secretKey)).toBe(publicKey);
    }
    expect(new Set(pairs.map(({ secretKey }) => secretKey)).size).toBe(20);
  });

  it("a key is 32 octets or Z85, with or without a trailing NUL (P16)", () => {
    const octets = z85Decode(PUBLIC);
    for (const value of [octets, PUBLIC, `${PUBLIC}\0`, Buffer.from(PUBLIC), Buffer.from(`${PUBLIC}\0`)]) {
      expect(parseKey("key", value)).toEqual(octets);
    }
    const copy = parseKey("key", octets);
    octets.fill(0);
    expect(copy).toEqual(z85Decode(PUBLIC));
  });

  it.each([
    "",
    "x",
    PUBLIC.slice(1),
    `${PUBLIC}0`,
    `${PUBLIC}\0\0`,
    "~".repeat(40),
    "#".repeat(40),
    "0".repeat(40),
    Buffer.alloc(0),
    Buffer.alloc(31, 1),
    Buffer.alloc(33, 1),
    Buffer.alloc(32),
    Buffer.alloc(40, 0x7e),
  ])("%o is a RangeError that does not repeat it (P16)", (value) => {
    const fault = { name: "RangeError", message: "thing must be a key: 32 bytes, or 40 characters of Z85" };
    expect(() => parseKey("thing", value)).toThrow(expect.objectContaining(fault));
  });

  it.each([null, undefined, 5, true, {}, [], new ArrayBuffer(32)])("%o is a TypeError (P16)", (value) => {
    expect(() => parseKey("thing", value)).toThrow(TypeError);
  });
});
