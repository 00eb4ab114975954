/**
 * Reads WebSocket frames and delivers what is in them: in the handshake as bytes of ZMTP, afterwards as frames. A whole
 * binary message, which nearly all are, is a frame where it lies. What is fragmented or is a control frame goes through
 * odd-frames.ts. Hot path.
 */
import { writeFrameHeader } from "../../engine/frame-header.js";
import { FrameDecoder } from "../../engine/incoming/decoder.js";
import * as frameFormat from "../../wire/frame-format.js";
import { keepTogether } from "../contract/keep-together.js";
import { FrameFault, type FrameLimits } from "../contract/transport.js";
import type { Compression } from "../deflate/extension.js";
import { TooLarge } from "../deflate/jobs.js";
import { Unpacker } from "../deflate/unpacker.js";
import { applyMask, BINARY, CloseCode, FIN, MASK_BYTES, maskAt } from "./frame.js";
import { OddFrames, type OddSink } from "./odd-frames.js";
import { zmtpFlags } from "./zws.js";

// Constants of this module: see frame-format.ts.
const { FRAME_ENTRY_SIZE, LONG_HEADER } = frameFormat;

/** Frames of one table. */
const TABLE_ENTRIES = 4096;
/** Most bytes of one message in the handshake: as a session allows in any case. */
const HANDSHAKE_MAX = 64 * 1024;
/** Most bytes of an identity, as a message of its own. What is too long is refused as an identity; see Handshake. */
const IDENTITY_MAX = 1024;

/** A table that no connection is using: it is needed only while frames are handed over. */
let spare: Uint32Array | null = null;

/** Where it goes. Any of these may end the connection. */
export interface IncomingSink extends OddSink {
  /** Bytes of ZMTP, in the handshake. */
  zmtp(bytes: Buffer): void;
  onFrames(chunk: Buffer, table: Uint32Array, count: number): void;
  onLargeFrame(body: Buffer, flags: number): void;
  /** The first message of a connection without commands. */
  identity(payload: Buffer): void;
  fault(fault: FrameFault, size: number): void;
  /** What waited behind a compressed message has been read on: `waits` says whether all of it. */
  readOn(): void;
}

export class Incoming {
  readonly #sink: IncomingSink;
  /** Whether frames must be masked: those of a client. */
  readonly #masked: boolean;
  readonly #odd: OddFrames;
  readonly #unpacker: Unpacker | null;
  /** What came behind a compressed message that is still being unpacked, or after pause(). */
  #rest: Buffer | null = null;
  #paused = false;
  #limits: FrameLimits | null = null;
  #decoder: FrameDecoder | null = null;
  /** The next message is the identity. */
  #identifies: boolean;
  /** The beginning of a header. */
  #carry: Buffer | null = null;
  /** Bytes of the present payload that are to come, and what they are for: an odd frame, or ZMTP. */
  #left = 0;
  #isOdd = false;
  #mask = 0;
  #phase = 0;
  #over = false;

