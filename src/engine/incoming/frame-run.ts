/**
 * Whole messages of one chunk that nobody has asked for yet: the frames' places, and the views that the application
 * gets only when it takes a message. Made at once for a whole chunk, they outlived the young generation whenever some
 * sockets had a queue: copying them took a process with 32 subscribers a quarter of its time. Hot path.
 */

import type { Message } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { PART_COST } from "../message-size.js";
import { BodyView } from "./body-view.js";

// Constants of this module: see frame-format.ts.
const { FRAME_ENTRY_SIZE, MORE } = frameFormat;

/** Whether a socket wants a message whose first part lies there. */
export type FrameFilter = (bytes: Uint8Array, at: number, length: number) => boolean;

export class FrameRun {
  readonly #chunk: Buffer;
  /** Memory of the chunk and its place in it: asking a Buffer for them costs half as much as making one. */
  readonly #memory: ArrayBuffer;
  readonly #base: number;
  readonly #table: Uint32Array;
  #next = 0;
  #end: number;
  /** Messages not yet taken. */
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

  /** The next message; there must be one. */
  shift(): Message {
    this.length--;
    const table = this.#table;
    const at = this.#next;
    let last = at;
    while ((table[last + 2] & MORE) !== 0) last += FRAME_ENTRY_SIZE;
    this.#next = last + FRAME_ENTRY_SIZE;
    return last === at ? [this.#view(at)] : this.#parts(at, last);
  }

  /** Literals have as much room as they need; an array that grows by push() takes room for 17. */
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
   * What the messages count against a mark in bytes, all of them until the last is taken: the memory that they lie in is
   * held until then. Costs the same however many they are.
   */
  get cost(): number {
    const end = this.#end;
    if (end === 0) return 0;
    const table = this.#table;
    return table[end - 3] + table[end - 2] - table[0] + (end / FRAME_ENTRY_SIZE) * PART_COST;
  }

  /** Drop the messages that a socket does not want. Before any is taken. */
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
