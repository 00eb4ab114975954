/**
 * Values to msgpack and back, as a Python peer needs it (§4): integers stay integers, bytes stay bytes, text is valid, keys
 * are text. Received bytes are scanned first.
 */

import { Packr, Unpackr } from "../../../vendor/msgpackr.js"; // from compiled/, the same file
import { Buffer, isSharedMemory } from "../../base/platform.js";
import { fromRaw, toRaw } from "./legacy.js";
import { Reader } from "./reader.js";
import { type ScanLimits, Scanner } from "./scan.js";
import { Writer } from "./writer.js";

/** Limits on one received event. An event that exceeds them is dropped and counted. */
export interface EventLimits {
  /** How deep arrays and maps may be nested. Default 400. */
  readonly depth?: number;
  /** Number of values in the whole event, including keys. Default 4,000,000. */
  readonly items?: number;
}

/** How deep a value that is sent may be nested. Python's limit is 511. */
const MAX_DEPTH = 400;
const DEFAULT_LIMITS: ScanLimits = { depth: 400, items: 4_000_000 };

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
/** Up to this value, and including it, the decoder makes numbers of integers. */
const EXACT = 2 ** 53;

/** A value cannot be sent; `path` leads to it. */
class Unsendable extends Error {
  readonly path: (string | number)[] = [];
}

/** Bytes are not a value, or not one that can be decoded. */
export class UndecodableError extends Error {}

const DECODING = { useRecords: false, int64AsType: "auto" } as const;

export class Codec {
  readonly #packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true });
  readonly #plain = new Unpackr({ ...DECODING, mapsAsObjects: true });
  readonly #careful = new Unpackr({ ...DECODING, mapsAsObjects: false });
  readonly scanner: Scanner;
  readonly reader: Reader;
  readonly writer = new Writer((value) => this.#packr.pack(value));
  /** Whether text and bytes share one type, as in old msgpack. */
  readonly legacyRaw: boolean;

  constructor(limits: EventLimits | undefined, legacyRaw: boolean) {
    const bounds = {
      depth: limits?.depth ?? DEFAULT_LIMITS.depth,
      items: limits?.items ?? DEFAULT_LIMITS.items,
    };
    this.scanner = new Scanner(bounds);
    this.reader = new Reader(bounds);
    this.legacyRaw = legacyRaw;
  }

  /** Encodes what `sendable` has returned. */
  encode(value: unknown): Buffer {
    this.writer.begin();
    this.writer.value(value);
    return this.written();
  }

  /** What was written, in the form in which it is sent. */
  written(): Buffer {
    const bytes = this.writer.finish();
    return this.legacyRaw ? toRaw(bytes) : bytes;
  }

  /** A received payload, in the form in which it can be decoded. */
  received(bytes: Buffer): Buffer {
    return this.legacyRaw && this.scanner.scan(bytes) === null
      ? fromRaw(bytes.subarray(0, this.scanner.end))
      : bytes;
  }

  /** Decodes bytes that were scanned and contain nothing unusual. */
  decode(bytes: Uint8Array): unknown {
    return this.#plain.unpack(bytes);
  }

  /**
   * Decodes one value that may contain unusual keys or extensions. A map whose keys are not all text becomes a Map.
   * @throws UndecodableError
   */
  decodeCarefully(bytes: Uint8Array): unknown {
    const fault = this.scanner.scan(bytes);
    if (fault !== null) throw new UndecodableError(fault);
    const { extension, end } = this.scanner;
    if (extension !== null) {
      throw new UndecodableError(`msgpack extension type ${extension} is not supported`);
    }
    return mapsToObjects(this.#careful.unpack(bytes.subarray(0, end)));
  }
}

/**
 * Prepares a value for encoding. Returns the value itself if nothing has to change.
 * @param what its name in error messages, such as "args"
 * @throws TypeError or RangeError that names the place of what cannot be sent
 */
export function sendable(value: unknown, what: string): unknown {
  try {
    return prepare(value, 0);
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    const place = error.path
      .map((key) =>
        typeof key === "number"
          ? `[${key}]`
          : /^[A-Za-z_$][\w$]*$/.test(key)
            ? `.${key}`
            : `[${JSON.stringify(key)}]`,
      )
      .join("");
    const ErrorType = error.name === "RangeError" ? RangeError : TypeError;
    throw new ErrorType(`${what}${place} ${error.message}`);
  }
}

function unsendable(message: string, name = "TypeError"): Unsendable {
  const error = new Unsendable(message);
  error.name = name;
  return error;
}

function prepare(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "number":
      // As numbers these would be encoded as floats (§4).
      if (
        (value > 4294967295 || value < -2147483648) &&
        Number.isInteger(value) &&
        Math.abs(value) <= EXACT
      ) {
        return BigInt(value);
      }
      return value;
    case "string":
      return wellFormed(value);
    case "bigint":
      if (value < INT64_MIN || value > UINT64_MAX) {
        throw unsendable(`is ${value}, which does not fit into 64 bits`, "RangeError");
      }
      return value;
    case "function":
    case "symbol":
      throw unsendable(`is a ${typeof value}, which cannot be sent`);
    case "object":
      if (value === null) return null;
      if (depth > MAX_DEPTH) {
        throw unsendable(`is nested deeper than ${MAX_DEPTH}, or contains itself`, "RangeError");
      }
      return prepareObject(value, depth + 1);
    default:
      return value; // boolean, and undefined, which becomes nil
  }
}

function wellFormed(text: string): string {
  // Python drops events with lone surrogates without a word (§4). Node 20 has these methods, the type declarations lack them.
  const checked = text as string & { isWellFormed(): boolean; toWellFormed(): string };
  return checked.isWellFormed() ? text : checked.toWellFormed();
}

function prepareObject(value: object, depth: number): unknown {
  if (Array.isArray(value)) return prepareArray(value, depth);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return prepareFields(value, depth, false);
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || isSharedMemory(value)) return Buffer.from(value as ArrayBuffer);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw unsendable("is an invalid Date");
    return value;
  }
  if (value instanceof Map) return prepareMap(value, depth);
  if (value instanceof Set) return prepareArray([...value], depth);
  if (value instanceof Error)
    return { name: wellFormed(String(value.name)), message: wellFormed(String(value.message)) };
  if (
    value instanceof Number ||
    value instanceof String ||
    value instanceof Boolean ||
    value instanceof BigInt
  ) {
    return prepare(value.valueOf(), depth);
  }
  if (typeof (value as PromiseLike<unknown>).then === "function")
    throw unsendable("is a promise; await it first");
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return prepare(toJSON.call(value, ""), depth);
  return prepareFields(value, depth, true);
}

