/**
 * Opens MESSAGE boxes in place: a chunk of outer frames becomes the same chunk with a table of the inner frames. It
 * checks all limits on the inner frames, because the outer ones never have MORE (P8, E4, E15). Short boxes are opened
 * in runs in WebAssembly's memory, long ones by the native library. Hot path: no Buffer and no object per frame.
 */
import type { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import { FrameFault, type FrameLimits } from "../../wire/frame-limits.js";
import type { Heap } from "./heap.js";
import { INPUT_BYTES, MAC_BYTES } from "./heap.js";
import {
  BOX_AT,
  INNER_COMMAND,
  INNER_MORE,
  type MessageBoxParts,
  messageNonce,
  NAME_BYTES,
  NAME_HIGH,
  NAME_LOW,
  NATIVE_FROM,
  OVERHEAD,
  PREFIX_BYTES,
  readUint32,
  type ShortNonce,
  writeUint32,
} from "./message-box.js";
import type { NativeSodium } from "./sodium.js";

// Copied to constants of this module for speed: see frame-format.ts.
const { COMMAND, FRAME_ENTRY_SIZE, MORE } = frameFormat;

/** Why opening stopped: a FrameFault of an inner frame, or a fault of the box. */
export const OpenFault = {
  ...FrameFault,
  /** Not a MESSAGE command, or too short for one (P14). */
  malformed: 5,
  /** The nonce is not above the last one (P13). */
  sequence: 6,
  /** The box cannot be opened: it was not made with our keys, or was changed (P14). */
  box: 7,
} as const;
export type OpenFault = (typeof OpenFault)[keyof typeof OpenFault];

export class MessageOpener {
  fault: OpenFault = OpenFault.none;
  /** The size or the number of parts that was too large, or, for a fault of the box, the size of the outer frame. */
  faultSize = 0;
  readonly #heap: Heap;
  readonly #native: NativeSodium | null;
  readonly #key: Uint8Array;
  readonly #nonce: Buffer;
  readonly #limits: FrameLimits;
  /** Outer bodies of this many bytes or more are opened one by one. */
  readonly #oneByOneFrom: number;
  #high: number;
  #low: number;
  #parts = 0;
  #messageBytes = 0;

  /** @param received the last short nonce that the peer used */
  constructor(parts: MessageBoxParts, received: ShortNonce, limits: FrameLimits) {
    this.#heap = parts.heap;
    this.#native = parts.native;
    this.#key = parts.key;
    this.#nonce = messageNonce(!parts.asServer);
    this.#limits = limits;
    this.#oneByOneFrom = parts.native === null ? INPUT_BYTES : NATIVE_FROM + OVERHEAD;
    this.#high = received.high;
    this.#low = received.low;
  }

  /**
   * Opens the frames of a chunk in place and rewrites the table.
   * @returns how many frames were opened; fewer than `count` means a fault. Then this must not be called again
   */
  open(chunk: Buffer, table: Uint32Array, count: number): number {
    let done = 0;
    while (done < count && this.fault === OpenFault.none) {
      const entry = done * FRAME_ENTRY_SIZE;
      if (table[entry + 1] < this.#oneByOneFrom) done = this.#run(chunk, table, done, count);
      else {
        const flags = this.#one(chunk, table[entry], table[entry + 1]);
        if (flags < 0) break;
        table[entry] += OVERHEAD;
        table[entry + 1] -= OVERHEAD;
        table[entry + 2] = flags;
        done++;
      }
    }
    return done;
  }

  /** Opens a run of short boxes. Returns the index of the first entry that was not opened. */
  #run(chunk: Buffer, table: Uint32Array, first: number, count: number): number {
    const heap = this.#heap;
    const memory = heap.memory;
    const view = heap.view;
    const { sodium, key, nonce, input } = heap;
    const openBox = sodium._crypto_box_open_easy_afternm;
    const limit = this.#oneByOneFrom;
    const start = table[first * FRAME_ENTRY_SIZE];
    const windowEnd = Math.min(chunk.length, start + INPUT_BYTES);
    let end = first;
    let stop = start;
    for (; end < count; end++) {
      const frameEnd = table[end * FRAME_ENTRY_SIZE] + table[end * FRAME_ENTRY_SIZE + 1];
      if (table[end * FRAME_ENTRY_SIZE + 1] >= limit || frameEnd > windowEnd) break;
      stop = frameEnd;
    }
    memory.set(chunk.subarray(start, stop), input);
    memory.set(this.#key, key);
    memory.set(this.#nonce, nonce);
    const shift = input - start;
    let at = first;
    for (; at < end; at++) {
      const entry = at * FRAME_ENTRY_SIZE;
      const outer = table[entry + 1];
      const frame = table[entry] + shift;
      if (!this.#admit(memory, frame, outer)) break;
      view.setUint32(nonce + PREFIX_BYTES, view.getUint32(frame + NAME_BYTES));
      view.setUint32(nonce + PREFIX_BYTES + 4, view.getUint32(frame + NAME_BYTES + 4));
      const box = frame + BOX_AT;
      if (openBox(box + MAC_BYTES, box, outer - BOX_AT, 0, nonce, key) !== 0) {
        this.#fail(OpenFault.box, outer);
        break;
      }
      this.#high = view.getUint32(frame + NAME_BYTES);
      this.#low = view.getUint32(frame + NAME_BYTES + 4);
      const flags = this.#take(memory[box + MAC_BYTES], outer - OVERHEAD);
      if (flags < 0) break;
      table[entry] += OVERHEAD;
      table[entry + 1] = outer - OVERHEAD;
      table[entry + 2] = flags;
    }
    heap.wipeKey();
    chunk.set(memory.subarray(input, input + stop - start), start);
    return at;
  }

  /**
   * Opens the body of one outer frame in place. The inner body begins OVERHEAD bytes after the beginning of `body`.
   * @returns the flags of the inner frame (MORE or COMMAND), or -1 for a fault
   */
  openAlone(body: Buffer): number {
    return this.#one(body, 0, body.length);
  }

  #one(chunk: Buffer, at: number, length: number): number {
    if (!this.#admit(chunk, at, length)) return -1;
    const high = readUint32(chunk, at + NAME_BYTES);
    const low = readUint32(chunk, at + NAME_BYTES + 4);
    writeUint32(this.#nonce, PREFIX_BYTES, high);
    writeUint32(this.#nonce, PREFIX_BYTES + 4, low);
    const boxAt = chunk.byteOffset + at + BOX_AT;
    const box = new Uint8Array(chunk.buffer, boxAt, length - BOX_AT);
    const opened = this.#native === null ? this.#openInHeap(box) : this.#openNative(this.#native, box);
    if (!opened) {
      return this.fault === OpenFault.none ? this.#fail(OpenFault.box, length) : -1;
    }
    this.#high = high;
    this.#low = low;
    return this.#take(box[MAC_BYTES], length - OVERHEAD);
  }

  #openNative(native: NativeSodium, box: Uint8Array): boolean {
    const text = new Uint8Array(box.buffer, box.byteOffset + MAC_BYTES, box.length - MAC_BYTES);
    return native.crypto_secretbox_open_easy(text, box, this.#nonce, this.#key);
  }

  /** Opens one box without the native library. */
  #openInHeap(body: Uint8Array): boolean {
    const heap = this.#heap;
    const size = body.length;
    const own = size > INPUT_BYTES;
    const box = own ? heap.allocate(size) : heap.input;
    if (box === 0) {
      this.#fail(OpenFault.frameTooLarge, size - MAC_BYTES - 1);
      return false;
    }
    const { memory, sodium, key, nonce } = heap;
    memory.set(this.#key, key);
    memory.set(this.#nonce, nonce);
    memory.set(body, box);
    const text = box + MAC_BYTES;
    const opened = sodium._crypto_box_open_easy_afternm(text, box, size, 0, nonce, key) === 0;
    heap.wipeKey();
    if (opened) body.set(memory.subarray(text, box + size), MAC_BYTES);
    if (own) sodium._free(box);
    return opened;
  }

  /** Whether an outer frame may be opened: name, size, and a nonce above the last one (P13, P14). */
  #admit(bytes: Uint8Array, at: number, length: number): boolean {
    if (length < OVERHEAD || readUint32(bytes, at) !== NAME_HIGH || readUint32(bytes, at + 4) !== NAME_LOW) {
      this.#fail(OpenFault.malformed, length);
      return false;
    }
    const high = readUint32(bytes, at + NAME_BYTES);
    const low = readUint32(bytes, at + NAME_BYTES + 4);
    if (high > this.#high || (high === this.#high && low > this.#low)) return true;
    this.#fail(OpenFault.sequence, length);
    return false;
  }

  /** Counts the inner frame and checks the limits. Returns its flags as a plain frame has them, or -1. */
  #take(inner: number, length: number): number {
    if ((inner & INNER_COMMAND) !== 0) {
      return length > this.#limits.maxCommandBytes ? this.#fail(OpenFault.commandTooLarge, length) : COMMAND;
    }
    const { maxFrameBytes, maxParts, maxMessageBytes } = this.#limits;
    if (length > maxFrameBytes) return this.#fail(OpenFault.frameTooLarge, length);
    if (this.#parts >= maxParts) return this.#fail(OpenFault.tooManyParts, this.#parts + 1);
    if (this.#messageBytes + length > maxMessageBytes) {
      return this.#fail(OpenFault.messageTooLarge, this.#messageBytes + length);
    }
    if ((inner & INNER_MORE) === 0) {
      this.#parts = 0;
      this.#messageBytes = 0;
      return 0;
    }
    this.#parts++;
    this.#messageBytes += length;
    return MORE;
  }

  #fail(fault: OpenFault, size: number): -1 {
    this.fault = fault;
    this.faultSize = size;
    return -1;
  }
}
