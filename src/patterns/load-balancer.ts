/**
 * Distributes outgoing messages over the pipes that have room, in turn (RFC 28, 30; items G11, K1, K6). The pipes with room
 * come first in the array. Knows only pipes.
 */

import type { OutMessage } from "../base/message.js";
import type { Pipe } from "../engine/pipe.js";

export class LoadBalancer {
  readonly #pipes: Pipe[] = [];
  #active = 0;
  #current = 0;
  /** The pipe that took the last message. */
  last: Pipe | undefined = undefined;

  add(pipe: Pipe): void {
    this.#pipes.push(pipe);
    this.activate(pipe);
  }

  /** The pipe has room again. */
  activate(pipe: Pipe): void {
    const index = this.#pipes.indexOf(pipe);
    if (index < this.#active) return;
    this.#swap(index, this.#active++);
  }

  remove(pipe: Pipe): void {
    let index = this.#pipes.indexOf(pipe);
    if (index < 0) return;
    if (index < this.#active) {
      this.#swap(index, --this.#active);
      index = this.#active;
    }
    this.#swap(index, this.#pipes.length - 1);
    this.#pipes.pop();
    if (this.#current >= this.#active) this.#current = 0;
    if (this.last === pipe) this.last = undefined;
  }

  /** Queue at the next pipe with room; false if none has any. */
  send(message: OutMessage): boolean {
    while (this.#active > 0) {
      const pipe = this.#pipes[this.#current];
      if (pipe.trySend(message)) {
        this.last = pipe;
        if (++this.#current >= this.#active) this.#current = 0;
        return true;
      }
      this.#swap(this.#current, --this.#active);
      if (this.#current >= this.#active) this.#current = 0;
    }
    return false;
  }

  /** Whether send() would take a message now. */
  get hasRoom(): boolean {
    for (let i = 0; i < this.#active; i++) if (this.#pipes[i].hasRoom()) return true;
    return false;
  }

  #swap(a: number, b: number): void {
    if (a === b) return;
    const pipes = this.#pipes;
    const held = pipes[a];
    pipes[a] = pipes[b];
    pipes[b] = held;
  }
}
