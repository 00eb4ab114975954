/** Counts what arrives on one connection, once for each chunk and not for each message. */
import type { Tally } from "../engine/pipe.js";
import * as frameFormat from "../wire/frame-format.js";

// Constants of this module: see frame-format.ts.
const { FRAME_ENTRY_SIZE, headerSize } = frameFormat;

export class Arrivals implements Tally {
  messages = 0;
  bytes = 0;
  heardAt: number;
  readonly mechanism: string | null;

  /** @param mechanism null for a connection without a handshake */
  constructor(now: number, mechanism: string | null) {
    this.heardAt = now;
    this.mechanism = mechanism;
  }

  /** Frames that lie one behind the other: measured from the first to the last, because a sum would cost each of them time. */
  frames(table: Uint32Array, count: number, now: number): void {
    const last = (count - 1) * FRAME_ENTRY_SIZE;
    this.bytes += table[last] + table[last + 1] - table[0] + headerSize(table[1]);
    this.heardAt = now;
  }

  /** A frame by itself. */
  frame(bytes: number, now: number): void {
    this.bytes += bytes + headerSize(bytes);
    this.heardAt = now;
  }
}
