/**
 * Heartbeats of one connection (RFC 37 §Connection Heartbeating, items F6 to F17). It has no clock and no timers: the
 * caller passes `now`, in milliseconds from any fixed point, and the answer says when to ask again.
 */
import type { Buffer } from "../../base/platform.js";
import { encodePing, encodePong, type Ping } from "./command.js";

/** The longest time to live that libzmq computes correctly, in tenths of a second (F10). */
const TTL_MAX_TENTHS = 655;
const NO_CONTEXT = new Uint8Array(0);
/** A PING that cannot leave gets this many times the time for an answer: a slow line moves in bursts, a dead one never. */
const STUCK_FACTOR = 4;

/** Milliseconds throughout. */
export interface HeartbeatConfig {
  /** Time between PINGs; 0 sends none. */
  readonly intervalMs: number;
  /** How long silence after a PING may last; -1 is the interval, 0 waits for ever as in libzmq (F11). */
  readonly timeoutMs: number;
  /** The time to live that we announce; 0 for none. Cut to whole tenths of a second, 65.5 s at most. */
  readonly timeToLiveMs: number;
  /** The peer may not know PING (ZMTP 3.0): its silence counts once it has answered one. */
  readonly unproven: boolean;
}

/** Bytes of a connection. They show that a peer lives long before a large frame on a slow line is whole. */
export interface Traffic {
  /** Bytes that have arrived. */
  readonly received: number;
  /** Bytes that were written and have not left. */
  readonly unsent: number;
}

/** Our side of the heartbeats of one connection. Made when the handshake is complete (F13). */
export class Heartbeat {
  readonly #intervalMs: number;
  /** 0: for ever. */
  readonly #waitMs: number;
  readonly #ttlTenths: number;
  /** Whether silence after a PING counts. */
  #proven: boolean;
  #nextPing: number;
  /** When the unanswered PING was sent. */
  #pingAt = 0;
  /** Whether a PING is unanswered (F17). */
  #outstanding = false;
  /** The PING waits behind bytes that have not left. */
  #stuck = false;
  /** When an answer to the PING is due; Infinity when none is awaited. */
  #deadline = Number.POSITIVE_INFINITY;
  /** The end of the time to live that the peer's last PING gave it (F9); Infinity when there is none. */
  #ttlEnd = Number.POSITIVE_INFINITY;
  /** The traffic at the last look. */
  #received = 0;
  #unsent = 0;

  constructor({ intervalMs, timeoutMs, timeToLiveMs, unproven }: HeartbeatConfig, now: number) {
    this.#intervalMs = intervalMs;
    this.#waitMs = timeoutMs === -1 ? intervalMs : timeoutMs;
    this.#ttlTenths = Math.min(Math.floor(timeToLiveMs / 100), TTL_MAX_TENTHS);
    this.#proven = !unproven;
    this.#nextPing = intervalMs > 0 ? now + intervalMs : Number.POSITIVE_INFINITY;
  }

  /** Something has arrived: both waits are over (F12). Called for every batch of frames, so it only stores. */
  received(): void {
    this.#ttlEnd = Number.POSITIVE_INFINITY;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#outstanding = false;
    this.#stuck = false;
  }

  /** A PONG has arrived. */
  pongReceived(): void {
    this.#proven = true;
  }

  /** A PING has arrived. Returns the PONG to send (F7). Poll afterwards: a time to live may have begun. */
  pingReceived(ping: Ping, now: number, traffic: Traffic): Buffer {
    this.received();
    this.#received = traffic.received;
    if (ping.ttlMs > 0) this.#ttlEnd = now + ping.ttlMs;
    return encodePong(ping.context);
  }

  /**
   * What is due at `now`. The caller has read everything that arrived before: silence proves nothing while bytes are
   * unread.
   * @returns a PING to send; whether the peer is dead; milliseconds until the next poll, Infinity for never
   */
  poll(now: number, traffic: Traffic): { output?: Buffer; expired: boolean; nextMs: number } {
    this.#look(now, traffic);
    if (now >= Math.min(this.#deadline, this.#ttlEnd)) {
      return { expired: true, nextMs: Number.POSITIVE_INFINITY };
    }
    const output = now >= this.#nextPing ? this.#ping(now) : undefined;
    const nextMs = Math.min(this.#nextPing, this.#deadline, this.#ttlEnd) - now;
    return output === undefined ? { expired: false, nextMs } : { output, expired: false, nextMs };
  }

  #look(now: number, { received, unsent }: Traffic): void {
    if (received !== this.#received) {
      this.#received = received;
      this.received();
    } else if (this.#stuck && unsent !== this.#unsent) {
      // The line is slow, not dead. Once the PING has left it gets its time, and more for the kernel's buffers, which are
      // as slow as the queue it waited in here.
      this.#stuck = unsent > 0;
      this.#deadline =
        now + (this.#stuck ? STUCK_FACTOR * this.#waitMs : this.#waitMs + 2 * (now - this.#pingAt));
    }
    this.#unsent = unsent;
  }

  /** The interval is over. While a PING is unanswered, no other is sent (F17). */
  #ping(now: number): Buffer | undefined {
    this.#nextPing = now + this.#intervalMs;
    if (this.#outstanding) return undefined;
    this.#outstanding = true;
    this.#pingAt = now;
    if (this.#waitMs > 0 && this.#proven) {
      this.#stuck = this.#unsent > 0;
      this.#deadline = now + (this.#stuck ? STUCK_FACTOR * this.#waitMs : this.#waitMs);
    }
    return encodePing(this.#ttlTenths, NO_CONTEXT);
  }
}
