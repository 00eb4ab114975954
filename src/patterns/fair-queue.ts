/**
 * Takes incoming messages from the pipes that have some, in turn (RFC 28, 29, 30; items G10, K3). A pipe whose peer has
 * left stays until it is read empty (G4). Knows only pipes.
 */

import type { Peer } from "../base/events.js";
import type { Message } from "../base/message.js";
import type { Pipe } from "../engine/pipe.js";

/** Unread messages of one connection that has ended. */
interface Former {
  readonly peer: Peer | undefined;
  left: number;
}

export class FairQueue {
  readonly #ready: Pipe[] = [];
  #current = 0;
  /** The pipe that gave the last message. */
  last: Pipe | undefined = undefined;
  /** Unread messages of connections that have ended, by pipe. */
  readonly #former = new Map<Pipe, Former[]>();
  /** Their number; -1 if the last message was none of them either, so that the usual case costs one comparison. */
  #formerLeft = -1;
  /** The sender of the last message; null means the present peer of its pipe. */
  #sender: Peer | undefined | null = null;

  /** The pipe has messages. */
  activate(pipe: Pipe): void {
    if (pipe.queued) return;
    pipe.queued = true;
    this.#ready.push(pipe);
  }

  /** Forget a pipe and its unread messages. */
  remove(pipe: Pipe): void {
    if (!pipe.queued) return;
    this.#drop(this.#ready.indexOf(pipe));
    for (const { left } of this.#former.get(pipe) ?? []) this.#formerLeft -= left;
    this.#former.delete(pipe);
    if (this.#current >= this.#ready.length) this.#current = 0;
  }

  /** The next message, or undefined if no pipe has one. */
  next(): Message | undefined {
    while (this.#ready.length > 0) {
      const pipe = this.#ready[this.#current];
      const message = pipe.read();
      if (message === undefined || pipe.inboundLength === 0) this.#drop(this.#current);
      else this.#current++;
      if (this.#current >= this.#ready.length) this.#current = 0;
      if (message !== undefined) {
        this.last = pipe;
        if (this.#formerLeft !== -1) this.#attribute(pipe);
        return message;
      }
    }
    return undefined;
  }

  /** The sender of the last message, even if its pipe is connected to another peer by now. */
  get sender(): Peer | undefined {
    return this.#sender === null ? this.last?.peer : this.#sender;
  }

  /** Finds the sender of the message just read, while some unread messages are from former connections. */
  #attribute(pipe: Pipe): void {
    this.#sender = null;
    if (this.#formerLeft === 0) {
      this.#formerLeft = -1;
      return;
    }
    const former = this.#former.get(pipe);
    if (former === undefined) return;
    this.#sender = former[0].peer;
    this.#formerLeft--;
    if (--former[0].left === 0) former.shift();
    if (former.length === 0) this.#former.delete(pipe);
  }

  /**
   * The pipe has lost its connection, and may get another.
   * @param peer the sender of its unread messages, except those of earlier connections; undefined if unknown
   */
  parted(pipe: Pipe, peer: Peer | undefined): void {
    const former = this.#former.get(pipe) ?? [];
    const left = pipe.inboundLength - former.reduce((sum, one) => sum + one.left, 0);
    if (left <= 0) return;
    former.push({ peer, left });
    this.#former.set(pipe, former);
    this.#formerLeft = Math.max(this.#formerLeft, 0) + left;
  }

  /** Forget all pipes and their unread messages. */
  clear(): void {
    for (const pipe of this.#ready) {
      pipe.queued = false;
      pipe.discardInbound();
    }
    this.#ready.length = 0;
    this.#current = 0;
    this.#former.clear();
    this.#formerLeft = -1;
  }

  /** Number of unread messages in all pipes. */
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
