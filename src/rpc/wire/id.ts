/**
 * Ids of channels. A peer may choose any value that can be sent back as what it was.
 */
import { Buffer } from "../../base/platform.js";

/**
 * An id as text: a letter for its type, then bytes as latin1 (`b`), text (`s`) or an integer (`i`). Ids of different types
 * are different (T3), and each is sent back with the type that it had (T2).
 */
export type Id = string;

/** Length of the longest id that is accepted, in bytes or characters. */
const MAX_ID = 1024;

/**
 * The id in a decoded value, or null if it cannot be an id. A float is never one, even if it is whole: beyond 2^53 it
 * could not be sent back as the same integer.
 */
export function idOf(value: unknown): Id | null {
  switch (typeof value) {
    case "string":
      return value.length <= MAX_ID ? `s${value}` : null;
    case "number":
      // The decoder makes a number of 2^53, too.
      return Number.isInteger(value) && Math.abs(value) <= 2 ** 53 ? `i${value}` : null;
    case "bigint":
      return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value ? `i${value}` : null;
    default:
      if (!(value instanceof Uint8Array) || value.length > MAX_ID) return null;
      return `b${Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.length).toString("latin1")}`;
  }
}
