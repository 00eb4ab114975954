/**
 * Z85 (RFC 32): bytes as printable text, five characters for four bytes.
 */
import { Buffer } from "../../base/platform.js";

const CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** The value of each character by its code; -1 if it is not a Z85 character. */
const VALUES = new Int8Array(128).fill(-1);
for (let at = 0; at < CHARACTERS.length; at++) VALUES[CHARACTERS.charCodeAt(at)] = at;

/**
 * Encodes bytes as Z85 text (W1).
 * @throws TypeError if it is not a Uint8Array; RangeError if its length is not a multiple of 4 (W2)
 */
export function z85Encode(bytes: Uint8Array): string {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("bytes must be a Uint8Array");
  if (bytes.length % 4 !== 0) {
    throw new RangeError(`bytes must have a length that is a multiple of 4; got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const group = view.getUint32(at);
    for (let divisor = 85 ** 4; divisor >= 1; divisor /= 85) {
      text += CHARACTERS[Math.floor(group / divisor) % 85];
    }
  }
  return text;
}

/**
 * Decodes Z85 text (W1). Errors do not contain the text, because it may be a secret.
 * @throws TypeError if it is not a string; RangeError if its length is not a multiple of 5, if it has a character that
 * Z85 does not have, or if five characters stand for more than 2^32-1 (W2)
 */
export function z85Decode(text: string): Buffer {
  if (typeof text !== "string") throw new TypeError("text must be a string");
  if (text.length % 5 !== 0) {
    throw new RangeError(`text must have a length that is a multiple of 5; got ${text.length}`);
  }
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let at = 0; at < text.length; at += 5) {
    let group = 0;
    for (let i = at; i < at + 5; i++) {
      const value = VALUES[text.charCodeAt(i)] ?? -1;
      if (value < 0) throw new RangeError(`text has a character at ${i} that Z85 does not have`);
      group = group * 85 + value;
    }
    if (group > 0xffffffff)
      throw new RangeError(`text has five characters at ${at} that stand for more than 2^32-1`);
    bytes.writeUInt32BE(group, (at / 5) * 4);
  }
  return bytes;
}
