/**
 * Heartbeats of one connection (RFC 37 §Connection Heartbeating, items F6 to F17), sans clock: `now` is handed in.
 */
import { encodePing, encodePong, type Ping } from "./command.js";

/** Longest time to live that libzmq does not garble, in tenths of a second (F10). */
const TTL_MAX_TENTHS = 655;
const NO_CONTEXT = new Uint8Array(0);

/** Milliseconds throughout. */
export interface HeartbeatConfig {
  /** Between PINGs; 0 sends none. */
  readonly intervalMs: number;
  /** Silence after a PING that ends the connection; -1 is the interval (F11). */
  readonly timeoutMs: number;
  /** What we ask of the peer; 0 nothing. */
  readonly timeToLiveMs: number;
}

export class Heartbeat {
  readonly #config: HeartbeatConfig;
  #nextPing: number;
  /** When an answer to a PING must have come; Infinity when none is outstanding. */
  #deadline = Number.POSITIVE_INFINITY;
  /** The end of the time to live that the peer's last PING gave it (F9); Infinity when there is none. */
  #ttlEnd = Number.POSITIVE_INFINITY;

  constructor(config: HeartbeatConfig, now: number) {
    this.#config = config;
    this.#nextPing = config.intervalMs > 0 ? now + config.intervalMs : Number.POSITIVE_INFINITY;
  }

  /** Anything has come in: both waits are over (F12). */
  received(): void {
    this.#ttlEnd = Number.POSITIVE_INFINITY;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** A PING has come in; the PONG to send (F7). */
  pingReceived(ping: Ping, now: number): Buffer {
    this.received();
    if (ping.ttlMs > 0) this.#ttlEnd = now + ping.ttlMs;
    return encodePong(ping.context);
  }

  /** What is due at `now`, and when to ask again in milliseconds. */
  poll(now: number): { output?: Buffer; expired: boolean; nextMs: number } {
    if (now >= this.#deadline || now >= this.#ttlEnd)
      return { expired: true, nextMs: Number.POSITIVE_INFINITY };
    let output: Buffer | undefined;
    if (now >= this.#nextPing) {
      const { intervalMs, timeoutMs, timeToLiveMs } = this.#config;
      this.#nextPing = now + intervalMs;
      // F17: while a PING is unanswered no other follows.
      if (this.#deadline === Number.POSITIVE_INFINITY) {
        output = encodePing(Math.min(Math.floor(timeToLiveMs / 100), TTL_MAX_TENTHS), NO_CONTEXT);
        this.#deadline = now + (timeoutMs === -1 ? intervalMs : timeoutMs);
      }
    }
    const nextMs = Math.min(this.#nextPing, this.#deadline, this.#ttlEnd) - now;
    return output === undefined ? { expired: false, nextMs } : { output, expired: false, nextMs };
  }
}
