/**
 * Commands: frames with the COMMAND bit, a name and a body (D1, E12, E13 and section F of docs/conformance.md).
 */
import { Buffer } from "../../base/platform.js";
import { COMMAND, headerSize, LONG, SHORT_BODY_MAX } from "../frame-format.js";
import { printable } from "./protocol-error.js";

/** Most bytes of the context of a PING or PONG (F6, F7). */
const CONTEXT_MAX = 16;

/** A parsed command. */
export interface Command {
  readonly name: string;
  readonly data: Buffer;
}

/** A parsed PING. */
export interface Ping {
  /** 0 if the peer announces no time to live. */
  readonly ttlMs: number;
  readonly context: Buffer;
}

function frame(flags: number, ...pieces: Uint8Array[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const short = length <= SHORT_BODY_MAX;
  const header = Buffer.alloc(headerSize(length));
  header[0] = short ? flags : flags | LONG;
  if (short) header[1] = length;
  else header.writeBigUInt64BE(BigInt(length), 1);
  return Buffer.concat([header, ...pieces]);
}

/** A whole command frame (E2, E6, E13, F1). */
export function encodeCommand(name: string, data: Uint8Array): Buffer {
  return frame(COMMAND, Buffer.from([name.length]), Buffer.from(name, "latin1"), data);
}

/** Returns undefined for an empty body, or a name that is longer than the body (E12). */
export function parseCommand(body: Uint8Array): Command | undefined {
  if (body.length === 0 || body[0] === 0 || body[0] > body.length - 1) return undefined;
  const bytes = Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength);
  const end = 1 + bytes[0];
  return { name: bytes.toString("latin1", 1, end), data: bytes.subarray(end) };
}

/** SUBSCRIBE for a 3.1 peer (F1). */
export function encodeSubscribe(topic: Uint8Array): Buffer {
  return encodeCommand("SUBSCRIBE", topic);
}

/** CANCEL for a 3.1 peer (F2). */
export function encodeCancel(topic: Uint8Array): Buffer {
  return encodeCommand("CANCEL", topic);
}

/** A subscription in message form, for a 3.0 peer (A7). */
export function encodeSubscribeMessage(topic: Uint8Array): Buffer {
  return frame(0, Buffer.from([1]), topic);
}

/** A cancellation in message form, for a 3.0 peer (A7). */
export function encodeCancelMessage(topic: Uint8Array): Buffer {
  return frame(0, Buffer.from([0]), topic);
}

/** ERROR with a reason of at most 255 printable characters (D1). */
export function encodeError(reason: string): Buffer {
  const text = Buffer.from(printable(reason), "latin1");
  return encodeCommand("ERROR", Buffer.concat([Buffer.from([text.length]), text]));
}

/** PING with a time to live in tenths of a second and a context of at most 16 bytes (F6). */
export function encodePing(ttlTenths: number, context: Uint8Array): Buffer {
  if (context.length > CONTEXT_MAX) throw new RangeError(`a PING context of ${context.length} bytes`);
  const ttl = Buffer.alloc(2);
  ttl.writeUInt16BE(ttlTenths);
  return encodeCommand("PING", Buffer.concat([ttl, context]));
}

/** PONG with the PING's context (F7). */
export function encodePong(context: Uint8Array): Buffer {
  return encodeCommand("PONG", context);
}

/** Returns undefined if it is too short for a time to live (F8). A long context is cut, as libzmq does (F7). */
export function parsePing(data: Buffer): Ping | undefined {
  if (data.length < 2) return undefined;
  return { ttlMs: data.readUInt16BE(0) * 100, context: data.subarray(2, 2 + CONTEXT_MAX) };
}
