/**
 * Properties of connection metadata that an application gives: its own, which are sent to peers (C16, C17), or those
 * that an authenticator adds to a peer.
 */
import { Buffer } from "../base/platform.js";

/** name-char of RFC 37's grammar. */
const NAME = /^[A-Za-z0-9\-_.+]{1,255}$/;
/** zwire tells itself things under such names. */
const RESERVED = /^x-zwire-/i;
/** These limits keep a handshake command well below the size that peers accept. */
export const MAX_PROPERTIES = 48;
const MAX_BYTES = 32 * 1024;

/** Whether a property may have this name. */
export function isPropertyName(name: string): boolean {
  return NAME.test(name);
}

/** Properties by name. */
export type Properties = ReadonlyMap<string, Buffer>;

/** No properties. */
export const NO_PROPERTIES: Properties = new Map();

/**
 * Checks properties and copies them.
 * @param own whether they are sent to peers. If so, each name must begin with "X-", and no value may be empty (C17)
 * @throws TypeError, RangeError
 */
export function parseProperties(name: string, value: unknown, own: boolean): Properties {
  if (value === null && own) return NO_PROPERTIES;
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new TypeError(`${name} must be an object of properties, or a Map; got ${typeof value}`);
  }
  const found = new Map<string, Buffer>();
  let bytes = 0;
  for (const [key, given] of value instanceof Map ? value : Object.entries(value)) {
    const value = property(name, key, given, own);
    bytes += key.length + value.length;
    found.set(key, value);
  }
  if (found.size > MAX_PROPERTIES || bytes > MAX_BYTES) {
    throw new RangeError(
      `${name} must have at most ${MAX_PROPERTIES} properties and ${MAX_BYTES} bytes; got ${found.size} and ${bytes}`,
    );
  }
  return found;
}

function property(name: string, key: unknown, value: unknown, own: boolean): Buffer {
  const valid =
    typeof key === "string" && NAME.test(key) && (!own || (key.startsWith("X-") && key.length > 2));
  if (!valid) {
    const form = own ? '"X-" and a name of letters, digits and -_.+' : "a name of letters, digits and -_.+";
    throw new RangeError(
      `${name}: the name of a property must be ${form}, at most 255 characters; got ${JSON.stringify(key)}`,
    );
  }
  if (own && RESERVED.test(key))
    throw new RangeError(`${name}: names that begin with X-zwire- are reserved; got ${key}`);
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(
      `${name}: ${key} must be a string or Uint8Array; got ${value === null ? "null" : typeof value}`,
    );
  }
  if (own && value.length === 0) throw new RangeError(`${name}: ${key} must not be empty`);
  return Buffer.from(value as Uint8Array);
}

/**
 * Splits one property in the form of ZMQ_METADATA, `X-name:value` (C17).
 * @throws RangeError if it has no colon
 */
export function parseProperty(text: string): [name: string, value: string] {
  const colon = text.indexOf(":");
  if (colon < 0) throw new RangeError("metadata set by number must be X-name:value");
  return [text.slice(0, colon), text.slice(colon + 1)];
}
