/** Unpacks what comes in, one message at a time. What comes behind it waits. */

import type { Compression } from "./extension.js";
import { PER_MESSAGE, PER_TURN, unpack, unpackLater } from "./jobs.js";

export interface UnpackerOwner {
  /** A message is unpacked. */
  unpacked(message: Buffer): void;
  /** Go on with what comes behind. */
  goOn(): void;
  /** A message unpacks to more than `most` bytes (TooLarge), or it cannot be unpacked. */
  notUnpacked(error: Error, most: number): void;
}

export class Unpacker {
  readonly #compression: Compression;
  readonly #owner: UnpackerOwner;
  /** Whether the next bytes must wait. */
  waits = false;
  #worked = 0;
  #over = false;

  constructor(compression: Compression, owner: UnpackerOwner) {
    this.#compression = compression;
    this.#owner = owner;
  }

  /** @param most bytes that the connection allows now */
  unpack(packed: Buffer, most: number): void {
    // One more for the flags.
    const limit = Math.min(most, this.#compression.most + 1);
    let message: Buffer | null;
    try {
      message = unpack(packed, limit);
    } catch (error) {
      this.#owner.notUnpacked(error as Error, limit);
      return;
    }
    if (message === null) {
      this.#later(packed, limit);
      return;
    }
    this.#worked += message.length + PER_MESSAGE;
    this.#owner.unpacked(message);
    this.#rest();
  }

  #later(packed: Buffer, limit: number): void {
    this.waits = true;
    const over = (): boolean => this.#over;
    unpackLater(packed, limit, over, (error, message) => {
      if (this.#over) return;
      this.waits = false;
      if (error !== null) {
        this.#owner.notUnpacked(error, limit);
        return;
      }
      this.#owner.unpacked(message);
      if (!this.#over) this.#owner.goOn();
    });
  }

  /** Lets others have their turn after much work. */
  #rest(): void {
    if (this.#worked < PER_TURN || this.#over) return;
    this.#worked = 0;
    this.waits = true;
    setImmediate(() => {
      this.waits = false;
      if (!this.#over) this.#owner.goOn();
    });
  }

  /** The connection is over. */
  stop(): void {
    this.#over = true;
  }
}
