/**
 * Frames to messages: makes the views that the application gets and groups parts (E7: a command between two parts
 * leaves the message whole). The decoder has already enforced every limit. Hot path.
 */
import type { Message } from "../message.js";

const MORE = 0x01;
const COMMAND = 0x04;
const ENTRY_SIZE = 3;

/** Where an assembler puts what it has put together. */
export interface AssemblerSink {
  message(parts: Message): void;
  command(body: Buffer): void;
}

export class Assembler {
  #parts: Message | null = null;
  readonly #sink: AssemblerSink;

  constructor(sink: AssemblerSink) {
    this.#sink = sink;
  }

  /** A chunk with a table of the frames in it (offset, length, flags each). */
  frames(chunk: Buffer, table: Uint32Array, count: number): void {
    const memory = chunk.buffer as ArrayBuffer;
    const base = chunk.byteOffset;
    const sink = this.#sink;
    for (let i = 0, end = count * ENTRY_SIZE; i < end; i += ENTRY_SIZE) {
      const flags = table[i + 2];
      const body = Buffer.from(memory, base + table[i], table[i + 1]);
      if (flags === 0 && this.#parts === null) sink.message([body]);
      else this.frame(body, flags);
    }
  }

  /** One frame in memory of its own. */
  frame(body: Buffer, flags: number): void {
    if ((flags & COMMAND) !== 0) {
      this.#sink.command(body);
      return;
    }
    if (this.#parts === null) this.#parts = [body];
    else this.#parts.push(body);
    if ((flags & MORE) === 0) {
      const parts = this.#parts;
      this.#parts = null;
      this.#sink.message(parts);
    }
  }
}
