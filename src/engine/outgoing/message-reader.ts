/**
 * Finds the messages in encoded bytes. A batch uses it after a connection broke in the middle of a write.
 */
import { bytesNow } from "../../base/message.js";
import { LONG, LONG_HEADER, MORE, SHORT_HEADER } from "../../wire/frame-format.js";
import { readLength } from "../frame-header.js";

/** Steps through whole messages, by the lengths that the segments had when they were encoded. */
export class MessageReader {
  /** Bytes of the current message. */
  bytes = 0;
  /** Bytes of its parts, without headers. */
  bodyBytes = 0;
  /** Whether its memory still has its original lengths. */
  intact = true;
  readonly #segments: readonly Uint8Array[];
  readonly #lengths: readonly number[];
  #from = 0;
  #fromAt = 0;
  #to = 0;
  #toAt = 0;

  constructor(segments: readonly Uint8Array[], lengths: readonly number[]) {
    this.#segments = segments;
    this.#lengths = lengths;
  }

  /** Moves to the next message; false when there is none. */
  next(): boolean {
    this.#from = this.#to;
    this.#fromAt = this.#toAt;
    this.bytes = 0;
    this.bodyBytes = 0;
    this.intact = true;
    for (let more = true; more; ) {
      if (this.#to === this.#segments.length) return false;
      const header = this.#segments[this.#to]; // a header lies in one segment, in memory of zwire's own
      const at = this.#toAt;
      more = (header[at] & MORE) !== 0;
      const long = (header[at] & LONG) !== 0;
      const length = long ? readLength(header, at + 1) : header[at + 1];
      this.bodyBytes += length;
      this.#skip((long ? LONG_HEADER : SHORT_HEADER) + length);
    }
    return true;
  }

  #skip(bytes: number): void {
    this.bytes += bytes;
    let left = bytes;
    while (this.#to < this.#segments.length && left >= this.#lengths[this.#to] - this.#toAt) {
      left -= this.#lengths[this.#to] - this.#toAt;
      if (bytesNow(this.#segments[this.#to]) !== this.#lengths[this.#to]) this.intact = false;
      this.#to++;
      this.#toAt = 0;
    }
    this.#toAt += left;
  }

  /** The bytes of the current message, if it is intact. */
  segments(): Uint8Array[] {
    const parts = this.#segments.slice(this.#from, this.#toAt > 0 ? this.#to + 1 : this.#to);
    if (this.#toAt > 0) parts[parts.length - 1] = parts[parts.length - 1].subarray(0, this.#toAt);
    if (this.#fromAt > 0) parts[0] = parts[0].subarray(this.#fromAt);
    return parts;
  }
}
