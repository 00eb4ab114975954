/**
 * Frames to messages: groups parts (E7: a command between two parts leaves the message whole). The decoder has already
 * enforced every limit. Hot path.
 */
import type { Message } from "../message.js";
import { BodyView } from "./body-view.js";
import { FrameRun } from "./frame-run.js";

const MORE = 0x01;
const COMMAND = 0x04;
const ENTRY_SIZE = 3;
/** Fewer messages are not worth a run. */
const RUN_MINIMUM = 4;

/** Where an assembler puts what it has put together. */
export interface AssemblerSink {
  message(parts: Message): void;
  /** Many messages at once. */
  run(run: FrameRun): void;
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
    let at = 0;
    while (at < count) {
      const from = at;
      let messages = 0;
      if (this.#parts === null) {
        // As many whole messages as follow each other.
        for (let i = at; i < count; i++) {
          const flags = table[i * ENTRY_SIZE + 2];
          if ((flags & COMMAND) !== 0) break;
          if ((flags & MORE) !== 0) continue;
          messages++;
          at = i + 1;
        }
      }
      if (messages >= RUN_MINIMUM) {
        this.#sink.run(new FrameRun(chunk, table, from, at, messages));
        continue;
      }
      const end = Math.max(at, from + 1);
      for (at = from; at < end; at++) this.#view(chunk, table, at * ENTRY_SIZE);
    }
  }

  #view(chunk: Buffer, table: Uint32Array, at: number): void {
    const flags = table[at + 2];
    const body = new BodyView(chunk.buffer as ArrayBuffer, chunk.byteOffset + table[at], table[at + 1]);
    if (flags === 0 && this.#parts === null) this.#sink.message([body]);
    else this.frame(body, flags);
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
