/**
 * Splits bytes that arrive in any pieces into frames, during the handshake. These are a few small commands, so it copies.
 * After the handshake the engine's decoder takes over.
 */
import { Buffer } from "../../base/platform.js";
import { LONG, LONG_HEADER, SHORT_HEADER } from "../frame-format.js";
import { ProtocolError } from "./protocol-error.js";

/** Bytes enough for an ordinary READY. */
const FIRST_CAPACITY = 64;

/** Reads one frame after the other. */
export class FrameReader {
  readonly #maxBytes: number;
  #bytes = Buffer.alloc(FIRST_CAPACITY);
  #length = 0;
  /** How many bytes the next decision needs: the flags, the header, or the whole frame. */
  #wanted = 1;
  /** Where the body begins; 0 until the header is complete. */
  #bodyAt = 0;

  /** @param maxBytes most bytes of one body */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes bytes up to the end of one frame. Ignores all flags except LONG (C23, E5, E6).
   * @returns the body when the frame is complete, valid until the next call; the bytes not taken
   * @throws ProtocolError for a body above the limit, before allocating memory for it
   */
  push(chunk: Uint8Array): { body: Buffer | undefined; rest: Uint8Array } {
    let rest = chunk;
    for (;;) {
      const take = Math.min(this.#wanted - this.#length, rest.length);
      this.#store(rest.subarray(0, take));
      rest = rest.subarray(take);
      if (this.#length < this.#wanted) return { body: undefined, rest };
      if (this.#bodyAt > 0) return { body: this.#finish(), rest };
      if (this.#length === 1) this.#wanted = (this.#bytes[0] & LONG) === 0 ? SHORT_HEADER : LONG_HEADER;
      else this.#readSize();
    }
  }

  #readSize(): void {
    // A size with bit 63 set is above any limit, too (E4). The long form may hold a small size (E3).
    const size = this.#length === SHORT_HEADER ? this.#bytes[1] : Number(this.#bytes.readBigUInt64BE(1));
    if (size > this.#maxBytes) {
      throw new ProtocolError("handshake-too-large", `a handshake command of ${size} bytes`, {
        rule: "E4, E15",
        size,
      });
    }
    this.#bodyAt = this.#length;
    this.#wanted = this.#length + size;
  }

  /** Memory grows with what has arrived, not with what was announced: a peer can announce anything for free. */
  #store(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.alloc(Math.min(this.#wanted, Math.max(length, this.#bytes.length * 2)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  #finish(): Buffer {
    const body = this.#bytes.subarray(this.#bodyAt, this.#length);
    this.#length = 0;
    this.#wanted = 1;
    this.#bodyAt = 0;
    return body;
  }
}
