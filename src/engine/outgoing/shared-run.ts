/**
 * Messages encoded once for many pipes. A short one is copied into each pipe's batch. A longer one, and any for a pipe with
 * a backlog, lies in common memory to which all batches refer: a hundred peers that do not read then cost as much memory
 * as one. Hot path. Knows no pipes.
 */
import { COPY_LIMIT, type OutMessage } from "../../base/message.js";
import * as frameFormat from "../../wire/frame-format.js";
import type { Budget } from "../budget.js";
import { writeFrameHeader } from "../frame-header.js";
import { messageBytes } from "../message-size.js";
import { newSlab } from "./slab-pool.js";

// Constants of this module: see frame-format.ts.
const { LONG_HEADER, MORE } = frameFormat;

/** Encoded messages, held by any number of batches, and counted once against maxQueuedBytes. */
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

/** Messages being handed to many pipes. Memory that pipes may keep is created only when the first pipe needs it. */
export class Shared {
  /** The encoded bytes, in memory that is reused after the call; null if only `run` may be used. */
  bytes: Uint8Array | null = null;
  messages = 0;
  readonly #budget: Budget;
  #run: SharedRun | null = null;
  #copy: SharedRun | null = null;
  /** Whether `bytes` will not be overwritten and fill most of their memory, so that pipes may keep them. */
  #lasting = false;

  /** @param budget of the unsent bytes of all pipes of the socket */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Sets encoded messages. @param lasting whether the bytes will not be overwritten */
  set(bytes: Uint8Array, messages: number, lasting: boolean): void {
    this.bytes = bytes;
    this.messages = messages;
    this.#lasting = lasting;
    this.#run = null;
  }

  /** Sets one message that is too long to be copied for each pipe. */
  setLong(message: OutMessage): void {
    this.bytes = null;
    this.messages = 1;
    this.#run = encodeLong(message, this.#budget);
  }

  /** The messages in memory that batches may keep. */
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

  /** The message, copied whole: for pipes that keep it for long. All pipes get the same copy. */
  copyOf(message: OutMessage): SharedRun {
    this.#copy ??= this.bytes === null ? copiedRun(message, this.#budget) : this.run;
    return this.#copy;
  }

  /** Releases all memory after the call. */
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

/** A message encoded into one piece of memory of its own. */
export function copiedRun(message: OutMessage, budget: Budget): SharedRun {
  const parts = Array.isArray(message) ? message : [message];
  const memory = newSlab(encodedBytes(message));
  let end = 0;
  for (let i = 0; i < parts.length; i++) {
    end = writeFrameHeader(memory, end, i < parts.length - 1 ? MORE : 0, parts[i].length);
    memory.set(parts[i], end);
    end += parts[i].length;
  }
  return new SharedRun(budget, [memory.subarray(0, end)], end, 1);
}

/** Encodes headers and small bodies into one piece of memory, with references to large bodies in between. */
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

/** Bytes of a message with headers of the greatest length. */
export function encodedBytes(message: OutMessage): number {
  return messageBytes(message) + (Array.isArray(message) ? message.length : 1) * LONG_HEADER;
}
