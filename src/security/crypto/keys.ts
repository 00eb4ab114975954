/**
 * CURVE's long-term keys as an application has them: pairs of keys, and keys as bytes or Z85 text.
 */

import { Buffer, randomBytes } from "../../base/platform.js";
import { publicKeyOf } from "./x25519.js";
import { z85Decode, z85Encode } from "./z85.js";

/** Bytes of a CURVE key. */
export const KEY_BYTES = 32;
const KEY_TEXT = 40;

/** A CURVE key: 32 bytes, or 40 characters of Z85. */
export type CurveKey = string | Uint8Array;

/** A long-term key pair, both halves as 40 characters of Z85. */
export interface CurveKeyPair {
  /** May be public. A client needs that of its server (`curveServerKey`). */
  publicKey: string;
  /** Must be kept secret. */
  secretKey: string;
}

/** A new long-term key pair. */
export function curveKeyPair(): CurveKeyPair {
  const secretKey = randomBytes(KEY_BYTES);
  return { publicKey: z85Encode(publicKeyOf(secretKey)), secretKey: z85Encode(secretKey) };
}

/**
 * The public key that belongs to a secret key, as 40 characters of Z85.
 * @throws TypeError if it is neither a string nor a Uint8Array; RangeError if it is not a key
 */
export function curvePublicKey(secretKey: CurveKey): string {
  return z85Encode(publicKeyOf(parseKey("secretKey", secretKey)));
}

/**
 * Checks a key, and returns a copy of its bytes (P16). A key is 32 bytes, or Z85 as text or as bytes, with or without a
 * trailing NUL. Errors do not contain the value, because it may be a secret.
 * @throws TypeError, RangeError
 */
export function parseKey(name: string, value: unknown): Buffer {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(
      `${name} must be a string or Uint8Array; got ${value === null ? "null" : typeof value}`,
    );
  }
  if (typeof value !== "string" && value.length === KEY_BYTES) return checked(name, Buffer.from(value));
  const text = typeof value === "string" ? value : Buffer.from(value).toString("latin1");
  const bare = text.length === KEY_TEXT + 1 && text.endsWith("\0") ? text.slice(0, KEY_TEXT) : text;
  if (bare.length !== KEY_TEXT) throw notKey(name);
  try {
    return checked(name, z85Decode(bare));
  } catch {
    throw notKey(name);
  }
}

/** Refuses a key of zeros, because such a key was never set. */
function checked(name: string, key: Buffer): Buffer {
  if (key.every((byte) => byte === 0)) throw notKey(name);
  return key;
}

function notKey(name: string): RangeError {
  return new RangeError(`${name} must be a key: ${KEY_BYTES} bytes, or ${KEY_TEXT} characters of Z85`);
}
