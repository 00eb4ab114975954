/**
 * How many messages may be written to a connection ahead of what is read from it. A peer that answers all that it gets
 * has to drop answers when we write far more in each turn of the event loop than we can read in it: a libzmq Router
 * does at its mark of 1000 messages, and of its answers of 2,000 bytes the kernel holds some 25 on a unix socket.
 * Sans-I/O: is told what was written and read, and when an answer has been waited for in vain.
 */

/** Messages that may be written ahead: half of the mark of a peer with default options has to do for both directions. */
const AHEAD = 128;
/** Messages that may be written to a peer that seems not to answer, before that is certain. */
const GRANT = AHEAD / 2;
/** Fewer messages read than this while a window's time went by: the peer does not answer as much as we thought. */
const FEW = AHEAD / 4;
/** A peer that answers less than one message of so many does not answer. */
const MOST_PER_ANSWER = 4;
/** Messages written to a peer that did not answer, after which it is looked at once more. */
const REVIEW = 4096;

export class WriteBudget {
  /** Messages that may be written now; Infinity for a peer that does not answer. */
  left = AHEAD;
  /** Messages that may follow for each that is read. */
  #perAnswer = 1;
  /** Windows in which few messages were read, and whether there was a better one before. */
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

  /** The budget is used up, and time begins to be taken. */
  windowBegins(): void {
    this.#read = 0;
  }

  /**
   * That time is over. A peer that never answered costs three of them, once; another is taken to be busy the first time.
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
