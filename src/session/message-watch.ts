/**
 * Enforces messageTimeout: how long a peer may take for a message that it has begun to send. It checks a few times within
 * that time, so that traffic costs only setting a flag, once per chunk. A slow line counts as progress; a peer that sends
 * a byte now and then to hold the connection does not.
 */
import type { Appointment } from "../base/agenda.js";
import type { Runtime } from "../base/runtime.js";

/** Least rate that counts as progress: a 2400 baud modem reaches it, so every line in use does. */
const BYTES_PER_SECOND = 256;
/** Checks within the timeout. */
const LOOKS = 4;

/** What a watch needs from its session. */
export interface Watched {
  /** Total bytes received. */
  readonly received: number;
  /** A frame or a message has begun to arrive and is incomplete. */
  readonly begun: boolean;
  /** Reading is paused. */
  readonly throttled: boolean;
  /** The timeout has expired. */
  overdue(): void;
}

export class MessageWatch implements Appointment {
  at = 0;
  place = -1;
  /** What is arriving now began after the last check, or could not continue until then. */
  anew = false;
  readonly #owner: Watched;
  readonly #limitMs: number;
  readonly #lookMs: number;
  readonly #runtime: Runtime;
  /** When the current timeout began; Infinity when none is running. */
  #since = Number.POSITIVE_INFINITY;
  /** Total bytes received at that time. */
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
    this.#since += Math.max(0, now - this.at); // the event loop was busy: the peer is not to blame
    if (!this.#owner.begun || this.#owner.throttled) this.#since = Number.POSITIVE_INFINITY;
    else if (this.anew || this.#since === Number.POSITIVE_INFINITY || this.#progress(now)) this.#begin(now);
    else if (now - this.#since >= this.#limitMs) {
      this.#owner.overdue();
      return;
    }
    this.anew = false;
    this.#runtime.agenda.after(this.#lookMs, this);
  }

  /** Averages over the whole timeout, because a line may be silent for a part of it. */
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
