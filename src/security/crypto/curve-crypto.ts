/**
 * The few operations of a CURVE handshake, one at a time: keys, and boxes of some hundred bytes. WebAssembly throughout,
 * which has all of them. Knows no commands.
 */
import { randomBytes } from "node:crypto";
import { type Heap, INPUT_BYTES, KEY_BYTES, MAC_BYTES, NONCE_BYTES } from "./heap.js";

export class CurveOperations {
  readonly #heap: Heap;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  random(length: number): Buffer {
    return randomBytes(length);
  }

  publicKey(secretKey: Uint8Array): Buffer {
    const { octets, input, sodium } = this.#heap;
    this.#put(input, secretKey, KEY_BYTES);
    sodium._crypto_scalarmult_base(input + KEY_BYTES, input);
    const publicKey = Buffer.from(octets.subarray(input + KEY_BYTES, input + 2 * KEY_BYTES));
    octets.fill(0, input, input + KEY_BYTES);
    return publicKey;
  }

  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Buffer | undefined {
    const { octets, input, key, sodium } = this.#heap;
    this.#put(input, publicKey, KEY_BYTES);
    this.#put(input + KEY_BYTES, secretKey, KEY_BYTES);
    const failed = sodium._crypto_box_beforenm(key, input, input + KEY_BYTES) !== 0;
    const shared = Buffer.from(octets.subarray(key, key + KEY_BYTES));
    octets.fill(0, input, input + 2 * KEY_BYTES);
    this.#heap.wipeKey();
    return failed ? undefined : shared;
  }

  seal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
    const { octets, input, output, sodium } = this.#heap;
    if (message.length > INPUT_BYTES) throw new RangeError(`a handshake box of ${message.length} octets`);
    this.#put(input, message, message.length);
    this.#put(this.#heap.nonce, nonce, NONCE_BYTES);
    this.#put(this.#heap.key, key, KEY_BYTES);
    sodium._crypto_box_easy_afternm(output, input, message.length, 0, this.#heap.nonce, this.#heap.key);
    octets.fill(0, input, input + message.length);
    this.#heap.wipeKey();
    return Buffer.from(octets.subarray(output, output + message.length + MAC_BYTES));
  }

  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
    const { octets, input, output, sodium } = this.#heap;
    if (box.length < MAC_BYTES || box.length > INPUT_BYTES) return undefined;
    this.#put(input, box, box.length);
    this.#put(this.#heap.nonce, nonce, NONCE_BYTES);
    this.#put(this.#heap.key, key, KEY_BYTES);
    const { nonce: nonceAt, key: keyAt } = this.#heap;
    const failed = sodium._crypto_box_open_easy_afternm(output, input, box.length, 0, nonceAt, keyAt) !== 0;
    this.#heap.wipeKey();
    if (failed) return undefined;
    const length = box.length - MAC_BYTES;
    const message = Buffer.from(octets.subarray(output, output + length));
    octets.fill(0, output, output + length);
    return message;
  }

  wipe(octets: Uint8Array): void {
    octets.fill(0);
  }

  #put(pointer: number, octets: Uint8Array, length: number): void {
    if (octets.length !== length) throw new RangeError(`${octets.length} octets instead of ${length}`);
    this.#heap.octets.set(octets, pointer);
  }
}
