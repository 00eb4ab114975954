/** Compresses what goes out: gathers the body of a frame, packs it, and holds it until it has gone on. One at a time. */

import { COMPRESSED_MAX, type Compression } from "./extension.js";
import { AT_ONCE, PER_MESSAGE, PER_TURN, pack, packLater } from "./jobs.js";

/** A message, and whether it is compressed: what would not get smaller stays as it is. */
export interface PackedMessage {
  readonly payload: Buffer;
  readonly packed: boolean;
}

export class Packer {
  readonly #compression: Compression;
  readonly #ready: () => void;
  /** Flags and body of the present frame. */
  #message: Buffer | null = null;
  #length = 0;
  #done: PackedMessage | null = null;
  #worked = 0;
  #over = false;

  /** @param ready what another thread was packing is ready */
  constructor(compression: Compression, ready: () => void) {
    this.#compression = compression;
    this.#ready = ready;
  }

  /** Whether a body of this size is compressed. */
  takes(length: number): boolean {
    return length > 0 && length >= this.#compression.threshold && length <= COMPRESSED_MAX;
  }

  /** A body of so many bytes follows. @param flags those of ZWS */
  begin(flags: number, length: number): void {
    this.#message = Buffer.allocUnsafe(length + 1);
    this.#message[0] = flags;
    this.#length = 1;
  }

  /** Whether a body is being gathered or packed: nothing of it has gone on. */
  get busy(): boolean {
    return this.#message !== null;
  }

  /** Whether another thread is packing. */
  get waits(): boolean {
    const message = this.#message;
    return message !== null && this.#length === message.length && this.#done === null;
  }

  /** What is ready to go on. */
  get done(): PackedMessage | null {
    return this.#done;
  }

  /** Whether enough was done in this turn. Asking begins a new turn. */
  isTired(): boolean {
    if (this.#worked < PER_TURN) return false;
    this.#worked = 0;
    return true;
  }

  /** Whether the next one should wait for another turn. */
  get tired(): boolean {
    return this.#worked >= PER_TURN;
  }

  /** Takes the next bytes of the body, and packs it when it is whole. */
  add(bytes: Uint8Array): void {
    const message = this.#message as Buffer;
    message.set(bytes, this.#length);
    this.#length += bytes.length;
    if (this.#length < message.length) return;
    const { windowBits } = this.#compression;
    if (message.length <= AT_ONCE) {
      this.#worked += message.length + PER_MESSAGE;
      this.#packed(pack(message, windowBits));
      return;
    }
    const over = (): boolean => this.#over;
    packLater(message, windowBits, over, (packed) => {
      if (this.#over) return;
      this.#packed(packed);
      this.#ready();
    });
  }

  #packed(packed: Buffer | null): void {
    this.#done =
      packed === null
        ? { payload: this.#message as Buffer, packed: false }
        : { payload: packed, packed: true };
  }

  /** It has gone on. */
  clear(): void {
    this.#message = null;
    this.#done = null;
  }

  /** The connection is over. */
  stop(): void {
    this.#over = true;
    this.clear();
  }
}
