/**
 * The time that a peer has for a message that it has begun. It looks now and then whether one is under way, so that what
 * passes costs nothing: an end is a flag, set once for a chunk. A slow line makes progress, a trickle does not.
 */
import type { Appointment } from "../base/agenda.js";
import type { Runtime } from "../base/runtime.js";

/** Slower than any line that is in use: a modem of 2400 baud carries as much. */
const BYTES_PER_SECOND = 256;
/** Looks within the time. */
const LOOKS = 4;

/** What a watch needs of its session. */
export interface Watched {
  /** Bytes that have arrived. */
  readonly received: number;
  /** A frame or a message has begun, and its end has not come. */
  readonly begun: boolean;
  /** We do not read. */
  readonly throttled: boolean;
  /** The time is over. */
  overdue(): void;
}

export class MessageWatch implements Appointment {
  at = 0;
  place = -1;
  /** Whatever is under way now has begun since the last look, or could not go on until then. */
  anew = false;
  readonly #owner: Watched;
  readonly #limitMs: number;
  readonly #lookMs: number;
  readonly #runtime: Runtime;
  /** When the time began that runs now; Infinity when none does. */
  #since = Number.POSITIVE_INFINITY;
  /** Bytes that had arrived by then. */
  #received = 0;

  constructor(owner: Watched, limitMs: number, runtime: Runtime) {
    this.#owner = owner;
    this.#limitMs = limitMs;
    this.#lookMs = Math.max(1, limitMs / LOOKS);
    this.#runtime = runtime;
    runtime.agenda.after(this.#lookMs, this);
  }

  due(): void {
    const now = this.#runtime.now();
    this.#since += Math.max(0, now - this.at); // our loop was busy
    if (!this.#owner.begun || this.#owner.throttled) this.#since = Number.POSITIVE_INFINITY;
    else if (this.anew || this.#since === Number.POSITIVE_INFINITY || this.#progress(now)) this.#begin(now);
    else if (now - this.#since >= this.#limitMs) {
      this.#owner.overdue();
      return;
    }
    this.anew = false;
    this.#runtime.agenda.after(this.#lookMs, this);
  }

  /** Judged by the whole time, in which a line may be silent for a while. */
  #progress(now: number): boolean {
    if (now - this.#since < this.#limitMs) return false;
    return this.#owner.received - this.#received >= (BYTES_PER_SECOND * this.#limitMs) / 1000;
  }

  #begin(now: number): void {
    this.#since = now;
    this.#received = this.#owner.received;
  }

  /** The session is over. */
  stop(): void {
    this.#runtime.agenda.cancel(this);
  }
}
