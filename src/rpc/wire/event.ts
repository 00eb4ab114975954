/**
 * Events, `[header, name, args]`, to and from the frames of a message (§2, §3).
 */
import { Buffer } from "../../base/platform.js";
import { type Codec, define, UndecodableError } from "./codec.js";
import { type Id, idOf } from "./id.js";
import type { ReadEvent } from "./reader.js";
import type { Writer } from "./writer.js";

/** Version of the protocol, header key "v". */
export const VERSION = 3;

/** Names of events that are not calls of methods. */
export const OK = "OK";
export const ERR = "ERR";
export const STREAM = "STREAM";
export const STREAM_DONE = "STREAM_DONE";
export const MORE = "_zpc_more";
export const HEARTBEAT = "_zpc_hb";
/** Extension: the sender has given up this channel. Only sent to peers that have announced themselves as zwire. */
export const CANCEL = "_zpc_cancel";

/**
 * Value of the header key "zwire", which says that the sender is zwire and knows the extensions. Other programs ignore
 * the key (§3).
 */
export interface Extension {
  /** In a request: the milliseconds that the caller waits. */
  readonly timeout?: number;
  /** In an ERR: `error.code`. */
  readonly code?: string;
  /** In an ERR: `error.data`. */
  readonly data?: unknown;
}

/** A received event. */
export interface RpcEvent {
  /** Null if there is none, or none that can be used. */
  readonly id: Id | null;
  readonly responseTo: Id | null;
  /** 1 if the event does not say. */
  readonly version: number;
  /** The header. Keys of the protocol may be missing from it. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly extension: Extension | null;
  readonly name: unknown;
  readonly args: unknown;
  /** Why the arguments could not be decoded, or null. */
  readonly fault: Error | null;
  /** Bytes that it takes in memory, roughly. */
  readonly weight: number;
}

/** What a decoded value takes beside its bytes: a number in an array less, an empty object more. */
const VALUE_BYTES = 40;

const PROTOCOL_KEYS = new Set(["message_id", "response_to", "v", "zwire"]);

/**
 * The event in a payload. If only its arguments cannot be decoded, its `fault` says why.
 * @throws UndecodableError if the payload is not an event (T6)
 */
export function decodeEvent(codec: Codec, frame: Buffer): RpcEvent {
  if (!codec.legacyRaw) {
    const read = codec.reader.read(frame);
    if (read !== null) return fromRead(read, weightOf(frame, codec.reader.items));
  }
  const payload = codec.received(frame);
  const { scanner } = codec;
  const fault = scanner.scan(payload);
  if (fault !== null) throw new UndecodableError(fault);
  if (scanner.elements !== 3) throw new UndecodableError("it is not an array of three");
  const { end, oddKeys, extension } = scanner;
  const weight = weightOf(frame, scanner.items);
  if (oddKeys || extension !== null)
    return decodeParts(codec, payload.subarray(0, end), [...scanner.starts], weight);
  // What follows the value is ignored, as in Python (§2).
  const [header, name, args] = codec.decode(
    end === payload.length ? payload : payload.subarray(0, end),
  ) as unknown[];
  return makeEvent(header, name, args, null, weight);
}

function weightOf(payload: Buffer, items: number): number {
  return payload.length + items * VALUE_BYTES;
}

const NO_HEADER: Readonly<Record<string, unknown>> = Object.freeze({});

function fromRead(read: ReadEvent, weight: number): RpcEvent {
  const { responseTo, version, others, extension, name, args } = read;
  const zwire = extension !== undefined && isRecord(extension) ? (extension as Extension) : null;
  const id = read.astray ? null : read.id;
  const header = others ?? NO_HEADER;
  return { id, responseTo, version, header, extension: zwire, name, args, fault: null, weight };
}

