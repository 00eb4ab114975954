/**
 * Incoming messages in turn over the pipes that have some (RFC 28, 29, 30; items G10, K3). A pipe whose peer left
 * stays until it is read empty (G4). Knows pipes and nothing else.
 */
import type { Pipe } from "../engine/pipe.js";
import type { Message } from "../message.js";

export class FairQueue {
  readonly #ready: Pipe[] = [];
  #current = 0;
  /** The pipe that gave the last message. */
  last: Pipe | undefined = undefined;

  /** The pipe has messages. */
  activate(pipe: Pipe): void {
    if (pipe.queued) return;
    pipe.queued = true;
    this.#ready.push(pipe);
  }

  /** Forget a pipe and what it holds unread. */
  remove(pipe: Pipe): void {
    if (!pipe.queued) return;
    this.#drop(this.#ready.indexOf(pipe));
    if (this.#current >= this.#ready.length) this.#current = 0;
  }

  /** The next message, or undefined when no pipe has one. */
  next(): Message | undefined {
    while (this.#ready.length > 0) {
      const pipe = this.#ready[this.#current];
      const message = pipe.read();
      if (message === undefined || pipe.inboundLength === 0) this.#drop(this.#current);
      else this.#current++;
      if (this.#current >= this.#ready.length) this.#current = 0;
      if (message !== undefined) {
        this.last = pipe;
        return message;
      }
    }
    return undefined;
  }

  /** Messages ready in all pipes. */
  get length(): number {
    let count = 0;
    for (const pipe of this.#ready) count += pipe.inboundLength;
    return count;
  }

  #drop(index: number): void {
    const pipe = this.#ready[index];
    pipe.queued = false;
    const last = this.#ready.pop() as Pipe;
    if (last !== pipe) this.#ready[index] = last;
  }
}
