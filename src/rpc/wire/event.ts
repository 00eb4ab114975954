/**
 * Events, `[header, name, args]`, to and from the frames of a message (§2, §3).
 * Knows no channels and no sockets; random octets are handed in.
 */
import { Buffer } from "../../base/platform.js";
import { type Codec, define, UndecodableError } from "./codec.js";
import { type Id, idOf } from "./id.js";
import type { ReadEvent } from "./reader.js";
import type { Writer } from "./writer.js";

/** Version of the protocol, header key "v". */
export const VERSION = 3;

/** Names of events that are no methods. */
export const OK = "OK";
export const ERR = "ERR";
export const STREAM = "STREAM";
export const STREAM_DONE = "STREAM_DONE";
export const MORE = "_zpc_more";
export const HEARTBEAT = "_zpc_hb";
/** Extension: the sender has given up this channel. Only sent to peers that announced themselves as zwire. */
export const CANCEL = "_zpc_cancel";

/**
 * Value of the header key "zwire": its presence says that the sender is zwire and knows the extensions. Others ignore
 * the key (§3).
 */
export interface Extension {
  /** In a request: milliseconds that the caller waits. */
  readonly timeout?: number;
  /** In an ERR: `error.code`. */
  readonly code?: string;
  /** In an ERR: `error.data`. */
  readonly data?: unknown;
}

/** A received event. */
export interface RpcEvent {
  /** Null: none, or none that can be used. */
  readonly id: Id | null;
  readonly responseTo: Id | null;
  /** 1 where it does not say. */
  readonly version: number;
  /** The keys of the header; those of the protocol may be missing. */
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
 * The event in a payload.
 * @throws UndecodableError for what is no event (T6); arguments that cannot be decoded are its `fault` instead
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
  if (scanner.elements !== 3) throw new UndecodableError("it is no array of three");
  const { end, oddKeys, extension } = scanner;
  const weight = weightOf(frame, scanner.items);
  if (oddKeys || extension !== null)
    return decodeParts(codec, payload.subarray(0, end), [...scanner.starts], weight);
  // What follows the value is ignored, as Python does (§2).
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

/** Header, name and arguments one by one, so that bad arguments fail one call and not its answer. */
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
  if (!isRecord(given)) throw new UndecodableError("its header is no map with text as keys");
  const { v, zwire, response_to: answered } = given;
  const responseTo = idOf(answered);
  // It answers something whose id cannot be one: it belongs to nobody, and opens no channel.
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

/** The keys of a header that are not the protocol's. */
export function otherHeaders(header: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const others: Record<string, unknown> = {};
  for (const key of Object.keys(header)) if (!PROTOCOL_KEYS.has(key)) define(others, key, header[key]);
  return others;
}

/**
 * Checks header keys that a program gives.
 * @throws TypeError for one of the protocol's own
 */
export function checkHeaders(headers: unknown): asserts headers is Readonly<Record<string, unknown>> {
  if (!isRecord(headers)) throw new TypeError("headers must be an object");
  for (const key of Object.keys(headers)) {
    if (PROTOCOL_KEYS.has(key))
      throw new TypeError(`headers must not have the key ${key}, which is the protocol's`);
  }
}

/** Makes ids as Python does: 8 hexadecimal digits of a counter, then 24 that are the sender's. */
export class IdSource {
  readonly #suffix: Buffer;
  readonly #suffixText: string;
  readonly #type: "s" | "b";
  #counter: number;

  /** @param random 16 random octets @param text ids as text, for peers of old that know no bytes */
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

  /** The number in an id of this source; -1 for what is none of its ids. */
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

  /** Write an id that nobody will ask for. */
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
  /** Its own id, or where to take one from. */
  readonly id: Id | IdSource;
  readonly responseTo: Id | null;
  /** Prepared. */
  readonly headers: Readonly<Record<string, unknown>> | null;
  readonly extension: Extension | ExtensionField | null;
}

/** The field of the header that announces zwire, encoded: the same in most events. */
export class ExtensionField {
  readonly octets: Uint8Array;

  constructor(codec: Codec, extension: Extension) {
    codec.writer.begin();
    codec.writer.value("zwire");
    codec.writer.value(extension);
    this.octets = Uint8Array.from(codec.writer.finish());
  }
}

/** The arguments of an event that is sent again and again, encoded: what built-in methods answer with. */
export class EncodedArgs {
  readonly octets: Uint8Array;

  /** @param args prepared */
  constructor(codec: Codec, args: unknown) {
    codec.writer.begin();
    codec.writer.value(args);
    this.octets = Uint8Array.from(codec.writer.finish());
  }
}

const MESSAGE_ID = octetsOf("message_id");
const VERSION_FIELD = Buffer.concat([octetsOf("v"), Buffer.from([VERSION])]);
const RESPONSE_TO = octetsOf("response_to");

/** A short text in msgpack. */
function octetsOf(text: string): Buffer {
  return Buffer.from(`${String.fromCharCode(0xa0 | text.length)}${text}`, "latin1");
}

/** The payload of an event whose args were prepared, or encoded. Order of the header's keys as Python's. */
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
  if (extension instanceof ExtensionField) writer.raw(extension.octets);
  else if (extension !== null) {
    writer.value("zwire");
    writer.value(extension);
  }
  writer.value(name);
  if (args instanceof EncodedArgs) writer.raw(args.octets);
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
/** Brokers that an answer can be sent back through: an envelope costs memory for as long as its client is known. */
const MOST_HOPS = 16;
/** Longest name that a connection can have. */
const MOST_NAME = 255;

/**
 * Parts a message that a ROUTER received (T4, T5): what is in front of the delimiter, and the payload, which is the last
 * frame. Null when there is no payload, or more in front of it than an answer could carry.
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
