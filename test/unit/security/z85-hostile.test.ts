/** Z85 against what made libzmq's decoder read past its table: every character, at every place (W2). */
import { expect, it } from "vitest";
import { z85Decode, z85Encode } from "../../../src/security/crypto/z85.js";
import { keyPair, random } from "../../support/scripted/curve.js";
import { z85 } from "../../support/scripted/z85.js";

const VALID = new Set(
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
);
/** All of one byte, and some that are cut to one byte by a careless decoder. */
const CODES = [...Array(256).keys(), 256, 0x130, 0x161, 0x3b1, 0xd800, 0xdfff, 0xff10, 0xfffd, 0xffff];

it("over-read: a character that is none of the 85 is refused, at every place of a key (Z85)", () => {
  const text = z85(keyPair().publicKey);
  for (const code of CODES) {
    const character = String.fromCharCode(code);
    for (let at = 0; at < text.length; at++) {
      const changed = text.slice(0, at) + character + text.slice(at + 1);
      if (!VALID.has(character)) expect(() => z85Decode(changed), `${code} at ${at}`).toThrow(RangeError);
    }
  }
});

it("over-read: lengths that five does not divide are refused, and other values than texts (Z85)", () => {
  for (let length = 1; length < 100; length++) {
    if (length % 5 !== 0) expect(() => z85Decode("0".repeat(length)), `${length}`).toThrow(RangeError);
    if (length % 4 !== 0) expect(() => z85Encode(new Uint8Array(length)), `${length}`).toThrow(RangeError);
  }
  for (const value of [undefined, null, 5, [], {}, ["0", "0", "0", "0", "0"], { length: 5 }]) {
    expect(() => z85Decode(value as never)).toThrow(TypeError);
    expect(() => z85Encode(value as never)).toThrow(TypeError);
  }
});

it("five characters for more than 2^32 - 1 are refused, the largest are not (W2)", () => {
  expect(z85Decode("%nSc0")).toEqual(Buffer.from("ffffffff", "hex"));
  for (const text of ["%nSc1", "%nSd0", "%nTc0", "%oSc0", "$nSc0", "#####"]) {
    expect(() => z85Decode(text), text).toThrow(RangeError);
    expect(() => z85Decode(`00000${text}`), text).toThrow(RangeError);
  }
});

it("agrees with an encoder written from the RFC alone (W1)", () => {
  for (let length = 0; length <= 400; length += 4) {
    const octets = random(length);
    expect(z85Encode(octets)).toBe(z85(octets));
    expect(z85Decode(z85(octets)).equals(octets)).toBe(true);
  }
});
