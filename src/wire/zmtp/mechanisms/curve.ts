/**
 * What both sides of CURVE share (RFC 25, RFC 26): sizes, nonces, and the boxes of the handshake. security/ seals and
 * opens the MESSAGE command, with the keys that a handshake gives.
 */
import { Buffer } from "../../../base/platform.js";
import { ProtocolError, type ProtocolErrorCode } from "../protocol-error.js";
import type { CipherKeys, CurveCrypto, ShortNonce } from "./mechanism.js";

export const KEY_BYTES = 32;
export const MAC_BYTES = 16;
export const SHORT_NONCE_BYTES = 8;
export const LONG_NONCE_BYTES = 16;
/** A nonce and the box of C' and s'. */
export const COOKIE_BYTES = LONG_NONCE_BYTES + MAC_BYTES + 2 * KEY_BYTES;

/** Sizes of whole commands, including the length and the name. */
export const HELLO_BYTES = 200;
export const WELCOME_BYTES = 168;
export const INITIATE_MIN_BYTES = 257;
export const READY_MIN_BYTES = 30;

/** Nonce prefixes (RFC 26): 16 bytes before a short nonce, 8 before a long one. */
export const PREFIX = {
  hello: "CurveZMQHELLO---",
  welcome: "WELCOME-",
  cookie: "COOKIE--",
  vouch: "VOUCH---",
  initiate: "CurveZMQINITIATE",
  ready: "CurveZMQREADY---",
} as const;

/** The 24 bytes of a nonce. */
export function nonceOf(prefix: string, rest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, "latin1"), rest]);
}

/** A short nonce that we send. A handshake uses 1 and 2 at most (P12). */
export function shortNonce(value: number): Buffer {
  const bytes = Buffer.alloc(SHORT_NONCE_BYTES);
  bytes[SHORT_NONCE_BYTES - 1] = value;
  return bytes;
}

export function readShortNonce(bytes: Buffer): ShortNonce {
  return { high: bytes.readUInt32BE(0), low: bytes.readUInt32BE(4) };
}

/** The key that we share with a peer. @throws ProtocolError for a public key of low order, which gives no secret */
export function agree(crypto: CurveCrypto, publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const key = crypto.sharedKey(publicKey, secretKey);
  if (key === undefined) {
    throw new ProtocolError("key-exchange", "the peer's key shares no secret with ours", { rule: "RFC 26" });
  }
  return key;
}

/** Decrypts a box. @throws ProtocolError for a box that does not open */
export function openBox(
  crypto: CurveCrypto,
  box: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  what: string,
  rule: string,
): Buffer {
  const message = crypto.open(box, nonce, key);
  if (message === undefined) {
    throw new ProtocolError(
      "cryptographic",
      `${what} cannot be opened: it was changed, or made with other keys`,
      { rule, size: box.length },
    );
  }
  return asBuffer(message);
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

/** A command of the wrong size or shape. */
export function malformedCommand(
  code: ProtocolErrorCode,
  text: string,
  rule: string,
  size: number,
): ProtocolError {
  return new ProtocolError(code, text, { rule, size });
}

/** Whether two keys are the same. Both are public, so the time that it takes reveals nothing. */
export function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return asBuffer(a).equals(b);
}

/** Makes the CipherKeys of a connection. */
export function cipherKeys(
  key: Uint8Array,
  asServer: boolean,
  sent: number,
  received: ShortNonce,
): CipherKeys {
  return { key, asServer, sent: { high: 0, low: sent }, received };
}
