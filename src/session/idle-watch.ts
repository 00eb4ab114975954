/**
 * Enforces idleTimeout: how long a connection may carry no message and no subscription in either direction. PINGs do not
 * count. It checks a flag a few times within that time, so that traffic costs only setting the flag, once per chunk.
 */
import type { Agenda, Appointment } from "../base/agenda.js";

/** Checks within the timeout: it fires late by at most 1/LOOKS of it. */
const LOOKS = 4;

/** What a watch needs from its session. */
export interface Idler {
  /** Reading is paused, or the peer does not read what zwire sends: silence says nothing then. */
  readonly held: boolean;
  /** The timeout has expired. */
  idled(): void;
}

export class IdleWatch implements Appointment {
  at = 0;
  place = -1;
  /** A message or a subscription has passed since the last check. */
  used = false;
  readonly #owner: Idler;
  readonly #lookMs: number;
  readonly #agenda: Agenda;
  /** Checks in a row that found no use. */
  #unused = 0;

  constructor(owner: Idler, limitMs: number, looks: Agenda) {
    this.#owner = owner;
    this.#lookMs = Math.max(1, limitMs / LOOKS);
    this.#agenda = looks;
    looks.after(this.#lookMs, this);
  }

  due(): void {
    this.#unused = this.used || this.#owner.held ? 0 : this.#unused + 1;
    this.used = false;
    // One check more than LOOKS: less than a full interval lies between the last use and the first check after it.
    if (this.#unused > LOOKS) this.#owner.idled();
    else this.#agenda.after(this.#lookMs, this);
  }

  /** The session is over. */
  stop(): void {
    this.#agenda.cancel(this);
  }
}
