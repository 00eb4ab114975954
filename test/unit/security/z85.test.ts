/** Z85 (section W): the RFC's vector, libzmq's tables, and everything that is none. */
import { describe, expect, it } from "vitest";
import { z85Decode, z85Encode } from "../../../src/security/crypto/z85.js";

const HELLO = Buffer.from("864fd26fb559f75b", "hex");

describe("Z85", () => {
  it("the RFC's test case goes both ways (W1)", () => {
    expect(z85Encode(HELLO)).toBe("HelloWorld");
    expect(z85Decode("HelloWorld")).toEqual(HELLO);
  });

  it("a key printed in libzmq's manual goes both ways (W1)", () => {
    const octets = Buffer.from("bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518", "hex");
    expect(z85Encode(octets)).toBe("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
    expect(z85Decode("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")).toEqual(octets);
  });

  it("nothing is nothing, and the ends of the range are there (W1)", () => {
    expect(z85Encode(new Uint8Array(0))).toBe("");
    expect(z85Decode("")).toHaveLength(0);
    expect(z85Encode(Buffer.from("00000000ffffffff", "hex"))).toBe("00000%nSc0");
    expect(z85Decode("00000%nSc0")).toEqual(Buffer.from("00000000ffffffff", "hex"));
  });

  it("every octet in every place survives (W1)", () => {
    for (let place = 0; place < 4; place++) {
      for (let value = 0; value < 256; value++) {
        const octets = Buffer.alloc(4);
        octets[place] = value;
        expect(z85Decode(z85Encode(octets))).toEqual(octets);
      }
    }
  });

  it("a view into the middle of memory is encoded, and not the memory (W1)", () => {
    expect(z85Encode(Buffer.concat([Buffer.alloc(3), HELLO, Buffer.alloc(5)]).subarray(3, 11))).toBe(
      "HelloWorld",
    );
  });

  it.each([1, 2, 3, 5, 31, 33])("%i octets cannot be encoded (W2)", (length) => {
    expect(() => z85Encode(Buffer.alloc(length))).toThrow(RangeError);
  });

  it.each([1, 2, 3, 4, 6, 39, 41])("%i characters cannot be decoded (W2)", (length) => {
    expect(() => z85Decode("0".repeat(length))).toThrow(RangeError);
  });

  it.each([..."~ \"',;\\_`|\0\n\x7f\x80\u00e9\u0130\ud83d"])(
    "%j is no character of Z85 (W2)",
    (character) => {
      for (let at = 0; at <= 4; at++) {
        const text = `${"0".repeat(at)}${character}${"0".repeat(9)}`.slice(0, 10);
        expect(() => z85Decode(text)).toThrow(RangeError);
      }
    },
  );

  it.each(["%nSc1", "%nSd0", "#####"])("%s stands for more than 2^32-1 (W2)", (text) => {
    expect(() => z85Decode(text)).toThrow(RangeError);
    expect(() => z85Decode(`00000${text}`)).toThrow(RangeError);
  });

  it("what is neither octets nor text is a TypeError, and the text is in no error", () => {
    for (const value of ["HelloWorld", null, undefined, [1, 2, 3, 4], 5, {}]) {
      expect(() => z85Encode(value as never)).toThrow(TypeError);
    }
    for (const value of [HELLO, null, undefined, 5, {}])
      expect(() => z85Decode(value as never)).toThrow(TypeError);
    expect(() => z85Decode("secret~~~~")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});
