/**
 * Takes single frames out of octets that come in any pieces, during the handshake: a few small commands, so it copies.
 * After the handshake the engine's decoder takes over. Knows nothing of what the frames say.
 */
import { Buffer } from "../../base/platform.js";
import { LONG } from "../frame-format.js";
import { ProtocolError } from "./protocol-error.js";

/** Octets that an ordinary READY fits in. */
const FIRST_CAPACITY = 64;

/** Reads one frame after the other. */
export class FrameReader {
  readonly #maxBytes: number;
  #octets = Buffer.alloc(FIRST_CAPACITY);
  #length = 0;
  /** Where the next decision falls: behind the flags octet, behind the header, behind the body. */
  #wanted = 1;
  /** Where the body begins; 0 while the header is incomplete. */
  #bodyAt = 0;

  /** @param maxBytes octets of one body at most */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes octets up to the end of one frame. Flags other than LONG are not looked at (C23, E5, E6).
   * @returns the body when the frame is complete, valid until the next call; the octets not taken
   * @throws ProtocolError for a body above the limit, before memory is taken for it
   */
  push(chunk: Uint8Array): { body: Buffer | undefined; rest: Uint8Array } {
    let rest = chunk;
    for (;;) {
      const take = Math.min(this.#wanted - this.#length, rest.length);
      this.#store(rest.subarray(0, take));
      rest = rest.subarray(take);
      if (this.#length < this.#wanted) return { body: undefined, rest };
      if (this.#bodyAt > 0) return { body: this.#finish(), rest };
      if (this.#length === 1) this.#wanted = (this.#octets[0] & LONG) === 0 ? 2 : 9;
      else this.#readSize();
    }
  }

  #readSize(): void {
    // A size with bit 63 set is above any limit too (E4). A long size may be small (E3).
    const size = this.#length === 2 ? this.#octets[1] : Number(this.#octets.readBigUInt64BE(1));
    if (size > this.#maxBytes) {
      throw new ProtocolError("handshake-too-large", `a handshake command of ${size} octets`, {
        rule: "E4, E15",
        octets: size,
      });
    }
    this.#bodyAt = this.#length;
    this.#wanted = this.#length + size;
  }

  /** Memory grows with what has come, not with what was announced: announcing costs a peer nothing. */
  #store(octets: Uint8Array): void {
    const length = this.#length + octets.length;
    if (length > this.#octets.length) {
      const grown = Buffer.alloc(Math.min(this.#wanted, Math.max(length, this.#octets.length * 2)));
      this.#octets.copy(grown, 0, 0, this.#length);
      this.#octets = grown;
    }
    this.#octets.set(octets, this.#length);
    this.#length = length;
  }

  #finish(): Buffer {
    const body = this.#octets.subarray(this.#bodyAt, this.#length);
    this.#length = 0;
    this.#wanted = 1;
    this.#bodyAt = 0;
    return body;
  }
}
