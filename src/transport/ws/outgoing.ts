/**
 * Turns the bytes of ZMTP that a session writes into WebSocket frames: each ZMTP frame becomes one binary message, whose
 * first byte has its flags (X6). Bytes may come in any pieces, and no frame waits for its end. Our greeting is left out: the
 * sub-protocol has said all of it. Hot path.
 */
import { bytesNow } from "../../base/message.js";
import { readLength } from "../../engine/frame-header.js";
import * as frameFormat from "../../wire/frame-format.js";
import { parseCommand, parsePing } from "../../wire/zmtp/command.js";
import { GREETING_SIZE } from "../../wire/zmtp/greeting.js";
import type { PackedMessage, Packer } from "../deflate/packer.js";
import {
  applyMask,
  BINARY,
  controlFrame,
  freshMask,
  LONGEST_HEADER,
  maskAt,
  masks,
  PACKED,
  PING,
  writeHeader,
} from "./frame.js";
import { writeMasked, writePlain } from "./small-frames.js";
import { withoutCommands, ZWS_COMMAND, zwsFlags } from "./zws.js";

// Constants of this module: see frame-format.ts.
const { COMMAND, LONG, LONG_HEADER, MORE, SHORT_HEADER } = frameFormat;

/** Bytes of a body that are passed on by reference, if they need no mask. */
const BY_REFERENCE = 8192;
/** Bytes of a body that are copied and masked one by one. */
const ONE_BY_ONE = 48;
/** Bytes passed on by reference after which a chunk ends. */
const CHUNK_BYTES = 1024 * 1024;
/** Bodies below this are part of a message whose size has one byte. */
const SMALL = 125;
/** Room in the slab for the longest header, with the flags behind it. */
const HEAD_ROOM = LONGEST_HEADER + 1;

export class Outgoing {
  readonly #masking: boolean;
  readonly #plain: boolean;
  readonly #packer: Packer | null;
  #segments: readonly Uint8Array[] = [];
  #index = 0;
  #at = 0;
  /** Bytes of the present write that were read. */
  position = 0;
  /** Bytes of our greeting that are still to come. */
  #greeting = GREETING_SIZE;
  /** The header of a frame that came in pieces. */
  readonly #header = Buffer.alloc(LONG_HEADER);
  #headerLength = 0;
  /** Bytes of the present frame's body that are to come. */
  #left = 0;
  #mask = 0;
  /** Bytes of the present payload before the next one. */
  #phase = 0;
  /** Without commands: the body of one, which is translated as a whole. */
  #command: Buffer | null = null;
  // The chunk being made.
  #slab: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  #out: Uint8Array[] = [];
  /** Bytes of the chunk. */
  bytes = 0;
  /** `position` before the chunk, and for each frame that ends in it: the bytes of the chunk and the `position` there. */
  #from = 0;
  readonly #ends: number[] = [];

  /**
   * @param masking whether we are the client
   * @param plain whether the sub-protocol has no commands
   * @param packer compresses large messages, if that was agreed on
   */
  constructor(masking: boolean, plain: boolean, packer: Packer | null = null) {
    this.#masking = masking;
    this.#plain = plain;
    this.#packer = packer;
  }

  /** Begins with the segments of the next write. The last one has been read to its end. */
  begin(segments: readonly Uint8Array[]): void {
    this.#segments = segments;
    this.#index = 0;
    this.#at = 0;
    this.position = 0;
    this.#from = 0;
    this.bytes = 0;
    this.#ends.length = 0;
  }

  /** Whether anything of the write has not gone into a chunk. */
  get remaining(): boolean {
    return this.#index < this.#segments.length || this.#unfinished;
  }

  /** Bytes of the write that are unread: fewer than there should be where memory has been taken away. */
  get bytesLeft(): number {
    let bytes = -this.#at;
    for (let i = this.#index; i < this.#segments.length; i++) bytes += bytesNow(this.#segments[i]);
    return bytes;
  }

  /** Whether a whole frame has been read that is being compressed, or waits for a chunk. */
  get #unfinished(): boolean {
    return this.#packer?.busy === true && this.#left === 0;
  }

  /** Whether the output so far ends with a whole frame: then a control frame may follow. */
  get whole(): boolean {
    return this.#left === 0 || this.#command !== null || this.#packer?.busy === true;
  }

