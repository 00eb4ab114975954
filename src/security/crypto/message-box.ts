/**
 * The MESSAGE command of CURVE (RFC 26, P8): sizes and names that its sealer and its opener share. One frame of a
 * connection becomes one MESSAGE, in a frame without flags.
 *
 * outer frame: flags, size, 07 "MESSAGE", short nonce (8), box; box: authenticator (16), flags (1), body
 */
import { Buffer } from "../../base/platform.js";
import { headerSize } from "../../wire/frame-format.js";
import type { ShortNonce } from "../../wire/zmtp/mechanisms/mechanism.js";
import type { Heap } from "./heap.js";
import type { NativeSodium } from "./sodium.js";

/** 07 "MESSAGE" as two numbers of 32 bits. */
export const NAME_HIGH = 0x074d4553;
export const NAME_LOW = 0x53414745;
export const NAME_BYTES = 8;
export const SHORT_NONCE_BYTES = 8;
/** Bytes of the prefix of a nonce. */
export const PREFIX_BYTES = 16;
/** Where the box begins in the command. */
export const BOX_AT = NAME_BYTES + SHORT_NONCE_BYTES;
/** The body of the outer frame is longer than the plain body by this many bytes. */
export const OVERHEAD = BOX_AT + 16 + 1;

/** The bits of the flags inside the box (P10). The bit for a command differs from that of a frame. */
export const INNER_MORE = 0x01;
export const INNER_COMMAND = 0x02;

/** Bodies of this many bytes or more go to the native library, if there is one; see the table in sodium.ts. */
export const NATIVE_FROM = 1000;

/** What a sealer or an opener needs. */
export interface MessageBoxParts {
  readonly heap: Heap;
  readonly native: NativeSodium | null;
  readonly key: Uint8Array;
  readonly asServer: boolean;
}

/**
 * The 24 bytes of a nonce. The prefix says whether client or server sends; the rest must be filled in for each message.
 */
export function messageNonce(fromServer: boolean): Buffer {
  return Buffer.from(`CurveZMQMESSAGE${fromServer ? "S" : "C"}\0\0\0\0\0\0\0\0`, "latin1");
}

/** The bytes on the wire of a sealed frame with a plain body of this length. */
export function sealedBytes(length: number): number {
  const outer = length + OVERHEAD;
  return outer + headerSize(outer);
}

/** Writes byte by byte, because making a DataView or a subarray for each frame is slow. */
export function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

export function readUint32(source: Uint8Array, at: number): number {
  return ((source[at] << 24) | (source[at + 1] << 16) | (source[at + 2] << 8) | source[at + 3]) >>> 0;
}

export type { ShortNonce };
