/**
 * The loops over the messages of a socket, for those who must know whether the program still has a message in its hands. A loop
 * that the program forgets is forgotten here, too.
 */

/** One loop. */
export interface Loop {
  /** Whether it has a message that it has not finished with: it has not asked for the next one, and was not left. */
  readonly busy: boolean;
}

export class Loops {
  #loops: WeakRef<Loop>[] = [];
  /** Forgotten loops are removed when there are so many. */
  #sweepAt = 8;

  add(loop: Loop): void {
    if (this.#loops.length >= this.#sweepAt) {
      this.#loops = this.#loops.filter((one) => one.deref() !== undefined);
      this.#sweepAt = Math.max(8, 2 * this.#loops.length); // doubling: each is looked at twice, on average
    }
    this.#loops.push(new WeakRef(loop));
  }

  get busy(): boolean {
    return this.#loops.some((loop) => loop.deref()?.busy === true);
  }
}
