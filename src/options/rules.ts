/**
 * Rules for the values of options: kinds of values, with range and unit. The same rule checks constructor fields, properties
 * and access by number. Its errors name the option, what it accepts, and what was given.
 */

import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";
import type { Rule } from "./row.js";

const INT32_MAX = 2 ** 31 - 1;
const ROUTING_ID_MAX = 255;
const SHOWN_MAX = 40;

/** A value in an error text. */
export function shown(value: unknown): string {
  if (typeof value === "string") {
    return value.length > SHOWN_MAX ? `a string of ${value.length} characters` : JSON.stringify(value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return "bytes";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** Only the type, for values that may be secret. */
export function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** Checks a whole number in a range. */
export function integer(minimum: number, maximum: number, unit = "") {
  const units = unit === "" ? "" : ` (${unit})`;
  return (name: string, value: unknown): number => {
    if (typeof value !== "number")
      throw new TypeError(`${name} must be a number${units}; got ${shown(value)}`);
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new RangeError(
        `${name} must be an integer from ${minimum} to ${maximum}${units}; got ${shown(value)}`,
      );
    }
    return value;
  };
}

/** A whole number in a range. */
export function whole(minimum: number, maximum: number, unit = ""): Rule<number> {
  const range = maximum >= INT32_MAX ? `from ${minimum}` : `${minimum} to ${maximum}`;
  const type = `integer ${range}${unit === "" ? "" : `, ${unit}`}`;
  return { check: integer(minimum, maximum, unit), type };
}

/** How many; nothing below 0. */
export const count = whole(0, INT32_MAX);
/** How many, or -1. */
export const countOrNone = whole(-1, INT32_MAX);
/** A time; nothing below 0. */
export const time = whole(0, INT32_MAX, "milliseconds");
/** A time, or -1. */
export const timeOrNone = whole(-1, INT32_MAX, "milliseconds");
/** A time in seconds, or -1. */
export const secondsOrNone = whole(-1, INT32_MAX, "seconds");
/** A size; nothing below 0. */
export const size = whole(0, Number.MAX_SAFE_INTEGER, "bytes");
/** A size, or -1. */
export const sizeOrNone = whole(-1, Number.MAX_SAFE_INTEGER, "bytes");
/** The size of a buffer of the operating system, or -1. */
export const bufferSize = whole(-1, INT32_MAX, "bytes");

/** True or false. */
export const boolean: Rule<boolean> = {
  type: "boolean",
  check: (name, value) => {
    if (typeof value !== "boolean") throw new TypeError(`${name} must be true or false; got ${shown(value)}`);
    return value;
  },
};

/** The bytes of a text or a view, copied; null for null. */
function copied(name: string, value: unknown): Buffer | null {
  if (value === null) return null;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a string, Uint8Array or null; got ${shown(value)}`);
  }
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
}

type Bytes = string | Uint8Array | null;

/** Bytes, or null. */
export const bytes: Rule<Bytes> = { type: "string, Uint8Array or null", check: copied };

/** A message of one part, or null for none. In libzmq, an empty message means none. */
export const notice: Rule<Bytes> = {
  type: "string, Uint8Array or null",
  check: (name, value) => {
    const message = copied(name, value);
    return message?.length === 0 ? null : message;
  },
};

/**
 * Checks a routing id (C12): 1 to 255 bytes of any value.
 * @throws TypeError, RangeError
 */
export function routingId(name: string, value: unknown): Buffer | null {
  const id = copied(name, value);
  if (id !== null && (id.length < 1 || id.length > ROUTING_ID_MAX)) {
    throw new RangeError(`${name} must have 1 to ${ROUTING_ID_MAX} bytes; got ${id.length}`);
  }
  return id;
}

/** A routing id. */
export const identity: Rule<Bytes> = {
  type: `string, Uint8Array or null; 1 to ${ROUTING_ID_MAX} bytes`,
  check: routingId,
};

/** Checks a text of limited length, or null; `what` says what it is. */
export function checkText(name: string, value: unknown, maximum: number, what: string): string | null {
  if (value === null) return null;
  if (typeof value !== "string")
    throw new TypeError(`${name} must be a string or null; got ${typeOf(value)}`);
  const length = Buffer.byteLength(value);
  if (length < 1 || length > maximum) {
    throw new RangeError(`${name} must be ${what} of 1 to ${maximum} bytes, or null; got ${length} bytes`);
  }
  if (value.includes("\0")) throw new RangeError(`${name} must be ${what} without a zero byte`);
  return value;
}

/** A text of limited length, or null. Errors do not show it, because it may be a password. */
export function text(maximum: number, what: string): Rule<string | null> {
  return {
    type: `string or null; 1 to ${maximum} bytes`,
    check: (name, value) => checkText(name, value, maximum, what),
  };
}

/** One of a few names; null may be among them. */
export function oneOf<const Choice extends string | null>(...choices: Choice[]): Rule<Choice> {
  const listed = choices.map((choice) => JSON.stringify(choice)).join(", ");
  return {
    type: listed.replaceAll(/"\w+"/g, "`$&`"),
    check: (name, value) => {
      if (choices.includes(value as Choice)) return value;
      const Fault = typeof value !== "string" && value !== null ? TypeError : RangeError;
      throw new Fault(`${name} must be one of ${listed}; got ${shown(value)}`);
    },
  };
}

/** An option of libzmq that is not supported: accepts only its default, and refuses other values instead of ignoring them. */
export function refused<Value>(initial: Value, reason: string): Rule<Value> {
  const expected = initial === null ? "string" : typeof initial;
  const check = (name: string, value: unknown): unknown => {
    if (value === initial) return value;
    const wrongType = typeof value !== expected && !(initial === null && value instanceof Uint8Array);
    if (wrongType) throw new TypeError(`${name} must be a ${expected}; got ${shown(value)}`);
    throw new ZmqError("ENOTSUP", { detail: `${name}: ${reason}` });
  };
  return { type: initial === null ? "string or null" : expected, check };
}
