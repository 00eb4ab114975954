/**
 * Tells everything that gathers messages when the current turn of the event loop ends: one tick callback for all of them.
 * It runs after the turn's promise jobs and before the loop polls again.
 */

/** Something that gathers messages until the turn ends. */
export interface Gathering {
  endOfTurn(): void;
}

export class TurnEnd {
  readonly #nextTick: (run: () => void) => void;
  #gathering: Gathering[] = [];
  #idle: Gathering[] = [];
  readonly #run = (): void => {
    const all = this.#gathering;
    this.#gathering = this.#idle;
    for (let i = 0; i < all.length; i++) all[i].endOfTurn();
    all.length = 0;
    this.#idle = all;
  };

  constructor(nextTick: (run: () => void) => void) {
    this.#nextTick = nextTick;
  }

  /** Calls `endOfTurn` once at the end of the current turn. */
  add(one: Gathering): void {
    if (this.#gathering.push(one) === 1) this.#nextTick(this.#run);
  }
}
