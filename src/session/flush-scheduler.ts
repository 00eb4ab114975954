/**
 * Ends the turn for pipes and others that gathered messages: one tick callback per turn of the event loop, however many
 * they are. Runs after the promise jobs of the turn, before the loop goes on to poll.
 */
import { nextTick } from "../base/platform.js";
import type { FlushScheduler } from "../engine/stream-pipe.js";

type Gathering = Parameters<FlushScheduler["add"]>[0];

class TurnScheduler implements FlushScheduler {
  #gathering: Gathering[] = [];
  #idle: Gathering[] = [];
  readonly #run = (): void => {
    const all = this.#gathering;
    this.#gathering = this.#idle;
    for (let i = 0; i < all.length; i++) all[i].endOfTurn();
    all.length = 0;
    this.#idle = all;
  };

  add(one: Gathering): void {
    if (this.#gathering.push(one) === 1) nextTick(this.#run);
  }
}

/** The scheduler of this thread. */
export const flushScheduler: FlushScheduler = new TurnScheduler();
