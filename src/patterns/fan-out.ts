/**
 * Sends one message to many pipes and encodes it once, whatever its size. Hot path: a short message allocates nothing,
 * unless a pipe has a backlog. Knows pipes, but no topics.
 */

import { fronted } from "../base/carried.js";
import type { OutMessage } from "../base/message.js";
import type { Budget } from "../engine/budget.js";
import { Batch } from "../engine/outgoing/batch.js";
import { encodedBytes, Shared } from "../engine/outgoing/shared-run.js";
import type { Pipe } from "../engine/pipe.js";
import type { Overflow } from "./overflow.js";

/** Messages up to this size are encoded in memory that is reused; most pipes copy from it. */
const SCRATCH_BYTES = 1024;

export class FanOut {
  readonly #scratch = new Batch();
  readonly #shared: Shared;
  readonly #overflow: Overflow;

  /** @param budget counts the unsent bytes of all pipes of the socket */
  constructor(budget: Budget, overflow: Overflow) {
    this.#shared = new Shared(budget);
    this.#overflow = overflow;
  }

  /**
   * Sends a copy to each pipe. If a pipe is full and sends wait for it, sends no copy at all and returns false. The caller
   * settles the overflow afterwards.
   */
  send(message: OutMessage, pipes: readonly Pipe[]): boolean {
    const overflow = this.#overflow;
    if (overflow.waits) {
      // No early exit: each full pipe must record the refusal, or it would not report room later.
      let full = false;
      for (let i = 0; i < pipes.length; i++) if (!pipes[i].hasRoom()) full = true;
      if (full) return false;
    }
    if (pipes.length === 1) {
      if (!pipes[0].trySend(message)) overflow.refused(pipes[0], message);
      return true;
    }
    const shared = this.#shared;
    const encoded = pipes[0]?.carries ? fronted(message) : message;
    const short = encodedBytes(encoded) <= SCRATCH_BYTES;
    if (short) {
      this.#scratch.append(encoded);
      shared.set(this.#scratch.seal()[0], 1, false);
    } else shared.setLong(encoded);
    for (let i = 0; i < pipes.length; i++) {
      const pipe = pipes[i];
      if (!pipe.trySendShared(shared, message)) overflow.refused(pipe, message, shared);
    }
    shared.clear();
    if (short) this.#scratch.release();
    return true;
  }
}