/** Decodes header, name and arguments one by one, so that a call with bad arguments can be answered. */
function decodeParts(codec: Codec, payload: Buffer, starts: number[], weight: number): RpcEvent {
  const header = codec.decodeCarefully(payload.subarray(starts[0], starts[1]));
  const name = codec.decodeCarefully(payload.subarray(starts[1], starts[2]));
  try {
    return makeEvent(header, name, codec.decodeCarefully(payload.subarray(starts[2])), null, weight);
  } catch (error) {
    return makeEvent(header, name, null, error as Error, weight);
  }
}

function makeEvent(
  given: unknown,
  name: unknown,
  args: unknown,
  fault: Error | null,
  weight: number,
): RpcEvent {
  if (!isRecord(given)) throw new UndecodableError("its header is not a map with text as keys");
  const { v, zwire, response_to: answered } = given;
  const responseTo = idOf(answered);
  // It answers something whose id cannot be an id, so it belongs to no channel, and must not open one.
  const astray = responseTo === null && answered !== undefined && answered !== null;
  return {
    id: astray ? null : idOf(given.message_id),
    responseTo,
    version: typeof v === "number" && Number.isInteger(v) ? v : 1,
    header: given,
    extension: isRecord(zwire) ? (zwire as Extension) : null,
    name,
    args,
    fault,
    weight,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Map) &&
    !(value instanceof Date)
  );
}

/** The keys of a header, without those of the protocol. */
export function otherHeaders(header: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const others: Record<string, unknown> = {};
  for (const key of Object.keys(header)) if (!PROTOCOL_KEYS.has(key)) define(others, key, header[key]);
  return others;
}

/**
 * Checks header keys that a program gives.
 * @throws TypeError for a key of the protocol
 */
export function checkHeaders(headers: unknown): asserts headers is Readonly<Record<string, unknown>> {
  if (!isRecord(headers)) throw new TypeError("headers must be an object");
  for (const key of Object.keys(headers)) {
    if (PROTOCOL_KEYS.has(key))
      throw new TypeError(`headers must not have the key ${key}, which belongs to the protocol`);
  }
}

/** Makes ids as Python does: 8 hexadecimal digits of a counter, then 24 that stand for the sender. */
export class IdSource {
  readonly #suffix: Buffer;
  readonly #suffixText: string;
  readonly #type: "s" | "b";
  #counter: number;

  /** @param random 16 random bytes @param text whether ids are text, for old peers that have no type for bytes */
  constructor(random: Buffer, text: boolean) {
    this.#suffixText = random.toString("hex", 0, 12);
    this.#suffix = Buffer.from(this.#suffixText, "latin1");
    this.#counter = random.readUInt32BE(12);
    this.#type = text ? "s" : "b";
  }

  next(): Id {
    this.#counter = (this.#counter + 1) >>> 0;
    return this.#type + this.#counter.toString(16).padStart(8, "0") + this.#suffixText;
  }

