/**
 * Checks arguments with the error texts of zeromq.js, and converts messages to bytes by its rules: a value that is not
 * bytes, text or null is sent as String(x).
 */

import type { OutMessage } from "../base/message.js";
import { Buffer } from "../base/platform.js";

const EMPTY = new Uint8Array(0);

/** @throws TypeError */
export function checkAddress(address: unknown): asserts address is string {
  if (typeof address !== "string") throw new TypeError("Address must be a string");
}

/** @throws TypeError when a call got more than it takes */
export function checkCount(given: number, expected: number): void {
  if (given <= expected) return;
  const plural = expected === 1 ? "" : "s";
  throw new TypeError(`Expected ${expected} argument${plural} but received ${given}`);
}

/** @throws TypeError for undefined */
export function checkOptions(options: unknown): asserts options is Record<string, unknown> {
  if (typeof options !== "object" || options === null) throw new TypeError("Options must be an object");
}

/** Bytes of a topic or a group. @throws TypeError */
export function checkBytes(value: unknown, name: string): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`${name} must be a string or buffer`);
}

/** A group as libzmq reads it: as a C string, which ends at a NUL. @throws TypeError */
export function checkGroup(value: unknown): Uint8Array {
  const bytes = checkBytes(value, "Value");
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/**
 * A message in the engine's form; null for an array without parts, which zeromq.js does not send at all.
 * @throws TypeError for undefined, and for a symbol
 */
export function toMessage(message: unknown): OutMessage | null {
  if (!Array.isArray(message)) {
    if (message === undefined) throw new TypeError("Message must be present");
    return toPart(message);
  }
  if (message.length === 1) return toPart(message[0]);
  if (message.length === 0) return null;
  return message.map(toPart);
}

function toPart(value: unknown): Uint8Array {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array && !(value.buffer instanceof SharedArrayBuffer)) return value;
  if (value === null) return EMPTY;
  if (ArrayBuffer.isView(value)) {
    const view = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    // Another thread may write to shared memory at any time: take a copy now.
    return value.buffer instanceof SharedArrayBuffer ? view.slice() : view;
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof SharedArrayBuffer) return new Uint8Array(value).slice();
  return Buffer.from(`${value}`);
}
