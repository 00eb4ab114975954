/**
 * Whole messages of one chunk that have not been read yet. It stores the positions of frames, and creates the Buffers when
 * the application takes a message. When they were created for a whole chunk at once, they outlived the garbage collector's
 * young generation in queues: copying them took a process with 32 subscribers a quarter of its time. Hot path.
 */

import type { Message } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { PART_COST } from "../message-size.js";
import { BodyView } from "./body-view.js";

// Constants of this module: see frame-format.ts.
const { FRAME_ENTRY_SIZE, MORE } = frameFormat;

/** Whether a socket wants a message, by its first part. */
export type FrameFilter = (bytes: Uint8Array, at: number, length: number) => boolean;

export class FrameRun {
  readonly #chunk: Buffer;
  /** The chunk's memory and offset, kept here: reading them from a Buffer costs half as much as creating a Buffer. */
  readonly #memory: ArrayBuffer;
  readonly #base: number;
  readonly #table: Uint32Array;
  #next = 0;
  #end: number;
  /** Number of messages not yet taken. */
  length: number;

  /**
   * @param table offset, length and flags of each frame: whole messages and no commands. Copied
   * @param length how many messages they are
   */
  constructor(chunk: Buffer, table: Uint32Array, from: number, to: number, length: number) {
    this.#chunk = chunk;
    this.#memory = chunk.buffer as ArrayBuffer;
    this.#base = chunk.byteOffset;
    this.#table = table.slice(from * FRAME_ENTRY_SIZE, to * FRAME_ENTRY_SIZE);
    this.#end = this.#table.length;
    this.length = length;
  }

  /** Takes the next message. There must be one. */
  shift(): Message {
    this.length--;
    const table = this.#table;
    const at = this.#next;
    let last = at;
    while ((table[last + 2] & MORE) !== 0) last += FRAME_ENTRY_SIZE;
    this.#next = last + FRAME_ENTRY_SIZE;
    return last === at ? [this.#view(at)] : this.#parts(at, last);
  }

  /** Uses array literals for few parts, because an array that grows by push() reserves room for 17 elements. */
  #parts(first: number, last: number): Message {
    const second = first + FRAME_ENTRY_SIZE;
    const third = second + FRAME_ENTRY_SIZE;
    if (last === second) return [this.#view(first), this.#view(second)];
    if (last === third) return [this.#view(first), this.#view(second), this.#view(third)];
    const parts: Message = [
      this.#view(first),
      this.#view(second),
      this.#view(third),
      this.#view(third + FRAME_ENTRY_SIZE),
    ];
    for (let at = third + 2 * FRAME_ENTRY_SIZE; at <= last; at += FRAME_ENTRY_SIZE)
      parts.push(this.#view(at));
    return parts;
  }

  #view(at: number): Buffer {
    return new BodyView(this.#memory, this.#base + this.#table[at], this.#table[at + 1]);
  }

  /**
   * The bytes that the messages count against a high-water mark. All count until the last is taken, because their common
   * memory is held until then. Computed in constant time.
   */
  get cost(): number {
    const end = this.#end;
    if (end === 0) return 0;
    const table = this.#table;
    return table[end - 3] + table[end - 2] - table[0] + (end / FRAME_ENTRY_SIZE) * PART_COST;
  }

  /** Drops the messages that a socket does not want. Call before any is taken. */
  retain(filter: FrameFilter): void {
    const table = this.#table;
    let kept = 0;
    let wanted = true;
    let first = true;
    for (let at = 0; at < this.#end; at += FRAME_ENTRY_SIZE) {
      if (first) wanted = filter(this.#chunk, table[at], table[at + 1]);
      const flags = table[at + 2];
      first = (flags & MORE) === 0;
      if (wanted) {
        if (kept !== at) {
          table[kept] = table[at];
          table[kept + 1] = table[at + 1];
          table[kept + 2] = flags;
        }
        kept += FRAME_ENTRY_SIZE;
      } else if (first) {
        this.length--;
      }
    }
    this.#end = kept;
  }
}
