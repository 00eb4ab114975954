/**
 * Groups frames into messages (E7: a command may come between two parts of a message). The decoder has already enforced
 * every limit. Hot path.
 */

import type { Message } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { PART_COST } from "../message-size.js";
import { BodyView } from "./body-view.js";
import { FrameRun } from "./frame-run.js";
import { OpenMessage } from "./open-message.js";

// Constants of this module: see frame-format.ts.
const { COMMAND, FRAME_ENTRY_SIZE, MORE } = frameFormat;

/** For fewer messages than this, a run costs more than it saves. */
const RUN_MINIMUM = 4;
/** A message of more parts is passed on in compact form: the Buffers of its parts are created when it is read. */
const PARTS_AT_ONCE = 16;

/** Receives the messages: the peer's pipe. */
export interface MessageSink {
  deliver(message: Message): void;
  /** Many messages at once. */
  deliverRun(run: FrameRun): void;
  /** One message of very many parts. */
  deliverLong(message: OpenMessage): void;
}

/** Receives the commands. */
export interface CommandSink {
  command(body: Buffer): void;
}

export class Assembler {
  /** Where messages go. null before the handshake and after the end: then they are dropped. */
  sink: MessageSink | null = null;
  /** Messages that arrived. */
  arrived = 0;
  /** The incomplete message. */
  #open: OpenMessage | null = null;
  readonly #commands: CommandSink;

  constructor(commands: CommandSink) {
    this.#commands = commands;
  }

  /** The bytes that the incomplete message counts against a high-water mark. */
  get openCost(): number {
    return this.#open === null ? 0 : this.#open.cost;
  }

  /** Parts of the incomplete message, and their bytes. */
  get openParts(): number {
    return this.#open === null ? 0 : this.#open.parts;
  }

  get openBytes(): number {
    return this.openCost - this.openParts * PART_COST;
  }

  /** Takes a chunk, with a table of its frames (offset, length and flags of each). */
  frames(chunk: Buffer, table: Uint32Array, count: number): void {
    let at = 0;
    while (at < count) {
      const from = at;
      let messages = 0;
      if (this.#open === null) {
        // Find how many whole messages follow each other.
        for (let i = at; i < count; i++) {
          const flags = table[i * FRAME_ENTRY_SIZE + 2];
          if ((flags & COMMAND) !== 0) break;
          if ((flags & MORE) !== 0) continue;
          messages++;
          at = i + 1;
        }
      }
      if (messages >= RUN_MINIMUM || (messages > 0 && at - from > PARTS_AT_ONCE)) {
        this.arrived += messages;
        this.sink?.deliverRun(new FrameRun(chunk, table, from, at, messages));
      } else if (messages > 0) this.#messages(chunk, table, from, at);
      else this.#single(chunk, table, at++ * FRAME_ENTRY_SIZE);
    }
  }

  /** A few whole messages. */
  #messages(chunk: Buffer, table: Uint32Array, from: number, to: number): void {
    let parts: Message | null = null;
    for (let at = from * FRAME_ENTRY_SIZE; at < to * FRAME_ENTRY_SIZE; at += FRAME_ENTRY_SIZE) {
      const body = new BodyView(chunk.buffer as ArrayBuffer, chunk.byteOffset + table[at], table[at + 1]);
      if (parts === null) parts = [body];
      else parts.push(body);
      if (table[at + 2] !== 0) continue;
      this.arrived++;
      this.sink?.deliver(parts);
      parts = null;
    }
  }

  /** A command, or a part of a message that does not lie whole in this table. */
  #single(chunk: Buffer, table: Uint32Array, at: number): void {
    const flags = table[at + 2];
    if ((flags & COMMAND) !== 0) {
      const start = chunk.byteOffset + table[at];
      this.#commands.command(new BodyView(chunk.buffer as ArrayBuffer, start, table[at + 1]));
      return;
    }
    this.#open ??= new OpenMessage();
    this.#open.add(chunk, table[at], table[at + 1]);
    if ((flags & MORE) === 0) this.#close(this.#open);
  }

  /** One frame in memory of its own. */
  frame(body: Buffer, flags: number): void {
    if ((flags & COMMAND) !== 0) {
      this.#commands.command(body);
      return;
    }
    if (this.#open === null && (flags & MORE) === 0) {
      this.arrived++;
      this.sink?.deliver([body]);
      return;
    }
    this.#open ??= new OpenMessage();
    this.#open.addOwn(body);
    if ((flags & MORE) === 0) this.#close(this.#open);
  }

  #close(message: OpenMessage): void {
    this.#open = null;
    this.arrived++;
    if (message.parts > PARTS_AT_ONCE) this.sink?.deliverLong(message);
    else this.sink?.deliver(message.shift());
  }
}
