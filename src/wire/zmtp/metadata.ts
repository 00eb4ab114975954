/**
 * Connection metadata (RFC 37 §Connection Metadata, items C4, C5, C15 to C20): the named properties in READY.
 */
import { Buffer } from "../../base/platform.js";
import { ProtocolError } from "./protocol-error.js";

/** Properties by their names, spelled as received. */
export type Metadata = ReadonlyMap<string, Buffer>;

/** Most properties that one peer may send. */
const MAX_PROPERTIES = 64;

/** 1 to 255 of the grammar's name-char. */
const NAME = /^[A-Za-z0-9\-_.+]{1,255}$/;
/** Most bytes of a property's value. */
const VALUE_MAX = 2 ** 31 - 1;

/**
 * Encodes properties, one after the other (C4).
 * @throws RangeError for a name or a value that cannot be encoded
 */
export function encodeMetadata(properties: Iterable<readonly [string, Uint8Array]>): Buffer {
  const pieces: Uint8Array[] = [];
  for (const [name, value] of properties) {
    if (!NAME.test(name)) throw new RangeError(`not a property name: ${JSON.stringify(name)}`);
    if (value.length > VALUE_MAX) throw new RangeError(`value of ${name} is too long`);
    const head = Buffer.alloc(1 + name.length + 4);
    head[0] = name.length;
    head.write(name, 1, "latin1");
    head.writeUInt32BE(value.length, 1 + name.length);
    pieces.push(head, value);
  }
  return Buffer.concat(pieces);
}

function invalid(text: string, rule: string, size: number): ProtocolError {
  return new ProtocolError("invalid-metadata", text, { rule, size });
}

/**
 * @param body what follows the name of the command; the values are copied
 * @throws ProtocolError for properties that are truncated, without a name, or too many
 */
export function parseMetadata(body: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  let count = 0;
  let at = 0;
  while (at < body.length) {
    const nameLength = body[at];
    if (nameLength === 0) throw invalid("a property has no name", "C19", body.length);
    const valueAt = at + 1 + nameLength + 4;
    if (valueAt > body.length) throw invalid("a property is cut short", "C18", body.length);
    const name = body.toString("latin1", at + 1, at + 1 + nameLength);
    const valueLength = body.readUInt32BE(valueAt - 4);
    if (valueLength > body.length - valueAt)
      throw invalid("a property's value is cut short", "C20", valueLength);
    if (++count > MAX_PROPERTIES)
      throw invalid(`more than ${MAX_PROPERTIES} properties`, "RFC 37 §Connection Metadata", body.length);
    // A copy, because metadata outlives the chunk that it arrived in.
    found.set(name, Buffer.from(body.subarray(valueAt, valueAt + valueLength)));
    at = valueAt + valueLength;
  }
  return found;
}

/** Finds a property, ignoring the case of its name (C5). */
export function getProperty(metadata: Metadata, name: string): Buffer | undefined {
  const exact = metadata.get(name);
  if (exact !== undefined) return exact;
  const wanted = name.toLowerCase();
  for (const [key, value] of metadata) if (key.toLowerCase() === wanted) return value;
  return undefined;
}
