/**
 * Work areas in the memory of libsodium's WebAssembly build. Boxes are copied in and out in long runs, never one by
 * one. There is one Heap per thread, which all connections share. Between two calls it holds only leftovers, and the
 * key is overwritten after each call.
 */
import type { Libsodium } from "libsodium";

/** Bytes of a key and of a nonce. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export const MAC_BYTES = 16;
/** Bytes of the areas for input and output. Output needs more, because sealing makes data longer. */
export const INPUT_BYTES = 128 * 1024;
export const OUTPUT_BYTES = 256 * 1024;

export class Heap {
  readonly sodium: Libsodium;
  /** Pointers to the areas. */
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

  /** The WebAssembly memory. Valid until the next `allocate`. */
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

  /** A pointer to new memory; 0 if WebAssembly's limit of 2 GiB is reached, or if the system has no more. */
  allocate(bytes: number): number {
    return this.sodium._malloc(bytes);
  }

  /** Overwrites the key, so that it does not outlive its connection. */
  wipeKey(): void {
    this.memory.fill(0, this.key, this.key + KEY_BYTES);
  }
}