  /** The counter in an id of this source; -1 for any other id. */
  numberOf(id: Id): number {
    if (id.length !== 33 || id[0] !== this.#type || !id.endsWith(this.#suffixText)) return -1;
    let number = 0;
    for (let i = 1; i <= 8; i++) {
      const code = id.charCodeAt(i);
      const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1;
      if (digit === -1) return -1;
      number = number * 16 + digit;
    }
    return number;
  }

  /** Writes an id that nobody will ask for. */
  writeNext(writer: Writer): void {
    if (this.#type === "s") {
      writeId(writer, this.next());
      return;
    }
    this.#counter = (this.#counter + 1) >>> 0;
    writer.id(this.#counter, this.#suffix);
  }
}

/** Fields of an event that is sent. */
export interface Outgoing {
  /** Its own id, or the source of a new one. */
  readonly id: Id | IdSource;
  readonly responseTo: Id | null;
  /** Prepared by `sendable`. */
  readonly headers: Readonly<Record<string, unknown>> | null;
  readonly extension: Extension | ExtensionField | null;
}

/** The header field that announces zwire, encoded once: it is the same in most events. */
export class ExtensionField {
  readonly bytes: Uint8Array;

  constructor(codec: Codec, extension: Extension) {
    codec.writer.begin();
    codec.writer.value("zwire");
    codec.writer.value(extension);
    this.bytes = Uint8Array.from(codec.writer.finish());
  }
}

/** Arguments that are sent again and again, encoded once: the answers of built-in methods. */
export class EncodedArgs {
  readonly bytes: Uint8Array;

  /** @param args prepared by `sendable` */
  constructor(codec: Codec, args: unknown) {
    codec.writer.begin();
    codec.writer.value(args);
    this.bytes = Uint8Array.from(codec.writer.finish());
  }
}

const MESSAGE_ID = encodedText("message_id");
const VERSION_FIELD = Buffer.concat([encodedText("v"), Buffer.from([VERSION])]);
const RESPONSE_TO = encodedText("response_to");

/** A short text in msgpack. */
function encodedText(text: string): Buffer {
  return Buffer.from(`${String.fromCharCode(0xa0 | text.length)}${text}`, "latin1");
}

/** The payload of an event. `args` were prepared or encoded. The keys of the header have the same order as in Python. */
export function encodeEvent(
  codec: Codec,
  { id, responseTo, headers, extension }: Outgoing,
  name: string,
  args: unknown,
): Buffer {
  const { writer } = codec;
  writer.begin();
  const others = headers === null ? NO_KEYS : Object.keys(headers);
  const fields = 2 + (responseTo === null ? 0 : 1) + others.length + (extension === null ? 0 : 1);
  writer.arrayOfMap(3, fields);
  writer.raw(MESSAGE_ID);
  if (typeof id === "string") writeId(writer, id);
  else id.writeNext(writer);
  writer.raw(VERSION_FIELD);
  if (responseTo !== null) {
    writer.raw(RESPONSE_TO);
    writeId(writer, responseTo);
  }
  for (const key of others) {
    writer.value(key);
    writer.value((headers as Record<string, unknown>)[key]);
  }
  if (extension instanceof ExtensionField) writer.raw(extension.bytes);
  else if (extension !== null) {
    writer.value("zwire");
    writer.value(extension);
  }
  writer.value(name);
  if (args instanceof EncodedArgs) writer.raw(args.bytes);
  else writer.value(args);
  return codec.written();
}

const NO_KEYS: string[] = [];

function writeId(writer: Writer, id: Id): void {
  const type = id[0];
  if (type === "b") writer.bytesOf(id);
  else if (type === "s") writer.value(id.slice(1));
  else {
    const value = BigInt(id.slice(1));
    const small = value >= -0x80000000n && value <= 0xffffffffn;
    writer.value(small ? Number(value) : value);
  }
}

const EMPTY = Buffer.alloc(0);
/** The most brokers that an answer can go back through. An envelope costs memory for as long as its client is known. */
const MOST_HOPS = 16;
/** Length of the longest routing id. */
const MOST_NAME = 255;

/**
 * Splits a message that a ROUTER has received (T4, T5) into the frames before the delimiter and the payload, which is the
 * last frame. Null if there is no payload, or more before it than an answer can carry.
 */
export function openEnvelope(frames: Buffer[]): { envelope: Buffer[]; payload: Buffer } | null {
  if (frames.length < 2) return null;
  const payload = frames[frames.length - 1];
  // The first frame is the routing id, which is never empty.
  for (let i = 1; i < frames.length - 1; i++) {
    if (i > MOST_HOPS || frames[i].length > MOST_NAME) return null;
    if (frames[i].length === 0) return { envelope: frames.slice(0, i), payload };
  }
  return frames.length > MOST_HOPS + 1 ? null : { envelope: frames.slice(0, -1), payload };
}

/** The frames of an answer: always with a delimiter (T4). */
export function enclose(envelope: readonly Buffer[], payload: Buffer): Buffer[] {
  return envelope.length === 1 ? [envelope[0], EMPTY, payload] : [...envelope, EMPTY, payload];
}