  /**
   * Makes the next chunk, in a slab and beside it.
   * @returns its pieces; none if nothing of what was read goes out
   */
  fill(slab: Buffer): Uint8Array[] {
    this.#slab = slab;
    this.#start = 0;
    this.#end = 0;
    this.#out = [];
    this.bytes = 0;
    this.#from = this.#claimed;
    this.#ends.length = 0;
    const packer = this.#packer;
    while (this.bytes < CHUNK_BYTES) {
      if (packer !== null) {
        if (packer.waits || packer.tired) break;
        if (packer.done !== null) {
          if (slab.length - this.#end < HEAD_ROOM) break;
          this.#goesOn(packer.done);
          packer.clear();
          continue;
        }
      }
      if (this.#index === this.#segments.length) break;
      const segment = this.#segments[this.#index];
      if (this.#at === segment.length) {
        this.#index++;
        this.#at = 0;
      } else if (this.#greeting > 0) this.#skip(segment);
      else if (this.#left > 0) {
        if (!this.#body(segment)) break;
      } else {
        if (this.#headerLength === 0 && this.#small(segment)) continue;
        if (slab.length - this.#end < HEAD_ROOM) break;
        this.#head(segment);
      }
    }
    this.#closePiece();
    return this.#out;
  }

  /** `position`, but within a frame of which nothing has gone out. */
  get #claimed(): number {
    return this.#unfinished ? this.position - 1 : this.position;
  }

  /** A compressed message, which is ours: masks it in place. */
  #goesOn({ payload, packed }: PackedMessage): void {
    const { length } = payload;
    const slab = this.#slab;
    const from = this.#end;
    const mask = this.#masking ? freshMask() : -1;
    if (mask >= 0) applyMask(payload, 0, length, maskAt(masks, mask), 0);
    this.#end = writeHeader(slab, from, packed ? BINARY | PACKED : BINARY, length, mask);
    this.bytes += this.#end - from + length;
    if (length <= BY_REFERENCE && slab.length - this.#end >= length) {
      slab.set(payload, this.#end);
      this.#end += length;
    } else {
      this.#closePiece();
      this.#out.push(payload);
    }
    this.#ends.push(this.bytes, this.position);
  }

  /**
   * How much of the write the peer certainly did not get, if the kernel has not taken the last bytes of the last chunk. A
   * frame that it has taken in part counts as a part.
   */
  taken(pending: number): number {
    const taken = this.bytes - pending;
    if (taken >= this.bytes) return this.#claimed;
    let chunkEnd = 0;
    let end = this.#from;
    for (let i = 0; i < this.#ends.length && this.#ends[i] <= taken; i += 2) {
      chunkEnd = this.#ends[i];
      end = this.#ends[i + 1];
    }
    const next = this.#ends.find((_, i) => i % 2 === 1 && this.#ends[i] > end) ?? this.#claimed;
    return end + Math.min(Math.max(0, taken - chunkEnd), Math.max(0, next - end - 1));
  }

  #skip(segment: Uint8Array): void {
    const count = Math.min(this.#greeting, segment.length - this.#at);
    this.#greeting -= count;
    this.#read(count);
  }

  #read(count: number): void {
    this.#at += count;
    this.position += count;
  }

  /** Turns as many small frames as are whole, which most messages are. @returns whether there was one */
  #small(segment: Uint8Array): boolean {
    const slab = this.#slab;
    const [from, begin] = [this.#at, this.#end];
    const before = this.bytes - begin;
    const start = this.position - from;
    const unreadable = this.#plain ? LONG | COMMAND : LONG;
    let at = from;
    let end = begin;
    if (this.#packer?.takes(SMALL - 1) === true) return false; // the threshold is among the small ones
    while (segment.length - at >= SHORT_HEADER) {
      const flags = segment[at];
      const length = segment[at + 1];
      const next = at + SHORT_HEADER + length;
      if ((flags & unreadable) !== 0 || length >= SMALL || next > segment.length) break;
      if (slab.length - end < SMALL + HEAD_ROOM) break;
      const zws = (flags & COMMAND) === 0 ? flags & MORE : ZWS_COMMAND;
      end = this.#masking
        ? writeMasked(slab, end, zws, segment, at + SHORT_HEADER, length)
        : writePlain(slab, end, zws, segment, at + SHORT_HEADER, length);
      at = next;
      this.#ends.push(before + end, start + at);
    }
    if (at === from) return false;
    this.bytes = before + end;
    this.#end = end;
    this.#read(at - from);
    return true;
  }

  /** Reads a header, or a piece of one. */
  #head(segment: Uint8Array): void {
    const at = this.#at;
    const needed = this.#headerLength === 0 ? headerOf(segment[at]) : headerOf(this.#header[0]);
    if (this.#headerLength === 0 && segment.length - at >= needed) {
      this.#read(needed);
      this.#frame(segment, at);
      return;
    }
    const count = Math.min(needed - this.#headerLength, segment.length - at);
    this.#header.set(segment.subarray(at, at + count), this.#headerLength);
    this.#headerLength += count;
    this.#read(count);
    if (this.#headerLength < needed) return;
    this.#headerLength = 0;
    this.#frame(this.#header, 0);
  }

  /** A frame begins: `bytes` have its header. */
  #frame(bytes: Uint8Array, at: number): void {
    const flags = bytes[at];
    const length = (flags & LONG) === 0 ? bytes[at + 1] : readLength(bytes, at + 1);
    this.#phase = 0;
    this.#left = length;
    if (this.#plain && (flags & COMMAND) !== 0) {
      this.#command = Buffer.allocUnsafe(length);
      return; // a command is never empty
    }
    if ((flags & COMMAND) === 0 && this.#packer?.takes(length) === true) {
      this.#packer.begin(zwsFlags(flags), length);
      return;
    }
    this.#begin(zwsFlags(flags), length);
    if (length === 0) this.#frameEnds();
  }

  /** Writes the header of a message, and its flags. */
  #begin(flags: number, length: number): void {
    const slab = this.#slab;
    const from = this.#end;
    if (this.#masking) {
      const pooled = freshMask();
      this.#mask = maskAt(masks, pooled);
      const at = writeHeader(slab, from, BINARY, length + 1, pooled);
      slab[at] = flags ^ this.#mask;
      this.#end = at + 1;
    } else {
      const at = writeHeader(slab, from, BINARY, length + 1, -1);
      slab[at] = flags;
      this.#end = at + 1;
    }
    this.#phase = 1;
    this.bytes += this.#end - from;
  }

  /** Passes on a piece of the body. False if the slab is full. */
  #body(segment: Uint8Array): boolean {
    const at = this.#at;
    let count = Math.min(this.#left, segment.length - at);
    if (this.#command !== null) {
      this.#command.set(segment.subarray(at, at + count), this.#command.length - this.#left);
      if (!this.#hasRoom(count)) return false;
    } else if (this.#packer?.busy === true) {
      this.#packer.add(count === segment.length ? segment : segment.subarray(at, at + count));
    } else if (!this.#masking && count >= BY_REFERENCE) {
      this.#closePiece();
      this.#out.push(count === segment.length ? segment : segment.subarray(at, at + count));
      this.bytes += count;
    } else {
      count = Math.min(count, this.#slab.length - this.#end);
      if (count === 0) return false;
      this.#copy(segment, at, count);
    }
    this.#phase += count;
    this.#left -= count;
    this.#read(count);
    if (this.#left === 0 && this.#packer?.busy !== true) this.#frameEnds();
    return true;
  }

  /** What is made of a whole command is written at its end, and is not longer than it, but for headers. */
  #hasRoom(count: number): boolean {
    const command = this.#command as Buffer;
    const room = Math.min(command.length, this.#slab.length / 2) + HEAD_ROOM;
    return count < this.#left || this.#slab.length - this.#end >= room;
  }

  #copy(segment: Uint8Array, at: number, count: number): void {
    const slab = this.#slab;
    const from = this.#end;
    if (count <= ONE_BY_ONE) {
      const mask = this.#masking ? this.#mask : 0;
      let shift = (this.#phase & 3) << 3;
      for (let i = 0; i < count; i++) {
        slab[from + i] = segment[at + i] ^ (mask >>> shift);
        shift = (shift + 8) & 31;
      }
    } else {
      slab.set(at === 0 && count === segment.length ? segment : segment.subarray(at, at + count), from);
      if (this.#masking) applyMask(slab, from, from + count, this.#mask, this.#phase);
    }
    this.#end = from + count;
    this.bytes += count;
  }

  #frameEnds(): void {
    const command = this.#command;
    if (command !== null) {
      this.#command = null;
      this.#translate(command);
    }
    this.#ends.push(this.bytes, this.position);
  }

  /** Without commands: PING becomes the WebSocket's own, which every browser answers. */
  #translate(body: Buffer): void {
    const command = parseCommand(body);
    if (command === undefined) return;
    if (command.name === "PING") {
      const frame = controlFrame(PING, parsePing(command.data)?.context ?? EMPTY, this.#masking);
      this.#closePiece();
      this.#out.push(frame);
      this.bytes += frame.length;
      return;
    }
    const message = withoutCommands(command, body);
    if (message === null) return;
    this.#begin(message.flags, message.payload.length);
    this.#copyAll(message.payload);
  }

  #copyAll(bytes: Buffer): void {
    if (bytes.length > 0) this.#copy(bytes, 0, bytes.length);
  }

  #closePiece(): void {
    if (this.#end === this.#start) return;
    this.#out.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

function headerOf(flags: number): number {
  return (flags & LONG) === 0 ? SHORT_HEADER : LONG_HEADER;
}
