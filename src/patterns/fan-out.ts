/**
 * One message to many pipes, encoded once whatever its size. Hot path: nothing is allocated for a short message unless a
 * pipe has a backlog. Knows pipes, no topics.
 */

import type { OutMessage } from "../base/message.js";
import type { Budget } from "../engine/budget.js";
import { Batch } from "../engine/outgoing/batch.js";
import { encodedBytes, Shared } from "../engine/outgoing/shared-run.js";
import type { Pipe } from "../engine/pipe.js";
import type { Overflow } from "./overflow.js";

/** Messages up to this size are encoded in memory that is used again, from which most pipes copy. */
const SCRATCH_BYTES = 1024;

export class FanOut {
  readonly #scratch = new Batch();
  readonly #shared: Shared;
  readonly #overflow: Overflow;

  /** @param budget what all pipes of the socket hold unsent */
  constructor(budget: Budget, overflow: Overflow) {
    this.#shared = new Shared(budget);
    this.#overflow = overflow;
  }

  /** One copy to each; false, and none to anybody, where a send waits for one that is full. */
  send(message: OutMessage, pipes: readonly Pipe[]): boolean {
    const overflow = this.#overflow;
    if (overflow.waits) {
      // Every full pipe must note that it refused, so that its wake-up comes: no early exit.
      let full = false;
      for (let i = 0; i < pipes.length; i++) if (!pipes[i].hasRoom()) full = true;
      if (full) return false;
    }
    if (pipes.length === 1) {
      if (!pipes[0].trySend(message)) overflow.refused(pipes[0], message);
      return true;
    }
    const shared = this.#shared;
    const short = encodedBytes(message) <= SCRATCH_BYTES;
    if (short) {
      this.#scratch.append(message);
      shared.set(this.#scratch.seal()[0], 1, false);
    } else shared.setLong(message);
    for (let i = 0; i < pipes.length; i++) {
      const pipe = pipes[i];
      if (!pipe.trySendShared(shared, message)) overflow.refused(pipe, message, shared);
    }
    shared.clear();
    if (short) this.#scratch.release();
    return true;
  }
}
