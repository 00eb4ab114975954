/**
 * Attempts to reach one of several addresses (RFC 8305, sections 4 and 5): each begins when the one before has failed, or
 * has said nothing for a moment; the first that succeeds wins, and the others are called off. Knows no sockets.
 */
import { isIPv6 } from "node:net";
import type { Deadline, EventLoop } from "../base/deadline.js";

/** RFC 8305, section 8: the recommended Connection Attempt Delay, and the least. */
const STAGGER_MS = 250;
const LEAST_STAGGER_MS = 10;
/** One of several addresses is given up after this, where no limit of the caller's comes before. */
const ADDRESS_MS = 20_000;

/** RFC 8305, section 4: families in turn, beginning with that of the first address; else the order is kept. */
export function interleaved(hosts: readonly string[]): string[] {
  if (hosts.length < 3) return [...hosts];
  const first = hosts.filter((host) => isIPv6(host) === isIPv6(hosts[0]));
  const second = hosts.filter((host) => isIPv6(host) !== isIPv6(hosts[0]));
  const order: string[] = [];
  for (let i = 0; order.length < hosts.length; i++) {
    if (i < first.length) order.push(first[i]);
    if (i < second.length) order.push(second[i]);
  }
  return order;
}

/** What an attempt is bounded by. */
export interface StaggerLimits {
  /** Milliseconds that the caller has for all of it; 0 for no limit. Its signal ends the attempts; this spaces them. */
  readonly totalMs: number;
  /** One attempt at a time: the next begins when the one before has failed or taken its share of the time. */
  readonly oneByOne: boolean;
}

/**
 * Resolves to the first connection; rejects with the last failure, or with the signal's reason.
 * @param attempt begins one; its signal is aborted when it is not wanted any more, and it must reject then
 * @param discard closes a connection that came too late
 */
export function firstConnection<T>(
  loop: EventLoop,
  hosts: readonly string[],
  limits: StaggerLimits,
  signal: AbortSignal,
  attempt: (host: string, signal: AbortSignal) => Promise<T>,
  discard: (connection: T) => void,
): Promise<T> {
  if (hosts.length === 1) return attempt(hosts[0], signal);
  return new Promise((resolve, reject) => {
    const race = new Race(loop, hosts, limits, attempt, discard, (end) => {
      signal.removeEventListener("abort", abort);
      if ("connection" in end) resolve(end.connection);
      else reject(end.failure);
    });
    const abort = (): void => race.end({ failure: signal.reason });
    if (signal.aborted) abort();
    else {
      signal.addEventListener("abort", abort, { once: true });
      race.next();
    }
  });
}

type End<T> = { readonly connection: T } | { readonly failure: unknown };

class Race<T> {
  readonly #loop: EventLoop;
  readonly #hosts: readonly string[];
  readonly #attempt: (host: string, signal: AbortSignal) => Promise<T>;
  readonly #discard: (connection: T) => void;
  readonly #onEnd: (end: End<T>) => void;
  /** Silence after which the next attempt begins; null waits for a failure. */
  readonly #staggerMs: number | null;
  readonly #limitMs: number;
  readonly #running = new Set<AbortController>();
  #begun = 0;
  #nextAttempt: Deadline | null = null;
  #over = false;

  constructor(
    loop: EventLoop,
    hosts: readonly string[],
    { totalMs, oneByOne }: StaggerLimits,
    attempt: (host: string, signal: AbortSignal) => Promise<T>,
    discard: (connection: T) => void,
    onEnd: (end: End<T>) => void,
  ) {
    this.#loop = loop;
    this.#hosts = hosts;
    this.#attempt = attempt;
    this.#discard = discard;
    this.#onEnd = onEnd;
    // Everyone must have had a turn before the caller's time is over.
    const share = totalMs > 0 ? totalMs / (hosts.length + 1) : Number.POSITIVE_INFINITY;
    this.#staggerMs = oneByOne ? null : Math.max(LEAST_STAGGER_MS, Math.min(STAGGER_MS, share));
    this.#limitMs = oneByOne ? Math.min(ADDRESS_MS, share) : ADDRESS_MS;
  }

  next(): void {
    this.#nextAttempt?.cancel();
    this.#nextAttempt = null;
    const host = this.#hosts[this.#begun++];
    if (this.#begun < this.#hosts.length && this.#staggerMs !== null) {
      this.#nextAttempt = this.#loop.deadline(this.#staggerMs, () => this.next()).unref();
    }
    const abort = new AbortController();
    this.#running.add(abort);
    const limit = this.#loop.deadline(this.#limitMs, () => abort.abort(silent(host, this.#limitMs))).unref();
    const settled = (): void => {
      limit.cancel();
      this.#running.delete(abort);
    };
    this.#attempt(host, abort.signal).then(
      (connection) => {
        settled();
        if (this.#over) this.#discard(connection);
        else this.end({ connection });
      },
      (failure) => {
        settled();
        if (this.#over) return;
        if (this.#begun < this.#hosts.length) this.next();
        else if (this.#running.size === 0) this.end({ failure });
      },
    );
  }

  end(end: End<T>): void {
    if (this.#over) return;
    this.#over = true;
    this.#nextAttempt?.cancel();
    for (const abort of this.#running) abort.abort(new Error("another address has answered"));
    this.#onEnd(end);
  }
}

function silent(host: string, limitMs: number): Error {
  return Object.assign(new Error(`${host} was silent for ${Math.round(limitMs)} ms`), { code: "ETIMEDOUT" });
}
