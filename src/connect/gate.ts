/**
 * Limits the connections to a socket's bound endpoints: how many in all, how many in the handshake, how many from one
 * address, and how fast. It is asked before a connection has cost more than its file descriptor. For IPv6, "address" means
 * the first 64 bits, because a single household gets that many. Knows no sessions.
 */

import { addressBytes } from "../base/accept-filter.js";
import { hostOf } from "../base/endpoint.js";
import { Buffer } from "../base/platform.js";

/** Options of the socket, read at each use. 0 means no limit. */
export interface GateLimits {
  readonly maxConnections: number;
  readonly maxHandshakes: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionRate: number;
  /** Milliseconds that a handshake may take; 0 means no limit. */
  readonly handshakeInterval: number;
}

/** The exceeded option, and the number that exceeds it. */
export interface Excess {
  readonly limit: "maxConnections" | "maxHandshakes" | "maxConnectionsPerAddress" | "maxConnectionRate";
  readonly value: number;
}

/** The state of one address. */
interface Source {
  connections: number;
  /** Connections that it may make at once under maxConnectionRate (a token bucket). */
  tokens: number;
  at: number;
}

/** One accepted connection. */
export interface Place {
  readonly source: string | null;
  /** When it was accepted. */
  readonly since: number;
  /** Ends the handshake, because it is slow and others need its place. */
  evict: (excess: Excess) => void;
}

/**
 * When all places are taken, the oldest handshake is ended if it has used this part of handshakeInterval, or PATIENCE_MS
 * if handshakeInterval is 0.
 */
const PATIENCE = 0.1;
const PATIENCE_MS = 3000;
/** Number of remembered addresses above which unused ones are removed. */
const SOURCES = 1024;
/** Report the same limit at most this often. */
const TELL_EVERY_MS = 1000;

export class Gate {
  readonly #limits: GateLimits;
  readonly #now: () => number;
  readonly #sources = new Map<string, Source>();
  /** In the order in which they came. */
  readonly #handshakes = new Set<Place>();
  readonly #told = new Map<string, number>();
  #connections = 0;
  #sweepAt = SOURCES;

  constructor(limits: GateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Asks whether a new connection may stay.
   * @param remote endpoint of the peer, such as `tcp://192.0.2.1:50123`; only tcp has addresses
   */
  enter(remote: string): Place | Excess {
    const { maxConnections, maxHandshakes } = this.#limits;
    if (maxConnections > 0 && this.#connections >= maxConnections) {
      return { limit: "maxConnections", value: this.#connections + 1 };
    }
    const now = this.#now();
    const key = this.#countsSources ? sourceOf(remote) : null;
    const excess = key === null ? null : this.#fromSource(key, now);
    if (excess !== null) return excess;
    if (maxHandshakes > 0 && this.#handshakes.size >= maxHandshakes && !this.#makeWay(now)) {
      return { limit: "maxHandshakes", value: this.#handshakes.size + 1 };
    }
    const source = key === null ? undefined : this.#sources.get(key);
    if (source !== undefined) source.connections++;
    this.#connections++;
    const place: Place = { source: key, since: now, evict: () => {} };
    this.#handshakes.add(place);
    return place;
  }

  /** The handshake is complete. */
  ready(place: Place): void {
    this.#handshakes.delete(place);
  }

  /** The connection is gone. Call once for each place. */
  leave(place: Place): void {
    this.#handshakes.delete(place);
    this.#connections--;
    const source = place.source === null ? undefined : this.#sources.get(place.source);
    if (source !== undefined) source.connections--;
  }

  /** Whether to report an excess now: since every connection may cause one, each limit is reported once a second. */
  tells({ limit }: Excess): boolean {
    const now = this.#now();
    if (now - (this.#told.get(limit) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return false;
    this.#told.set(limit, now);
    return true;
  }

  get #countsSources(): boolean {
    return this.#limits.maxConnectionsPerAddress > 0 || this.#limits.maxConnectionRate > 0;
  }

  #fromSource(key: string, now: number): Excess | null {
    const { maxConnectionsPerAddress: most, maxConnectionRate: rate } = this.#limits;
    let source = this.#sources.get(key);
    if (source === undefined) {
      if (this.#sources.size >= this.#sweepAt) this.#sweep(now);
      source = { connections: 0, tokens: rate, at: now };
      this.#sources.set(key, source);
    }
    if (most > 0 && source.connections >= most) {
      return { limit: "maxConnectionsPerAddress", value: source.connections + 1 };
    }
    if (rate === 0) return null;
    source.tokens = Math.min(rate, source.tokens + ((now - source.at) * rate) / 1000);
    source.at = now;
    if (source.tokens < 1) return { limit: "maxConnectionRate", value: rate + 1 };
    source.tokens--;
    return null;
  }

  /** Forgets addresses that have no connection and have made none for a second. */
  #sweep(now: number): void {
    for (const [key, source] of this.#sources) {
      if (source.connections === 0 && now - source.at >= 1000) this.#sources.delete(key);
    }
    this.#sweepAt = Math.max(SOURCES, 2 * this.#sources.size); // doubling: each address is checked at most twice
  }

  /** Ends the oldest handshake if it is slow, so that clients that connect and then send nothing cannot keep others out. */
  #makeWay(now: number): boolean {
    const { handshakeInterval, maxHandshakes } = this.#limits;
    const [oldest] = this.#handshakes;
    const patience = handshakeInterval === 0 ? PATIENCE_MS : handshakeInterval * PATIENCE;
    if (oldest === undefined || now - oldest.since < patience) return false;
    oldest.evict({ limit: "maxHandshakes", value: maxHandshakes + 1 });
    return true;
  }
}

/** The key of the peer's address; null for transports without addresses. */
function sourceOf(remote: string): string | null {
  const host = hostOf(remote);
  if (host === undefined || !host.includes(":")) return host ?? null;
  const bytes = addressBytes(host.replace(/%.*$/, ""));
  return bytes === undefined ? host : Buffer.from(bytes.subarray(0, 8)).toString("hex");
}
