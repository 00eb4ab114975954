/**
 * The cryptographic operations of a CURVE handshake: keys, and boxes of some hundred bytes. All use libsodium's
 * WebAssembly build, which has all the functions.
 */
import { Buffer, randomBytes } from "../../base/platform.js";
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
    const { memory, input, sodium } = this.#heap;
    this.#put(input, secretKey, KEY_BYTES);
    sodium._crypto_scalarmult_base(input + KEY_BYTES, input);
    const publicKey = Buffer.from(memory.subarray(input + KEY_BYTES, input + 2 * KEY_BYTES));
    memory.fill(0, input, input + KEY_BYTES);
    return publicKey;
  }

  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Buffer | undefined {
    const { memory, input, key, sodium } = this.#heap;
    this.#put(input, publicKey, KEY_BYTES);
    this.#put(input + KEY_BYTES, secretKey, KEY_BYTES);
    const failed = sodium._crypto_box_beforenm(key, input, input + KEY_BYTES) !== 0;
    const shared = Buffer.from(memory.subarray(key, key + KEY_BYTES));
    memory.fill(0, input, input + 2 * KEY_BYTES);
    this.#heap.wipeKey();
    return failed ? undefined : shared;
  }

  seal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
    const { memory, input, output, sodium } = this.#heap;
    if (message.length > INPUT_BYTES) throw new RangeError(`a handshake box of ${message.length} bytes`);
    this.#put(input, message, message.length);
    this.#put(this.#heap.nonce, nonce, NONCE_BYTES);
    this.#put(this.#heap.key, key, KEY_BYTES);
    sodium._crypto_box_easy_afternm(output, input, message.length, 0, this.#heap.nonce, this.#heap.key);
    memory.fill(0, input, input + message.length);
    this.#heap.wipeKey();
    return Buffer.from(memory.subarray(output, output + message.length + MAC_BYTES));
  }

  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
    const { memory, input, output, sodium } = this.#heap;
    if (box.length < MAC_BYTES || box.length > INPUT_BYTES) return undefined;
    this.#put(input, box, box.length);
    this.#put(this.#heap.nonce, nonce, NONCE_BYTES);
    this.#put(this.#heap.key, key, KEY_BYTES);
    const { nonce: nonceAt, key: keyAt } = this.#heap;
    const failed = sodium._crypto_box_open_easy_afternm(output, input, box.length, 0, nonceAt, keyAt) !== 0;
    this.#heap.wipeKey();
    if (failed) return undefined;
    const length = box.length - MAC_BYTES;
    const message = Buffer.from(memory.subarray(output, output + length));
    memory.fill(0, output, output + length);
    return message;
  }

  wipe(bytes: Uint8Array): void {
    bytes.fill(0);
  }

  #put(pointer: number, bytes: Uint8Array, length: number): void {
    if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes instead of ${length}`);
    this.#heap.memory.set(bytes, pointer);
  }
}
