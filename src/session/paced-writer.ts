/**
 * Writes batches to a stream as the write budget allows: it limits how many messages are written ahead of those read
 * (write-budget.ts says why). Knows neither frames nor pipes.
 */
import type { Timer } from "../base/deadline.js";
import type { Runtime } from "../base/runtime.js";
import type { Stream } from "../transport/contract/transport.js";
import { WriteBudget } from "./write-budget.js";

/** Milliseconds to wait for answers before the budget counts them. */
const WINDOW_MS = 20;

/** What the writer needs from its owner. */
export interface Writing {
  readonly runtime: Runtime;
  written(): void;
  /** Whether the memory given to write() is still there. Checked before each part is written. */
  readonly intact: boolean;
  /** The memory is gone. `waitingBytes` were not handed to the stream. */
  memoryGone(waitingBytes: number): void;
}

export class PacedWriter {
  #stream: Pick<Stream, "write">;
  readonly #owner: Writing;
  readonly #budget = new WriteBudget();
  /** The segments being written, the index of the next one for the stream, and how many of its bytes are written. */
  #segments: readonly Uint8Array[] = [];
  #next = 0;
  #offset = 0;
  #waiting = 0;
  /** The stream has not taken everything: the next write must wait for onDrain(). */
  #busy = false;
  /** Average size of a message. */
  #messageBytes = 1;
  /** Runs while the budget is used up. */
  #window: Timer | undefined;
  /** A write on the next turn is scheduled. */
  #turn = false;

  constructor(stream: Stream, owner: Writing) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** From now on, writes to something else. */
  redirect(stream: Pick<Stream, "write">): void {
    this.#stream = stream;
  }

  /** Messages have arrived. */
  read(messages: number): void {
    this.#budget.read(messages);
    if (this.#window === undefined || this.#next === this.#segments.length) return;
    // Later: this turn may bring more messages, and one write is cheaper than several.
    if (this.#turn) return;
    this.#turn = true;
    this.#owner.runtime.later(() => {
      this.#turn = false;
      this.#again();
    });
  }

  /**
   * Returns true when the stream has taken everything. Otherwise the owner must not write before its `written` is called.
   * @param messages number of messages; 0 writes at once, without regard to the budget
   */
  write(segments: readonly Uint8Array[], bytes: number, messages: number): boolean {
    if (messages <= this.#budget.left) {
      this.#budget.wrote(messages);
      return this.#give(segments);
    }
    this.#segments = segments;
    this.#messageBytes = bytes / messages;
    this.#waiting = 0;
    for (let i = 0; i < segments.length; i++) this.#waiting += segments[i].length;
    return this.#proceed();
  }

  /** Called from the stream's onDrain(). */
  drained(): void {
    this.#busy = false;
    if (this.#proceed()) this.#owner.written();
  }

  /** Writes on, because the budget may have grown. If the stream is busy, its onDrain() does it. */
  #again(): void {
    if (!this.#busy && this.#next < this.#segments.length) this.drained();
  }

  /** Returns true when the stream has taken everything. */
  #give(segments: readonly Uint8Array[]): boolean {
    this.#busy = this.#stream.write(segments) > 0;
    return !this.#busy;
  }

  /** Writes what the budget allows; returns true when everything is taken. */
  #proceed(): boolean {
    while (this.#next < this.#segments.length) {
      if (this.#budget.left <= 0) {
        this.#wait();
        return false;
      }
      if (!this.#owner.intact) {
        this.#owner.memoryGone(this.#waiting);
        return false;
      }
      if (!this.#give(this.#allowed())) return false;
    }
    this.#reset();
    return true;
  }

  /** The next segments that the budget allows. The last one may be a part of a segment. */
  #allowed(): readonly Uint8Array[] {
    const segments = this.#segments;
    const first = this.#next;
    const begin = this.#offset;
    const most = Math.ceil(this.#budget.left * this.#messageBytes);
    let bytes = -begin;
    while (this.#next < segments.length && bytes < most) bytes += segments[this.#next++].length;
    const allowed = segments.slice(first, this.#next);
    this.#offset = 0;
    if (bytes > most) {
      const last = segments[--this.#next];
      this.#offset = last.length - (bytes - most);
      allowed[allowed.length - 1] = last.subarray(0, this.#offset);
      bytes = most;
    }
    if (begin > 0) allowed[0] = allowed[0].subarray(begin);
    this.#waiting -= bytes;
    this.#budget.wrote(Math.ceil(bytes / this.#messageBytes));
    return allowed;
  }

  #wait(): void {
    if (this.#window !== undefined) return;
    this.#budget.windowBegins();
    // After the timer, the loop reads once before the decision: if it was busy, answers may wait in the kernel.
    const { clock } = this.#owner.runtime.loop;
    this.#window = clock.timer(WINDOW_MS, () => clock.polled(() => this.#decide()));
  }

  #decide(): void {
    if (this.#window === undefined) return; // closed
    this.#window = undefined;
    this.#budget.windowEnds();
    this.#again();
  }

  /** Bytes not yet handed to the stream. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The connection is closed: drop what waits. */
  stop(): void {
    if (this.#window !== undefined) this.#owner.runtime.loop.clock.clear(this.#window);
    this.#window = undefined;
    this.#reset();
  }

  #reset(): void {
    this.#segments = [];
    this.#next = 0;
    this.#offset = 0;
    this.#waiting = 0;
  }
}
