/**
 * Seals encoded frames, one slab at a time. It reads the segments of a plain batch, which stay unchanged, and writes
 * into memory of the caller. Short bodies are sealed in runs in WebAssembly's memory, long ones in place by the native
 * library. Hot path: one call of the library per frame, and no Buffer per short frame.
 */
import { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import type { Heap } from "./heap.js";
import { INPUT_BYTES, MAC_BYTES, OUTPUT_BYTES } from "./heap.js";
import {
  BOX_AT,
  INNER_COMMAND,
  type MessageBoxParts,
  messageNonce,
  NAME_BYTES,
  NAME_HIGH,
  NAME_LOW,
  NATIVE_FROM,
  OVERHEAD,
  PREFIX_BYTES,
  type ShortNonce,
  sealedBytes,
  writeUint32,
} from "./message-box.js";
import { bodyLength } from "./sealed-frames.js";
import type { NativeSodium } from "./sodium.js";

// Copied to constants of this module for speed: see frame-format.ts.
const { COMMAND, LONG, LONG_HEADER, MORE, SHORT_BODY_MAX, SHORT_HEADER } = frameFormat;

const MAX_32 = 0xffffffff;
/**
 * Without the native library: bodies of this size or more are sealed one by one. All bodies in separate segments are.
 */
const ALONE_FROM = 16385;

export class MessageSealer {
  /** All nonces are used, so nothing more may be sealed. */
  exhausted = false;
  /** The next frame does not fit into WebAssembly's memory, and the native library is not installed. */
  tooLarge = false;
  readonly #heap: Heap;
  readonly #native: NativeSodium | null;
  readonly #key: Uint8Array;
  readonly #nonce: Buffer;
  /** Bodies of this many bytes or more are sealed one by one. */
  readonly #oneByOneFrom: number;
  #high: number;
  #low: number;
  #segments: readonly Uint8Array[] = [];
  #segment = 0;
  #at = 0;

  /** @param sent the last short nonce that was used */
  constructor(parts: MessageBoxParts, sent: ShortNonce) {
    this.#heap = parts.heap;
    this.#native = parts.native;
    this.#key = parts.key;
    this.#nonce = messageNonce(parts.asServer);
    this.#oneByOneFrom = parts.native === null ? ALONE_FROM : NATIVE_FROM;
    this.#high = sent.high;
    this.#low = sent.low;
  }

  /** Sets the frames to seal. Each frame lies in one segment, or its body is all of the next segment. */
  begin(segments: readonly Uint8Array[]): void {
    this.#segments = segments;
    this.#segment = 0;
    this.#at = 0;
  }

  /** Whether frames are left to seal. */
  get remaining(): boolean {
    return this.#segment < this.#segments.length;
  }

  /** Plain bytes sealed so far. */
  get position(): number {
    let bytes = this.#at;
    for (let i = 0; i < this.#segment; i++) bytes += this.#segments[i].length;
    return bytes;
  }

  /**
   * Seals as many frames as the slab has room for.
   * @returns bytes written; 0 if the next frame alone is larger than the slab, if none is left, or if `exhausted`
   */
  fill(slab: Buffer): number {
    let end = 0;
    while (this.#segment < this.#segments.length && !this.exhausted) {
      const segment = this.#segments[this.#segment];
      const length = bodyLength(segment, this.#at);
      const before = end;
      end =
        length < this.#oneByOneFrom ? this.#run(segment, slab, end) : this.#one(segment, length, slab, end);
      if (end === before) break;
    }
    return end;
  }

  /**
   * Seals the next frame, which is larger than a slab, into new memory. Returns no bytes if `exhausted` or `tooLarge`.
   */
  sealAlone(): Buffer {
    if (this.exhausted) return Buffer.alloc(0);
    const segment = this.#segments[this.#segment];
    const length = bodyLength(segment, this.#at);
    const target = Buffer.allocUnsafeSlow(sealedBytes(length));
    return target.subarray(0, this.#one(segment, length, target, 0));
  }

  /** Advances to the next nonce. */
  #count(): void {
    if (this.#low !== MAX_32) {
      this.#low++;
      return;
    }
    this.#low = 0;
    this.#high++;
    if (this.#high > MAX_32) this.exhausted = true;
  }

  /**
   * Seals a run of frames that lie in the segment. Returns the new end in the slab; the old one if no frame had room.
   */
  #run(segment: Uint8Array, slab: Buffer, end: number): number {
    const heap = this.#heap;
    const memory = heap.memory;
    const view = heap.view;
    const { sodium, key, nonce, input, output } = heap;
    const seal = sodium._crypto_box_easy_afternm;
    const window = Math.min(segment.length - this.#at, INPUT_BYTES);
    memory.set(window === segment.length ? segment : segment.subarray(this.#at, this.#at + window), input);
    memory.set(this.#key, key);
    memory.set(this.#nonce, nonce);
    const limit = this.#oneByOneFrom;
    const inputEnd = input + window;
    const outputEnd = output + Math.min(OUTPUT_BYTES, slab.length - end);
    let from = input;
    let to = output;
    while (from + 2 <= inputEnd) {
      const flags = memory[from];
      const header = (flags & LONG) === 0 ? SHORT_HEADER : LONG_HEADER;
      const length = header === 2 ? memory[from + 1] : bodyLength(memory, from);
      const bodyAt = from + header;
      if (length >= limit || bodyAt + length > inputEnd) break;
      if (to + LONG_HEADER + OVERHEAD + length > outputEnd) break;
      this.#count();
      if (this.exhausted) break;
      to = writeOuterHeader(memory, to, length + OVERHEAD);
      view.setUint32(to, NAME_HIGH);
      view.setUint32(to + 4, NAME_LOW);
      view.setUint32(to + NAME_BYTES, this.#high);
      view.setUint32(to + NAME_BYTES + 4, this.#low);
      view.setUint32(nonce + PREFIX_BYTES, this.#high);
      view.setUint32(nonce + PREFIX_BYTES + 4, this.#low);
      // The flags overwrite the byte before the body. It is the last byte of the size, which has been read already.
      memory[bodyAt - 1] = innerFlags(flags);
      seal(to + BOX_AT, bodyAt - 1, length + 1, 0, nonce, key);
      to += OVERHEAD + length;
      from = bodyAt + length;
    }
    heap.wipeKey();
    slab.set(memory.subarray(output, to), end);
    this.#advance(segment, from - input);
    return end + (to - output);
  }

  #advance(segment: Uint8Array, by: number): void {
    this.#at += by;
    if (this.#at < segment.length) return;
    this.#segment++;
    this.#at = 0;
  }

  /** Seals one frame, whose body is in the segment or is all of the next one. Returns the end, as #run does. */
  #one(segment: Uint8Array, length: number, target: Buffer, end: number): number {
    if (end + sealedBytes(length) > target.length) return end;
    this.#count();
    if (this.exhausted) return end;
    const flags = segment[this.#at];
    const bodyAt = this.#at + ((flags & LONG) === 0 ? SHORT_HEADER : LONG_HEADER);
    const inline = bodyAt + length <= segment.length;
    const body = inline
      ? new Uint8Array(segment.buffer, segment.byteOffset + bodyAt, length)
      : this.#segments[this.#segment + 1];
    const at = writeOuterHeader(target, end, length + OVERHEAD);
    writeUint32(target, at, NAME_HIGH);
    writeUint32(target, at + 4, NAME_LOW);
    writeUint32(target, at + NAME_BYTES, this.#high);
    writeUint32(target, at + NAME_BYTES + 4, this.#low);
    writeUint32(this.#nonce, PREFIX_BYTES, this.#high);
    writeUint32(this.#nonce, PREFIX_BYTES + 4, this.#low);
    if (this.#native !== null) this.#sealNative(this.#native, innerFlags(flags), body, target, at + BOX_AT);
    else if (!this.#sealInHeap(innerFlags(flags), body, target, at + BOX_AT)) {
      this.tooLarge = true;
      return end;
    }
    if (inline) this.#advance(segment, bodyAt - this.#at + length);
    else {
      this.#segment += 2;
      this.#at = 0;
    }
    return at + OVERHEAD + length;
  }

  #sealNative(native: NativeSodium, flags: number, body: Uint8Array, target: Buffer, boxAt: number): void {
    const textAt = boxAt + MAC_BYTES;
    target[textAt] = flags;
    target.set(body, textAt + 1);
    const memory = target.buffer as ArrayBuffer;
    const size = MAC_BYTES + 1 + body.length;
    const box = new Uint8Array(memory, target.byteOffset + boxAt, size);
    const text = new Uint8Array(memory, target.byteOffset + textAt, size - MAC_BYTES);
    native.crypto_secretbox_easy(box, text, this.#nonce, this.#key);
  }

  /**
   * Seals one frame without the native library. The box is made in place, in the area for output or in new memory.
   * False if there is no memory.
   */
  #sealInHeap(flags: number, body: Uint8Array, target: Buffer, boxAt: number): boolean {
    const heap = this.#heap;
    const size = MAC_BYTES + 1 + body.length;
    const own = size > OUTPUT_BYTES;
    const box = own ? heap.allocate(size) : heap.output;
    if (box === 0) return false;
    const { memory, sodium, key, nonce } = heap;
    const text = box + MAC_BYTES;
    memory.set(this.#key, key);
    memory.set(this.#nonce, nonce);
    memory[text] = flags;
    memory.set(body, text + 1);
    sodium._crypto_box_easy_afternm(box, text, 1 + body.length, 0, nonce, key);
    heap.wipeKey();
    target.set(memory.subarray(box, box + size), boxAt);
    if (own) sodium._free(box);
    return true;
  }
}

const innerFlags = (flags: number): number => ((flags & COMMAND) === 0 ? flags & MORE : INNER_COMMAND);

/**
 * Writes the header of an outer frame. It has no flags except that for a long size (P9). Returns where the body begins.
 */
function writeOuterHeader(target: Uint8Array, at: number, length: number): number {
  if (length <= SHORT_BODY_MAX) {
    target[at] = 0;
    target[at + 1] = length;
    return at + 2;
  }
  target[at] = LONG;
  target[at + 1] = 0;
  target[at + 2] = 0;
  target[at + 3] = 0;
  target[at + 4] = Math.floor(length / 0x100000000);
  target[at + 5] = length >>> 24;
  target[at + 6] = length >>> 16;
  target[at + 7] = length >>> 8;
  target[at + 8] = length;
  return at + LONG_HEADER;
}
