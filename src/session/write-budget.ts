/**
 * Limits how many messages are written to a connection ahead of those read from it. If zwire wrote far more in a turn of
 * the event loop than it can read in one, a peer that answers every message would have to drop answers: a libzmq Router
 * drops above its high-water mark of 1000 messages, and the kernel buffers only about 25 answers of 2,000 bytes on a unix
 * socket. Does no I/O: the caller reports what was written and read, and when a wait for answers has ended.
 */

/** Messages that may be written ahead. A peer's default high-water mark of 1000 must suffice for both directions. */
const AHEAD = 128;
/** Messages that each window allows at least, while it is not yet certain that the peer does not answer. */
const GRANT = AHEAD / 2;
/** If fewer messages than this are read in a window, the peer answers less than assumed. */
const FEW = AHEAD / 4;
/** A peer that answers fewer than one in so many messages counts as one that does not answer. */
const MOST_PER_ANSWER = 4;
/** After so many messages to a peer that did not answer, check again whether it does. */
const REVIEW = 4096;

export class WriteBudget {
  /** Messages that may be written now; Infinity for a peer that does not answer. */
  left = AHEAD;
  /** Messages that may be written for each one read. */
  #perAnswer = 1;
  /** Counts windows in which few messages were read; `#answers` tells whether a window ever had enough. */
  #doubts = 0;
  #answers = false;
  #written = 0;
  #read = 0;

  wrote(messages: number): void {
    if (this.left !== Number.POSITIVE_INFINITY) {
      this.left -= messages;
      return;
    }
    this.#written += messages;
    if (this.#written < REVIEW) return;
    if (this.#read * MOST_PER_ANSWER >= this.#written) {
      this.#perAnswer = 1;
      this.left = AHEAD;
    }
    this.#written = 0;
    this.#read = 0;
  }

  read(messages: number): void {
    this.#read += messages;
    if (this.left !== Number.POSITIVE_INFINITY) {
      this.left = Math.min(this.left + messages * this.#perAnswer, AHEAD);
    }
  }

  /** The budget is used up: a wait for answers begins. */
  windowBegins(): void {
    this.#read = 0;
  }

  /**
   * The wait has ended. A peer that never answered is recognised after three windows; one that has answered before is
   * assumed to be busy the first time.
   */
  windowEnds(): void {
    if (this.#read >= FEW) {
      this.#answers = true;
      this.#doubts = 0;
      this.#perAnswer = Math.max(1, this.#perAnswer / 2);
      return;
    }
    this.#doubts += this.#answers || this.#read > 0 ? 1 : 2;
    if (this.#doubts >= 2) {
      this.#doubts = 0;
      this.#perAnswer *= 2;
    }
    if (this.#perAnswer > MOST_PER_ANSWER) this.left = Number.POSITIVE_INFINITY;
    else this.left = Math.max(this.left, GRANT);
  }
}
