/**
 * Messages encoded once for many pipes. A short one is copied into each pipe's batch; a longer one, and any for a pipe
 * that has a backlog, is in memory of its own that all of them point to: a hundred peers that do not read then cost
 * what one costs. Hot path. Knows no pipes.
 */
import { COPY_LIMIT, type OutMessage } from "../../base/message.js";
import * as frameFormat from "../../wire/frame-format.js";
import type { Budget } from "../budget.js";
import { writeFrameHeader } from "../frame-header.js";
import { messageBytes } from "../message-size.js";
import { newSlab } from "./slab-pool.js";

// Constants of this module: see frame-format.ts.
const { LONG_HEADER, MORE } = frameFormat;

/** Encoded messages, held by any number of batches and counted once against what the socket may hold. */
export class SharedRun {
  readonly segments: readonly Uint8Array[];
  readonly bytes: number;
  readonly messages: number;
  readonly #budget: Budget;
  #holders = 0;

  constructor(budget: Budget, segments: readonly Uint8Array[], bytes: number, messages: number) {
    this.#budget = budget;
    this.segments = segments;
    this.bytes = bytes;
    this.messages = messages;
  }

  hold(): void {
    if (this.#holders++ === 0) this.#budget.add(this.bytes);
  }

  drop(): void {
    if (--this.#holders === 0) this.#budget.remove(this.bytes);
  }
}

/** What is being handed to many pipes: the memory that may be kept is made for the first that keeps it. */
export class Shared {
  /** Encoded in memory that is used again after the call; null when there is only what may be kept. */
  bytes: Uint8Array | null = null;
  messages = 0;
  readonly #budget: Budget;
  #run: SharedRun | null = null;
  #copy: Uint8Array | null = null;
  /** Whether `bytes` stay as they are, and little else is in their memory. */
  #lasting = false;

  /** @param budget what all pipes of the socket hold unsent */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Messages encoded one after the other. @param lasting the bytes will not be written over */
  set(bytes: Uint8Array, messages: number, lasting: boolean): void {
    this.bytes = bytes;
    this.messages = messages;
    this.#lasting = lasting;
    this.#run = null;
  }

  /** One message, too long to be copied for each. */
  setLong(message: OutMessage): void {
    this.bytes = null;
    this.messages = 1;
    this.#run = encodeLong(message, this.#budget);
  }

  /** To be kept by a batch. */
  get run(): SharedRun {
    let run = this.#run;
    if (run === null) {
      const bytes = this.bytes as Uint8Array;
      const kept = this.#lasting ? bytes : copied(bytes);
      run = new SharedRun(this.#budget, [kept], kept.length, this.messages);
      this.#run = run;
    }
    return run;
  }

  /** The one part of the message in memory that may be kept, the same for all who ask. */
  copyOf(part: Uint8Array): Uint8Array {
    this.#copy ??= copied(part);
    return this.#copy;
  }

  /** After the call: hold on to nothing. */
  clear(): void {
    this.bytes = null;
    this.#run = null;
    this.#copy = null;
  }
}

function copied(bytes: Uint8Array): Uint8Array {
  const copy = newSlab(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Headers and the bodies that are copied in one piece of memory, large bodies by reference between its pieces. */
function encodeLong(message: OutMessage, budget: Budget): SharedRun {
  const parts = Array.isArray(message) ? message : [message];
  let need = 0;
  for (const part of parts) need += LONG_HEADER + (part.length <= COPY_LIMIT ? part.length : 0);
  const memory = newSlab(need);
  const segments: Uint8Array[] = [];
  let start = 0;
  let end = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    end = writeFrameHeader(memory, end, i < parts.length - 1 ? MORE : 0, part.length);
    if (part.length <= COPY_LIMIT) {
      memory.set(part, end);
      end += part.length;
    } else {
      segments.push(memory.subarray(start, end), part);
      start = end;
    }
  }
  if (end > start) segments.push(memory.subarray(start, end));
  let bytes = 0;
  for (const segment of segments) bytes += segment.length;
  return new SharedRun(budget, segments, bytes, 1);
}

/** Bytes of a message with its headers at their longest. */
export function encodedBytes(message: OutMessage): number {
  return messageBytes(message) + (Array.isArray(message) ? message.length : 1) * LONG_HEADER;
}
