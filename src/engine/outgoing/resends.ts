/**
 * Decides when to give up a message within which connections break. Most breaks are restarts of the peer, and the message
 * is resent on the next connection. But a peer that refuses the message ends every connection in the middle of it, and
 * the message would then block all messages behind it.
 */

/**
 * Bytes that the kernel's buffers on both sides may take after the point where the peer stopped reading. A connection
 * that took more than this beyond all earlier ones has made progress.
 */
const BUFFERS_BYTES = 8 * 1024 * 1024;

/** Counts the connections in a row that the peer ended within one message. */
export class Resends {
  #connections = 0;
  #furthest = 0;

  /**
   * The peer has ended one more connection.
   * @param taken bytes of the message that the kernel had taken
   * @param most how often to resend the message; -1 for no limit
   * @returns whether to resend it
   */
  again(taken: number, most: number): boolean {
    if (taken > this.#furthest + BUFFERS_BYTES) this.#connections = 0;
    if (taken > this.#furthest) this.#furthest = taken;
    this.#connections++;
    return most < 0 || this.#connections <= most;
  }
}
