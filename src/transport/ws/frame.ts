/**
 * The format of WebSocket frames (RFC 6455 §5): headers, masks, and what a Close frame may say. Without I/O.
 */
import { randomFillSync } from "node:crypto";
import type { Masking } from "../contract/stream-engine.js";

/** The first byte of a frame. */
export const FIN = 0x80;
export const RESERVED_BITS = 0x70;
/** The reserved bit of permessage-deflate: the message is compressed (RFC 7692 §6). In the first frame of a message. */
export const PACKED = 0x40;
export const OPCODE = 0x0f;
/** The second byte of a frame. */
export const MASKED = 0x80;

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;
/** Opcodes from here on are those of control frames. */
export const CONTROL = 0x8;

/** Most bytes of a control frame's payload. */
export const CONTROL_MAX = 125;
/** Bytes of the longest header: two, a size of eight, and the mask. */
export const LONGEST_HEADER = 14;
/** Bytes of a mask. */
export const MASK_BYTES = 4;

/** Codes of a Close frame (RFC 6455 §7.4.1). */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidData: 1007,
  policy: 1008,
  tooBig: 1009,
} as const;

/** Payloads from this size on are masked in words of four bytes. */
const WORDS_FROM = 64;
/** Payloads from this size on are masked by the addon: for less, the call takes longer. */
const NATIVE_FROM = 2048;
/** JavaScript masks a word at a time, the addon several. */
let native: Masking | undefined;

/** How to mask many bytes from now on; undefined: in JavaScript. */
export function maskBy(masking: Masking | undefined): void {
  native = masking;
}

/**
 * Writes the header of a whole binary or control frame.
 * @param mask where its mask lies, in `masks`; -1 for a frame without
 * @returns where the payload begins
 */
export function writeHeader(
  target: Buffer,
  at: number,
  opcode: number,
  length: number,
  mask: number,
): number {
  target[at] = FIN | opcode;
  const masked = mask < 0 ? 0 : MASKED;
  let next = at + 2;
  if (length <= 125) target[at + 1] = masked | length;
  else if (length <= 0xffff) {
    target[at + 1] = masked | 126;
    target[at + 2] = length >> 8;
    target[at + 3] = length & 0xff;
    next = at + 4;
  } else {
    target[at + 1] = masked | 127;
    target.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2);
    target.writeUInt32BE(length >>> 0, at + 6);
    next = at + 10;
  }
  if (mask < 0) return next;
  target[next] = masks[mask];
  target[next + 1] = masks[mask + 1];
  target[next + 2] = masks[mask + 2];
  target[next + 3] = masks[mask + 3];
  return next + MASK_BYTES;
}

/** Random bytes for masks: they must not be predictable (§10.3), and asking the system for each would be slow. */
export const masks: Uint8Array = new Uint8Array(8192);
let nextMask = masks.length;

/** A fresh mask: four bytes of `masks`, from the returned index on. They stay as they are until the pool is used up. */
export function freshMask(): number {
  if (nextMask === masks.length) {
    randomFillSync(masks);
    nextMask = 0;
  }
  const at = nextMask;
  nextMask += MASK_BYTES;
  return at;
}

/** A mask as four bytes in a number, the first one lowest. */
export function maskAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24) | 0;
}

/**
 * Masks or unmasks bytes in place.
 * @param mask as maskAt() gives it
 * @param phase how many bytes of the payload came before
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, mask: number, phase: number): void {
  if (to - from < WORDS_FROM) {
    applyShort(bytes, from, to, rotated(mask, (phase & 3) << 3));
    return;
  }
  let at = from;
  let shift = (phase & 3) << 3;
  if (native !== undefined && to - from >= NATIVE_FROM) {
    native(bytes, from, to, rotated(mask, shift) >>> 0);
    return;
  }
  // Up to a word boundary of the memory.
  for (const aligned = from + (-(bytes.byteOffset + from) & 3); at < aligned; at++) {
    bytes[at] ^= mask >>> shift;
    shift = (shift + 8) & 31;
  }
  const words = (to - at) >> 2;
  const memory = new Uint32Array(bytes.buffer, bytes.byteOffset + at, words);
  const turned = LITTLE_ENDIAN ? rotated(mask, shift) : swapped(rotated(mask, shift));
  for (let i = 0; i < words; i++) memory[i] ^= turned;
  for (at += words << 2; at < to; at++) {
    bytes[at] ^= mask >>> shift;
    shift = (shift + 8) & 31;
  }
}

function applyShort(bytes: Uint8Array, from: number, to: number, mask: number): void {
  const m1 = mask >>> 8;
  const m2 = mask >>> 16;
  const m3 = mask >>> 24;
  let at = from;
  for (const last = to - 3; at < last; at += 4) {
    bytes[at] ^= mask;
    bytes[at + 1] ^= m1;
    bytes[at + 2] ^= m2;
    bytes[at + 3] ^= m3;
  }
  if (at < to) bytes[at] ^= mask;
  if (at + 1 < to) bytes[at + 1] ^= m1;
  if (at + 2 < to) bytes[at + 2] ^= m2;
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function rotated(mask: number, shift: number): number {
  return shift === 0 ? mask : (mask >>> shift) | (mask << (32 - shift));
}

function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** A whole control frame. @param masking whether we are the client */
export function controlFrame(opcode: number, payload: Uint8Array, masking: boolean): Buffer {
  const frame = Buffer.allocUnsafe((masking ? 6 : 2) + payload.length);
  const mask = masking ? freshMask() : -1;
  const at = writeHeader(frame, 0, opcode, payload.length, mask);
  frame.set(payload, at);
  if (masking) applyMask(frame, at, frame.length, maskAt(masks, mask), 0);
  return frame;
}

/** The payload of a Close frame. @param reason ASCII, of which 123 bytes are sent */
export function closePayload(code: number, reason: string): Buffer {
  const text = Buffer.from(reason.slice(0, CONTROL_MAX - 2), "latin1");
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code);
  payload.set(text, 2);
  return payload;
}

/** What is wrong with a Close frame that has arrived: the code to answer with, and a text; null if nothing is. */
export function closeFault(payload: Buffer): readonly [code: number, text: string] | null {
  if (payload.length === 0) return null;
  if (payload.length === 1) return [CloseCode.protocolError, "a Close frame with half a code"];
  const code = payload.readUInt16BE(0);
  const known = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  if (!known && (code < 3000 || code > 4999))
    return [CloseCode.protocolError, `a Close frame with code ${code}`];
  try {
    UTF8.decode(payload.subarray(2));
    return null;
  } catch {
    return [CloseCode.invalidData, "a Close frame whose reason is not UTF-8"];
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
