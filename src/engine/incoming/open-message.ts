/**
 * The parts of a message whose end has not come, and a message of very many parts until somebody asks for it: held as
 * compactly as they came. A view for each part is made when the message is taken; made on arrival they cost a hundred
 * bytes each, and a peer that sends empty parts without an end filled a process with them.
 */

import type { Message } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { PART_COST } from "../message-size.js";
import { BodyView } from "./body-view.js";
import type { FrameFilter } from "./frame-run.js";

/** Size of the first block and of the largest one that is taken ahead of need. */
const FIRST_BLOCK_BYTES = 64;
const BLOCK_BYTES = 65536;
/** A part's length takes one byte up to this; then come a mark and four bytes. */
const SHORT_MAX = 253;
const LONG_MARK = 254;
/** Its memory is in a list of its own. */
const OWN_MARK = 255;
const PREFIX_MAX = 5;
/** Bodies from here on keep the memory that they came in, where that is theirs alone. */
const OWN_BYTES = 4096;

export class OpenMessage {
  /** As a run: one message, until it is taken. */
  length = 1;
  /** Parts so far. */
  parts = 0;
  /** What it counts against a mark in bytes. */
  cost = 0;
  readonly #blocks: Buffer[] = [];
  /** Bytes used of each block but the last. */
  readonly #used: number[] = [];
  #block: Buffer | null = null;
  #end = 0;
  #own: Buffer[] | null = null;

  /** Add a part that lies in a chunk with others: it is copied. */
  add(chunk: Buffer, at: number, length: number): void {
    const block = this.#reserve(PREFIX_MAX + length);
    this.#header(block, length);
    if (length > 0) chunk.copy(block, this.#end, at, at + length);
    this.#end += length;
    this.#count(length);
  }

  /** Add a part in memory of its own. */
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

  /** The block with room for so many bytes: memory follows what has come, and a part lies in one block. */
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

  /** The message; once. */
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
