/**
 * Connects to one of several addresses (RFC 8305, sections 4 and 5). An attempt begins when the previous one has
 * failed, or has given no answer for a moment. The first that succeeds wins, and the others are aborted.
 */
import { isIPv6 } from "node:net";
import type { Deadline, EventLoop } from "../base/deadline.js";

/** RFC 8305, section 8: the recommended Connection Attempt Delay, and the shortest. */
const STAGGER_MS = 250;
const LEAST_STAGGER_MS = 10;
/** An attempt at one of several addresses ends after this time, unless the caller's limit ends it earlier. */
const ADDRESS_MS = 20_000;

/**
 * RFC 8305, section 4: IPv6 and IPv4 addresses in turn, beginning with the family of the first. Otherwise keeps the
 * order.
 */
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

/** Limits of the attempts. */
export interface StaggerLimits {
  /**
   * Milliseconds that the caller has for all attempts; 0 for no limit. It only spaces them; the caller's signal ends
   * them.
   */
  readonly totalMs: number;
  /**
   * Whether to make one attempt at a time: the next begins when the previous one has failed or used up its share of the
   * time.
   */
  readonly oneByOne: boolean;
}

/**
 * Resolves to the first connection; rejects with the last failure, or with the signal's reason.
 * @param attempt begins one attempt. It must reject when its signal is aborted
 * @param discard closes a connection that came after another one had won
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
  /** Milliseconds without an answer after which the next attempt begins; null: it begins only after a failure. */
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
    // Every address must have its attempt before the caller's time is over.
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
    const limit = this.#loop.deadline(this.#limitMs, () => abort.abort(timeout(host, this.#limitMs))).unref();
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

function timeout(host: string, limitMs: number): Error {
  return Object.assign(new Error(`${host} gave no answer within ${Math.round(limitMs)} ms`), {
    code: "ETIMEDOUT",
  });
}
