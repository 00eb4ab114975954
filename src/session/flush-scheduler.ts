/**
 * Ends the turn for pipes that gathered messages: one tick callback per turn of the event loop, however many pipes
 * and messages. Runs after the promise jobs of the turn, before the loop goes on to poll.
 */
import type { FlushScheduler, StreamPipe } from "../engine/pipe.js";

class TurnScheduler implements FlushScheduler {
  #pipes: StreamPipe[] = [];
  #idle: StreamPipe[] = [];
  readonly #run = (): void => {
    const pipes = this.#pipes;
    this.#pipes = this.#idle;
    for (let i = 0; i < pipes.length; i++) pipes[i].endOfTurn();
    pipes.length = 0;
    this.#idle = pipes;
  };

  add(pipe: StreamPipe): void {
    if (this.#pipes.push(pipe) === 1) process.nextTick(this.#run);
  }
}

/** The scheduler of this thread. */
export const flushScheduler: FlushScheduler = new TurnScheduler();
