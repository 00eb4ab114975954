/**
 * Heartbeats of one connection (RFC 37 §Connection Heartbeating, items F6 to F17). Knows no clock and no timers: `now`
 * is handed in, in milliseconds from any fixed point, and the answer says when to ask again.
 */
import { encodePing, encodePong, type Ping } from "./command.js";

/** Longest time to live that libzmq does not garble, in tenths of a second (F10). */
const TTL_MAX_TENTHS = 655;
const NO_CONTEXT = new Uint8Array(0);

/** Milliseconds throughout. */
export interface HeartbeatConfig {
  /** Between PINGs; 0 sends none. */
  readonly intervalMs: number;
  /** Silence after a PING that ends the connection; -1 is the interval, 0 waits for ever as in libzmq (F11). */
  readonly timeoutMs: number;
  /** What we ask of the peer; 0 nothing. Cut to whole tenths of a second, 65.5 s at most. */
  readonly timeToLiveMs: number;
}

/** Our side of one connection's heartbeats; begins when the handshake is done (F13). */
export class Heartbeat {
  readonly #config: HeartbeatConfig;
  #nextPing: number;
  /** Whether a PING is unanswered (F17). */
  #outstanding = false;
  /** When an answer to a PING must have come; Infinity when none is awaited. */
  #deadline = Number.POSITIVE_INFINITY;
  /** The end of the time to live that the peer's last PING gave it (F9); Infinity when there is none. */
  #ttlEnd = Number.POSITIVE_INFINITY;

  constructor(config: HeartbeatConfig, now: number) {
    this.#config = config;
    this.#nextPing = config.intervalMs > 0 ? now + config.intervalMs : Number.POSITIVE_INFINITY;
  }

  /** Anything has come in: both waits are over (F12). Called for every batch of frames, so it only stores. */
  received(): void {
    this.#ttlEnd = Number.POSITIVE_INFINITY;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#outstanding = false;
  }

  /** A PING has come in; the PONG to send (F7). Poll afterwards: a time to live may have begun. */
  pingReceived(ping: Ping, now: number): Buffer {
    this.received();
    if (ping.ttlMs > 0) this.#ttlEnd = now + ping.ttlMs;
    return encodePong(ping.context);
  }

  /**
   * What is due at `now`. Who asks has read what had come by then: silence proves nothing while octets lie unread.
   * @returns a PING to send; whether the peer is to be given up; milliseconds until the next poll, Infinity for never
   */
  poll(now: number): { output?: Buffer; expired: boolean; nextMs: number } {
    if (now >= Math.min(this.#deadline, this.#ttlEnd)) {
      return { expired: true, nextMs: Number.POSITIVE_INFINITY };
    }
    const output = now >= this.#nextPing ? this.#ping(now) : undefined;
    const nextMs = Math.min(this.#nextPing, this.#deadline, this.#ttlEnd) - now;
    return output === undefined ? { expired: false, nextMs } : { output, expired: false, nextMs };
  }

  /** The interval is over. While a PING is unanswered no other follows it (F17). */
  #ping(now: number): Buffer | undefined {
    const { intervalMs, timeoutMs, timeToLiveMs } = this.#config;
    this.#nextPing = now + intervalMs;
    if (this.#outstanding) return undefined;
    this.#outstanding = true;
    const waitMs = timeoutMs === -1 ? intervalMs : timeoutMs;
    if (waitMs > 0) this.#deadline = now + waitMs;
    return encodePing(Math.min(Math.floor(timeToLiveMs / 100), TTL_MAX_TENTHS), NO_CONTEXT);
  }
}
