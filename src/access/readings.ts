/**
 * Readings of something that changes, a file or a folder: one at a time, and as few as those who ask allow.
 */
import { monotonicMs, setTimeout } from "../base/platform.js";

/** A reading that strangers cause waits so many times as long as the last one took. */
const REST = 10;

export class Readings {
  readonly #read: () => Promise<void>;
  readonly #leastRest: number;
  #present: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #look: Promise<void> | undefined;
  #notBefore = 0;

  /** @param leastRest milliseconds between the end of a reading and the next one that look() may cause */
  constructor(read: () => Promise<void>, leastRest = 0) {
    this.#read = read;
    this.#leastRest = leastRest;
  }

  /** The reading that is under way. */
  get present(): Promise<void> | undefined {
    return this.#present;
  }

  /** The reading that ends last, of those that were asked for. */
  get last(): Promise<void> | undefined {
    return this.#next ?? this.#present;
  }

  /** A reading that begins now, or after the present one, which may have passed the change that the caller knows of. */
  again(): Promise<void> {
    if (this.#present === undefined) return this.#begin();
    this.#next ??= this.#present
      .catch(() => {}) // whoever asked for that one is told
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  /** For strangers: many wait for one reading, which begins after they asked, and readings take a tenth of the time at most. */
  look(): Promise<void> {
    this.#look ??= this.#whenDue().then(() => {
      this.#look = undefined;
      return this.again();
    });
    return this.#look;
  }

  async #whenDue(): Promise<void> {
    await this.#present?.catch(() => {});
    const wait = this.#notBefore - monotonicMs();
    if (wait > 0) await new Promise<void>((resolve) => void setTimeout(resolve, wait));
  }

  #begin(): Promise<void> {
    const begin = monotonicMs();
    const reading = this.#read().finally(() => {
      this.#present = undefined;
      const now = monotonicMs();
      this.#notBefore = now + Math.max(this.#leastRest, REST * (now - begin));
    });
    this.#present = reading;
    return reading;
  }
}
