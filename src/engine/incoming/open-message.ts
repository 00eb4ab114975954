/**
 * The parts of an incomplete message, or of a message of very many parts until it is read, stored compactly. The Buffer of
 * each part is created when the message is taken. Creating them on arrival cost a hundred bytes each, so that a peer could
 * fill the memory of the process with endless empty parts.
 */

import { letGoOf } from "../../base/lent.js";
import type { Message } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { PART_COST } from "../message-size.js";
import { BodyView } from "./body-view.js";
import type { FrameFilter } from "./frame-run.js";

/** Size of the first block, and of the largest block that is allocated ahead of need. */
const FIRST_BLOCK_BYTES = 64;
const BLOCK_BYTES = 65536;
/** A length up to this takes one byte; a longer one takes LONG_MARK and four bytes. */
const SHORT_MAX = 253;
const LONG_MARK = 254;
/** Marks a part that keeps its own memory, in `#own`. */
const OWN_MARK = 255;
const PREFIX_MAX = 5;
/** A body of at least this size keeps the memory in which it arrived, if it shares that with nothing else. */
const OWN_BYTES = 4096;

export class OpenMessage {
  /** Number of messages, as in FrameRun: 1 until it is taken. */
  length = 1;
  /** Parts so far. */
  parts = 0;
  /** The bytes that it counts against a high-water mark. */
  cost = 0;
  readonly #blocks: Buffer[] = [];
  /** Bytes used of each block, except the last. */
  readonly #used: number[] = [];
  #block: Buffer | null = null;
  #end = 0;
  #own: Buffer[] | null = null;

  /** Adds a part from a chunk that contains other frames: copies it. */
  add(chunk: Buffer, at: number, length: number): void {
    const block = this.#reserve(PREFIX_MAX + length);
    this.#header(block, length);
    if (length > 0) chunk.copy(block, this.#end, at, at + length);
    this.#end += length;
    this.#count(length);
  }

  /** Adds a part that has its own memory. */
  addOwn(body: Buffer): void {
    if (body.length < OWN_BYTES) {
      this.add(body, 0, body.length);
      return;
    }
    this.#reserve(1)[this.#end++] = OWN_MARK;
    this.#own ??= [];
    this.#own.push(body);
    this.#count(body.length);
  }

  #count(length: number): void {
    this.parts++;
    this.cost += length + PART_COST;
  }

  #header(block: Buffer, length: number): void {
    if (length <= SHORT_MAX) {
      block[this.#end++] = length;
      return;
    }
    block[this.#end] = LONG_MARK;
    block.writeUInt32LE(length, this.#end + 1);
    this.#end += PREFIX_MAX;
  }

  /** A block with room for so many bytes. Blocks grow with what has arrived, and each part lies in one block. */
  #reserve(bytes: number): Buffer {
    const block = this.#block;
    if (block !== null && block.length - this.#end >= bytes) return block;
    if (block !== null) this.#used.push(this.#end);
    const ahead = block === null ? FIRST_BLOCK_BYTES : Math.min(2 * block.length, BLOCK_BYTES);
    const next = Buffer.allocUnsafeSlow(Math.max(bytes, ahead));
    this.#blocks.push(next);
    this.#block = next;
    this.#end = 0;
    return next;
  }

  /** Takes the message. Call once. */
  shift(): Message {
    this.length = 0;
    const message: Message = new Array(this.parts);
    let part = 0;
    let own = 0;
    for (let i = 0; i < this.#blocks.length; i++) {
      const block = this.#blocks[i];
      const end = i < this.#used.length ? this.#used[i] : this.#end;
      for (let at = 0; at < end; ) {
        let length = block[at++];
        if (length === OWN_MARK) {
          message[part++] = (this.#own as Buffer[])[own++];
          continue;
        }
        if (length === LONG_MARK) {
          length = block.readUInt32LE(at);
          at += PREFIX_MAX - 1;
        }
        message[part++] = new BodyView(block.buffer as ArrayBuffer, block.byteOffset + at, length);
        at += length;
      }
    }
    return message;
  }

  /** Nobody will take the message. */
  letGo(): void {
    letGoOf(this.#own);
  }

  /** Whether a socket wants the message, by its first part. */
  wanted(filter: FrameFilter): boolean {
    const [block] = this.#blocks;
    if (block[0] === OWN_MARK) {
      const [body] = this.#own as Buffer[];
      return filter(body, 0, body.length);
    }
    return block[0] === LONG_MARK
      ? filter(block, PREFIX_MAX, block.readUInt32LE(1))
      : filter(block, 1, block[0]);
  }
}
