/**
 * One way through the messages of a socket, step by step. Knows only who gives the steps.
 */

import type { Loop } from "./loops.js";

/** Gives steps, and takes back what an iteration that is left has not used. */
export interface Stepping<M> {
  step(by: Iteration<M>): Promise<IteratorResult<M, undefined>>;
  leave(by: Iteration<M>): void;
  /** Whether a step waits for a message. */
  waitsFor(by: Iteration<M>): boolean;
}

/** The step of an iteration that has come to its end. */
export const DONE: IteratorResult<never, undefined> = Object.freeze({ value: undefined, done: true });

/** One `for await`, or whatever else steps through messages. When it is left, its own waits are withdrawn. */
export class Iteration<M> implements AsyncIterator<M, undefined>, Loop {
  readonly #queue: Stepping<M>;
  /** Messages that wait for the next turn of the event loop, to be given away then. */
  readonly held: M[] = [];
  /** Nobody steps any more. */
  left = false;
  /** A step has given a message since the program last asked for one. */
  gave = false;
  /** Whether the program gives the messages back. */
  readonly borrows: boolean;

  constructor(queue: Stepping<M>, borrows: boolean) {
    this.#queue = queue;
    this.borrows = borrows;
  }

  get busy(): boolean {
    return this.gave && !this.#queue.waitsFor(this);
  }

  /** The next message; ends when the socket closes. */
  next(): Promise<IteratorResult<M, undefined>> {
    this.gave = false;
    return this.#queue.step(this);
  }

  /** A step that gives its message when a turn has come. Until then the iteration may be left, and the message is not its own. */
  async later(message: M, turn: Promise<void>): Promise<IteratorResult<M, undefined>> {
    this.held.push(message);
    await turn;
    const place = this.held.indexOf(message);
    if (place < 0) return DONE;
    this.held.splice(place, 1);
    this.gave = true; // another step may have been asked for meanwhile
    return { value: message, done: false };
  }

  /** The iteration is left: a step that waits ends without a message. The message goes to the next receive. */
  return(): Promise<IteratorResult<M, undefined>> {
    this.gave = false;
    this.#queue.leave(this);
    return Promise.resolve(DONE);
  }
}
