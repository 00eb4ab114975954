/**
 * When a message that connections break within is given up. Most such breaks are restarts, and the message goes to the
 * next connection; but a peer that refuses it ends every connection in its middle, and it would block all behind it.
 */

/**
 * What a connection may take of a message after the place where the peer stops to read: the kernels' buffers of both
 * sides. One that took more than that beyond all before it has made progress.
 */
const BUFFERS_BYTES = 8 * 1024 * 1024;

/** The connections in a row that the peer has ended within one message. */
export class Resends {
  #connections = 0;
  #furthest = 0;

  /**
   * The peer has ended one more.
   * @param taken bytes of the message that the kernel had taken
   * @param most how often it is sent again; -1 for as often as it takes
   * @returns whether to send it again
   */
  again(taken: number, most: number): boolean {
    if (taken > this.#furthest + BUFFERS_BYTES) this.#connections = 0;
    if (taken > this.#furthest) this.#furthest = taken;
    this.#connections++;
    return most < 0 || this.#connections <= most;
  }
}
