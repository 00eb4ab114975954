/**
 * Writes batches to a stream as its budget allows: no more than so many messages ahead of what is read. Knows neither
 * frames nor pipes.
 */
import type { Timer } from "../base/deadline.js";
import type { Runtime } from "../base/runtime.js";
import type { Stream } from "../transport/contract/transport.js";
import { WriteBudget } from "./write-budget.js";

/** Milliseconds that answers are waited for before the budget is told how many came. */
const WINDOW_MS = 20;

/** Who is told when a write that was not taken whole has been. */
export interface Writing {
  readonly runtime: Runtime;
  written(): void;
  /** Whether the memory that was given to write() is still there; asked before more of it is written. */
  readonly intact: boolean;
  /** It is not; so many bytes were not handed to the stream. */
  memoryGone(waitingBytes: number): void;
}

export class PacedWriter {
  readonly #stream: Stream;
  readonly #owner: Writing;
  readonly #budget = new WriteBudget();
  /** What is being written, the next of it to be handed to the stream, and how far that has been already. */
  #segments: readonly Uint8Array[] = [];
  #next = 0;
  #offset = 0;
  #waiting = 0;
  /** The stream has not taken all that it was given: nothing more is written before its onDrain(). */
  #busy = false;
  /** Of one message, on average. */
  #messageBytes = 1;
  /** Runs from when the budget was used up. */
  #window: Timer | undefined;
  /** The turn's end is awaited. */
  #turn = false;

  constructor(stream: Stream, owner: Writing) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Messages have arrived. */
  read(messages: number): void {
    this.#budget.read(messages);
    if (this.#window === undefined || this.#next === this.#segments.length) return;
    // At the end of the turn: it may bring more, and one write is cheaper than several.
    if (this.#turn) return;
    this.#turn = true;
    this.#owner.runtime.later(() => {
      this.#turn = false;
      this.#again();
    });
  }

  /**
   * True when everything is taken; else `written` of the owner follows, and no write before it.
   * @param messages how many they are; 0 for what goes at once
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

  /** From the stream's onDrain(). */
  drained(): void {
    this.#busy = false;
    if (this.#proceed()) this.#owner.written();
  }

  /** The budget may have grown; where the stream is busy, its onDrain() follows. */
  #again(): void {
    if (!this.#busy && this.#next < this.#segments.length) this.drained();
  }

  /** True when the stream has taken all of it. */
  #give(segments: readonly Uint8Array[]): boolean {
    this.#busy = this.#stream.write(segments) > 0;
    return !this.#busy;
  }

  /** Writes what the budget allows; true when everything is taken. */
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

  /** The next segments until the budget is used up; the last one in part. */
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
    // When the time is over the loop reads once before that is decided: it may have been late.
    const { clock } = this.#owner.runtime.loop;
    this.#window = clock.timer(WINDOW_MS, () => clock.polled(() => this.#decide()));
  }

  #decide(): void {
    if (this.#window === undefined) return; // closed
    this.#window = undefined;
    this.#budget.windowEnds();
    this.#again();
  }

  /** Bytes that were not handed to the stream. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The connection is closed: what waits is not written. */
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
