/**
 * How long a connection may be of no use: no message and no subscription either way. It looks now and then, so that what
 * passes costs a flag for each chunk. PINGs are no use. Knows no messages.
 */
import type { Agenda, Appointment } from "../base/agenda.js";

/** Looks within the time: it is over at most that part of it late. */
const LOOKS = 4;

/** What a watch needs of its session. */
export interface Idler {
  /** We do not read what the peer may have sent, or it does not read what we send. */
  readonly held: boolean;
  /** The time is over. */
  idled(): void;
}

export class IdleWatch implements Appointment {
  at = 0;
  place = -1;
  /** Something of use has passed since the last look. */
  used = false;
  readonly #owner: Idler;
  readonly #lookMs: number;
  readonly #agenda: Agenda;
  /** Looks in a row that found nothing. */
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
    // The first look after a use finds less than its part of the time unused.
    if (this.#unused > LOOKS) this.#owner.idled();
    else this.#agenda.after(this.#lookMs, this);
  }

  /** The session is over. */
  stop(): void {
    this.#agenda.cancel(this);
  }
}
