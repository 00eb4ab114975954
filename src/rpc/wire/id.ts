/**
 * The ids by which channels are known: any value of a peer that can be sent back as what it was. Knows no events.
 */
import { Buffer } from "../../base/platform.js";

/**
 * An id: a letter for its type, then the id as text; bytes as latin1 after `b`, text after `s`, an integer after `i`. Ids
 * of different types are different (T3), and each is echoed as what it was (T2).
 */
export type Id = string;

/** Longest id that is accepted, in bytes or characters. */
const MAX_ID = 1024;

/**
 * The id that a decoded value stands for; null for what cannot be one. A float is none even where it is whole: beyond
 * 2^53 it could not be sent back as the integer that its text names.
 */
export function idOf(value: unknown): Id | null {
  switch (typeof value) {
    case "string":
      return value.length <= MAX_ID ? `s${value}` : null;
    case "number":
      // 2^53 itself is a number to the decoder, too.
      return Number.isInteger(value) && Math.abs(value) <= 2 ** 53 ? `i${value}` : null;
    case "bigint":
      return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value ? `i${value}` : null;
    default:
      if (!(value instanceof Uint8Array) || value.length > MAX_ID) return null;
      return `b${Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.length).toString("latin1")}`;
  }
}