  constructor(masked: boolean, plain: boolean, sink: IncomingSink, compression: Compression | null = null) {
    this.#sink = sink;
    this.#masked = masked;
    this.#identifies = plain;
    this.#odd = new OddFrames(masked, compression !== null, sink, (payload, packed) => {
      if (packed) this.#unpacker?.unpack(payload, this.#identifies ? IDENTITY_MAX : this.#most);
      else this.#message(payload);
    });
    this.#unpacker =
      compression === null
        ? null
        : new Unpacker(compression, {
            unpacked: (message) => this.#message(message),
            goOn: () => this.#goOn(),
            notUnpacked: (error, most) => this.#notUnpacked(error, most),
          });
  }

  /** From now on frames are delivered. `leftover` are bytes of ZMTP that were delivered. */
  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    this.#limits = limits;
    this.#decoder = new FrameDecoder(limits, {
      onFrames: (chunk, table, count) => {
        keepTogether(chunk);
        this.#sink.onFrames(chunk, table, count);
      },
      onLargeFrame: (body, flags) => this.#sink.onLargeFrame(body, flags),
    });
    if (leftover.length > 0) this.#decode(Buffer.from(leftover));
  }

  /** Whether a frame or a message is incomplete. */
  get partial(): boolean {
    return this.#carry !== null || this.#left > 0 || this.#odd.fragmented;
  }

  /** Nothing is delivered any more. */
  stop(): void {
    this.#over = true;
    this.#rest = null;
    this.#unpacker?.stop();
    this.#decoder?.close();
    this.#odd.stop();
  }

  /** Whether bytes that have come are not read yet, because a message is being unpacked, or after pause(). */
  get waits(): boolean {
    return this.#unpacker?.waits === true || this.#rest !== null;
  }

  /** A few bytes may unpack to many, so that even those that have come are not read on. */
  pause(): void {
    this.#paused = this.#unpacker !== null;
  }

  /** Reads on, in a turn of its own if bytes have waited. */
  resume(): void {
    this.#paused = false;
    if (this.#rest !== null) setImmediate(() => this.#goOn());
  }

  get #held(): boolean {
    return this.#over || this.#paused || this.#unpacker?.waits === true;
  }

  #goOn(): void {
    const rest = this.#rest;
    if (this.#held) return;
    this.#rest = null;
    if (rest !== null) this.push(rest);
    if (!this.#over) this.#sink.readOn();
  }

  /** Takes bytes, which belong to the frames afterwards. */
  push(bytes: Buffer): void {
    if (this.#rest !== null || (this.#unpacker !== null && this.#held)) {
      if (!this.#over) this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
      return;
    }
    let chunk = bytes;
    if (this.#carry !== null) {
      chunk = Buffer.concat([this.#carry, bytes]);
      this.#carry = null;
    }
    let at = 0;
    while (at < chunk.length && !this.#over) {
      if (this.#unpacker !== null && this.#held) {
        this.#rest = chunk.subarray(at);
        return;
      }
      if (this.#left > 0) at = this.#payload(chunk, at);
      else {
        const next = this.#simple ? this.#frames(chunk, at) : at;
        if (next > at) at = next;
        else {
          at = this.#header(chunk, next);
          if (at < 0) {
            this.#carry = Buffer.from(chunk.subarray(next));
            return;
          }
        }
      }
    }
  }

  /** Whether a whole binary message is one frame. */
  get #simple(): boolean {
    return this.#decoder !== null && !this.#identifies && !this.#odd.fragmented;
  }

  /** Delivers as many whole binary messages as there are. @returns where something else begins */
  #frames(chunk: Buffer, from: number): number {
    const decoder = this.#decoder as FrameDecoder;
    const table = spare ?? new Uint32Array(TABLE_ENTRIES * FRAME_ENTRY_SIZE);
    spare = null;
    const size = chunk.length;
    const marked = this.#masked ? 0x80 : 0;
    const extra = this.#masked ? MASK_BYTES : 0;
    let at = from;
    let count = 0;
    let fault: FrameFault = FrameFault.none;
    while (count < TABLE_ENTRIES && size - at >= 3 + extra && chunk[at] === (FIN | BINARY)) {
      let length = chunk[at + 1] ^ marked;
      let payloadAt = at + 2 + extra;
      if (length >= 126) {
        if (length !== 126) break; // longer than any chunk, or masked wrongly
        length = (chunk[at + 2] << 8) | chunk[at + 3];
        payloadAt += 2;
      }
      if (length === 0 || size - payloadAt < length) break;
      let first = chunk[payloadAt];
      if (extra > 0) {
        const mask = maskAt(chunk, payloadAt - MASK_BYTES);
        first ^= mask & 0xff;
        if (mask !== 0) applyMask(chunk, payloadAt + 1, payloadAt + length, mask, 1);
      }
      const flags = zmtpFlags(first);
      fault = decoder.admit(flags, length - 1);
      if (fault !== FrameFault.none) break;
      const entry = count * FRAME_ENTRY_SIZE;
      table[entry] = payloadAt + 1;
      table[entry + 1] = length - 1;
      table[entry + 2] = flags;
      count++;
      at = payloadAt + length;
    }
    if (count > 0) {
      keepTogether(chunk);
      this.#sink.onFrames(chunk, table, count);
    }
    spare = table;
    if (fault !== FrameFault.none) this.#fault(fault);
    return at;
  }

  /** Reads a header. @returns where the payload begins; -1 if the header is incomplete */
  #header(chunk: Buffer, at: number): number {
    const available = chunk.length - at;
    if (available < 2) return -1;
    let length = chunk[at + 1] & 0x7f;
    let next = at + 2;
    if (length === 126) {
      if (available < 4) return -1;
      length = chunk.readUInt16BE(next);
      next += 2;
    } else if (length === 127) {
      if (available < 10) return -1;
      length = chunk.readUInt32BE(next) * 2 ** 32 + chunk.readUInt32BE(next + 4);
      next += 8;
    }
    const masked = chunk[at + 1] > 0x7f;
    if (masked && chunk.length - next < MASK_BYTES) return -1;
    const mask = masked ? maskAt(chunk, next) : 0;
    if (masked) next += MASK_BYTES;
    return this.#begin(chunk, next, { first: chunk[at], masked, length, mask });
  }

  /** A frame begins. @returns where the rest of it begins; -1 if the flags of ZWS have not arrived */
  #begin(chunk: Buffer, at: number, { first, masked, length, mask }: Header): number {
    const binary = first === (FIN | BINARY) && masked === this.#masked && length > 0 && !this.#odd.fragmented;
    if (binary && !this.#identifies) {
      if (at === chunk.length) return -1;
      this.#isOdd = false;
      this.#mask = mask;
      this.#phase = 1;
      this.#left = length - 1;
      const flags = zmtpFlags(chunk[at] ^ (mask & 0xff));
      const header = Buffer.allocUnsafe(LONG_HEADER);
      this.#zmtp(header.subarray(0, writeFrameHeader(header, 0, flags, length - 1)));
      return at + 1;
    }
    this.#isOdd = true;
    this.#mask = mask;
    this.#phase = 0;
    this.#left = length;
    const most = this.#identifies ? IDENTITY_MAX : this.#most;
    if (this.#odd.begin(first, masked, length, most) && length === 0) this.#odd.end();
    return at;
  }

  /** Most bytes of a fragmented message. */
  get #most(): number {
    return this.#limits === null ? HANDSHAKE_MAX : this.#limits.maxFrameBytes + 1;
  }

  /** Takes bytes of the present payload. @returns where the next ones begin */
  #payload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    if (this.#mask !== 0) applyMask(chunk, at, end, this.#mask, this.#phase);
    this.#phase = (this.#phase + end - at) & 3;
    this.#left -= end - at;
    const piece = chunk.subarray(at, end);
    if (!this.#isOdd) this.#zmtp(piece);
    else {
      this.#odd.add(piece);
      if (this.#left === 0) this.#odd.end();
    }
    return end;
  }

  /** Bytes of ZMTP, as they come. */
  #zmtp(bytes: Buffer): void {
    if (this.#decoder === null) this.#sink.zmtp(bytes);
    else this.#decode(bytes);
  }

  #decode(bytes: Buffer): void {
    const fault = (this.#decoder as FrameDecoder).push(bytes);
    if (fault !== FrameFault.none) this.#fault(fault);
  }

  #fault(fault: FrameFault): void {
    if (!this.#over) this.#sink.fault(fault, (this.#decoder as FrameDecoder).faultSize);
  }

  #notUnpacked(error: Error, most: number): void {
    if (error instanceof TooLarge) {
      const text = `a compressed message that unpacks to more than ${most} bytes (maxMessageSize)`;
      this.#sink.broken(CloseCode.tooBig, text);
    } else this.#sink.broken(CloseCode.invalidData, "a compressed message that cannot be unpacked");
  }

  /** A message that came in fragments, or is an identity. */
  #message(payload: Buffer): void {
    if (this.#identifies) {
      this.#identifies = false;
      this.#sink.identity(payload);
      return;
    }
    if (payload.length === 0) {
      this.#sink.broken(CloseCode.protocolError, "an empty message");
      return;
    }
    const flags = zmtpFlags(payload[0]);
    const body = payload.subarray(1);
    if (this.#decoder === null) {
      const header = Buffer.allocUnsafe(LONG_HEADER);
      const end = writeFrameHeader(header, 0, flags, body.length);
      this.#sink.zmtp(Buffer.concat([header.subarray(0, end), body]));
    } else {
      const fault = this.#decoder.admit(flags, body.length);
      if (fault === FrameFault.none) this.#sink.onLargeFrame(body, flags);
      else this.#fault(fault);
    }
  }
}

interface Header {
  readonly first: number;
  readonly masked: boolean;
  readonly length: number;
  readonly mask: number;
}