function prepareArray(array: unknown[], depth: number): unknown[] {
  let copy: unknown[] | null = null;
  for (let i = 0; i < array.length; i++) {
    const given = array[i];
    const ready = at(i, given, depth);
    if (ready === given) continue;
    copy ??= [...array];
    copy[i] = ready;
  }
  return copy ?? array;
}

function prepareFields(object: object, depth: number, always: boolean): object {
  const fields = object as Record<string, unknown>;
  let copy: Record<string, unknown> | null = always ? {} : null;
  const keys = Object.keys(fields);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const readyKey = wellFormed(key);
    const ready = at(key, fields[key], depth);
    if (copy === null && (ready !== fields[key] || readyKey !== key)) {
      copy = {};
      for (let j = 0; j < i; j++) define(copy, keys[j], fields[keys[j]]);
    }
    if (copy !== null) define(copy, readyKey, ready);
  }
  return copy ?? object;
}

function prepareMap(map: Map<unknown, unknown>, depth: number): Map<string, unknown> {
  const copy = new Map<string, unknown>();
  for (const [key, value] of map) {
    if (typeof key !== "string") {
      throw unsendable(
        `has the key ${describeKey(key)}: keys of a map must be strings, because Python drops a message with others`,
      );
    }
    copy.set(wellFormed(key), at(key, value, depth));
  }
  return copy;
}

function describeKey(key: unknown): string {
  if (typeof key === "object" && key !== null) return `of type ${key.constructor?.name ?? "object"}`;
  return `${String(key)} of type ${key === null ? "null" : typeof key}`;
}

/** Prepares a part of a value. If that fails, adds its place to the error. */
function at(key: string | number, value: unknown, depth: number): unknown {
  try {
    return prepare(value, depth);
  } catch (error) {
    if (error instanceof Unsendable) error.path.unshift(key);
    throw error;
  }
}

/** Sets a field, even one with the name `__proto__`. */
export function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function mapsToObjects(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = mapsToObjects(value[i]);
    return value;
  }
  if (!(value instanceof Map)) return value;
  let text = true;
  for (const [key, inner] of value) {
    text &&= typeof key === "string";
    value.set(key, mapsToObjects(inner));
  }
  if (!text) return value;
  const object: Record<string, unknown> = {};
  for (const [key, inner] of value) define(object, key, inner);
  return object;
}
