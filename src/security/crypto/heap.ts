/**
 * Work areas in the memory of libsodium's WebAssembly build: what is sealed or opened there is copied in and out in long
 * runs, never box by box. One per thread, shared by all connections: nothing stays in it between two calls but remnants,
 * and the key is overwritten after each. Knows no protocol.
 */
import type { Libsodium } from "libsodium";

/** Bytes of a key and of a nonce. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export const MAC_BYTES = 16;
/** Bytes of the area for input and of the one for output. What is sealed grows. */
export const INPUT_BYTES = 128 * 1024;
export const OUTPUT_BYTES = 256 * 1024;

export class Heap {
  readonly sodium: Libsodium;
  /** Pointers. */
  readonly key: number;
  readonly nonce: number;
  readonly input: number;
  readonly output: number;
  #memory: Uint8Array;
  #view: DataView;

  constructor(sodium: Libsodium) {
    this.sodium = sodium;
    this.key = this.allocate(KEY_BYTES);
    this.nonce = this.allocate(NONCE_BYTES);
    this.input = this.allocate(INPUT_BYTES);
    this.output = this.allocate(OUTPUT_BYTES);
    this.#memory = sodium.HEAPU8;
    this.#view = new DataView(this.#memory.buffer);
  }

  /** The memory, valid until the next `allocate`. */
  get memory(): Uint8Array {
    if (this.#memory !== this.sodium.HEAPU8) {
      this.#memory = this.sodium.HEAPU8;
      this.#view = new DataView(this.#memory.buffer);
    }
    return this.#memory;
  }

  /** A view of `memory`. Read `memory` first: it renews both after the heap has grown. */
  get view(): DataView {
    return this.#view;
  }

  /** 0 where WebAssembly's memory ends: at 2 GiB, or where the system has no more. */
  allocate(bytes: number): number {
    return this.sodium._malloc(bytes);
  }

  /** Keeps nothing of a connection that is gone. */
  wipeKey(): void {
    this.memory.fill(0, this.key, this.key + KEY_BYTES);
  }
}
