/**
 * Events, `[header, name, args]`, to and from the frames of a message (§2, §3), and the ids by which channels are known.
 * Knows no channels and no sockets; random octets are handed in.
 */
import { type Codec, define, UndecodableError } from "./codec.js";

/** An id as it came: text, bytes or an integer. It is echoed as what it was (T2). */
export type Id = string | Buffer | number | bigint;

/** Version of the protocol, header key "v". */
export const VERSION = 3;
/** Longest id that is accepted. */
const MAX_ID = 1024;

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
  /** Every key of the header. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly extension: Extension | null;
  readonly name: unknown;
  readonly args: unknown;
  /** Why the arguments could not be decoded, or null. */
  readonly fault: Error | null;
}

const PROTOCOL_KEYS = new Set(["message_id", "response_to", "v", "zwire"]);

/** Key of a channel: ids of different types are different (T3). */
export function keyOf(id: Id): string {
  if (typeof id === "string") return `s${id}`;
  return typeof id === "object" ? `b${id.toString("latin1")}` : `i${id}`;
}

/**
 * The event in a payload.
 * @throws UndecodableError for what is no event (T6); arguments that cannot be decoded are its `fault` instead
 */
export function decodeEvent(codec: Codec, frame: Buffer): RpcEvent {
  const payload = codec.received(frame);
  const { scanner } = codec;
  const fault = scanner.scan(payload);
  if (fault !== null) throw new UndecodableError(fault);
  if (scanner.elements !== 3) throw new UndecodableError("it is no array of three");
  const { end, oddKeys, extension } = scanner;
  if (oddKeys || extension !== null) return decodeParts(codec, payload.subarray(0, end), [...scanner.starts]);
  // What follows the value is ignored, as Python does (§2).
  const [header, name, args] = codec.decode(
    end === payload.length ? payload : payload.subarray(0, end),
  ) as unknown[];
  return makeEvent(header, name, args, null);
}

/** Header, name and arguments one by one, so that bad arguments fail one call and not its answer. */
function decodeParts(codec: Codec, payload: Buffer, starts: number[]): RpcEvent {
  const header = codec.decodeCarefully(payload.subarray(starts[0], starts[1]));
  const name = codec.decodeCarefully(payload.subarray(starts[1], starts[2]));
  try {
    return makeEvent(header, name, codec.decodeCarefully(payload.subarray(starts[2])), null);
  } catch (error) {
    return makeEvent(header, name, null, error as Error);
  }
}

function makeEvent(given: unknown, name: unknown, args: unknown, fault: Error | null): RpcEvent {
  if (!isRecord(given)) throw new UndecodableError("its header is no map with text as keys");
  const { v, zwire } = given;
  return {
    id: toId(given.message_id),
    responseTo: toId(given.response_to),
    version: typeof v === "number" && Number.isInteger(v) ? v : 1,
    header: given,
    extension: isRecord(zwire) ? (zwire as Extension) : null,
    name,
    args,
    fault,
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

function toId(value: unknown): Id | null {
  if (typeof value === "string") return value.length <= MAX_ID ? value : null;
  if (value instanceof Uint8Array) return value.length <= MAX_ID ? Buffer.from(value) : null; // a copy: it lives long
  return typeof value === "bigint" || Number.isInteger(value) ? (value as bigint | number) : null;
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
  readonly #suffix: string;
  readonly #text: boolean;
  #counter: number;

  /** @param random 16 random octets @param text ids as text, for peers of old that know no bytes */
  constructor(random: Buffer, text: boolean) {
    this.#suffix = random.toString("hex", 0, 12);
    this.#counter = random.readUInt32BE(12);
    this.#text = text;
  }

  next(): Id {
    this.#counter = (this.#counter + 1) >>> 0;
    const id = this.#counter.toString(16).padStart(8, "0") + this.#suffix;
    return this.#text ? id : Buffer.from(id, "latin1");
  }
}

/** Fields of an event that is sent. */
export interface Outgoing {
  readonly id: Id;
  readonly responseTo: Id | null;
  /** Prepared. */
  readonly headers: Readonly<Record<string, unknown>> | null;
  readonly extension: Extension | null;
}

/** The payload of an event whose args were prepared. Order of the header's keys as Python's. */
export function encodeEvent(
  codec: Codec,
  { id, responseTo, headers, extension }: Outgoing,
  name: string,
  args: unknown,
): Buffer {
  const header: Record<string, unknown> = { message_id: wireId(id), v: VERSION };
  if (responseTo !== null) header.response_to = wireId(responseTo);
  if (headers !== null) Object.assign(header, headers);
  if (extension !== null) header.zwire = extension;
  return codec.encode([header, name, args]);
}

/** Integers beyond 32 bits would become floats. */
function wireId(id: Id): Id {
  return typeof id === "number" && (id > 4294967295 || id < -2147483648) ? BigInt(id) : id;
}

const EMPTY = Buffer.alloc(0);

/**
 * Parts a message that a ROUTER received (T4, T5): what is in front of the delimiter, and the payload, which is the last
 * frame. Null when there is no payload.
 */
export function openEnvelope(frames: Buffer[]): { envelope: Buffer[]; payload: Buffer } | null {
  if (frames.length < 2) return null;
  const payload = frames[frames.length - 1];
  // The first frame is the routing id, which is never empty.
  for (let i = 1; i < frames.length - 1; i++) {
    if (frames[i].length === 0) return { envelope: frames.slice(0, i), payload };
  }
  return { envelope: frames.slice(0, -1), payload };
}

/** The frames of an answer: always with a delimiter (T4). */
export function enclose(envelope: readonly Buffer[], payload: Buffer): Buffer[] {
  return [...envelope, EMPTY, payload];
}
