/**
 * How long to wait before the next attempt to connect (items S1 to S4, D8). Uses no clock; the caller supplies randomness.
 */
import { timerMs } from "../base/deadline.js";

/** First wait after the peer broke the protocol. It is long, because the peer will probably do so again (D8). */
const FAULT_INTERVAL_MS = 1000;
const FAULT_MAX_INTERVAL_MS = 30000;

export class Backoff {
  readonly #intervalMs: number;
  readonly #maxIntervalMs: number;
  readonly #random: () => number;
  #attempts = 0;
  #faults = 0;

  /** @param maxIntervalMs 0 for a constant interval with jitter */
  constructor(intervalMs: number, maxIntervalMs: number, random: () => number) {
    this.#intervalMs = intervalMs;
    this.#maxIntervalMs = maxIntervalMs;
    this.#random = random;
  }

  /** Whether there is another attempt (S4). */
  get enabled(): boolean {
    return this.#intervalMs > 0;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const attempt = this.#attempts++;
    if (this.#maxIntervalMs > 0)
      return Math.min(this.#intervalMs * 2 ** Math.min(attempt, 31), this.#maxIntervalMs);
    return timerMs(this.#intervalMs + Math.floor(this.#random() * this.#intervalMs));
  }

  /** Milliseconds until the next attempt after a protocol error: slow, and never a tight loop (D8). */
  nextAfterFault(): number {
    const wait = Math.min(FAULT_INTERVAL_MS * 2 ** Math.min(this.#faults++, 15), FAULT_MAX_INTERVAL_MS);
    return Math.max(wait, this.next());
  }

  /** A handshake succeeded (S3). */
  reset(): void {
    this.#attempts = 0;
    this.#faults = 0;
  }
}
