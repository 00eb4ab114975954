/**
 * Heartbeats of one connection (RFC 37 §Connection Heartbeating, items F6 to F17). Knows no clock and no timers: `now`
 * is handed in, in milliseconds from any fixed point, and the answer says when to ask again.
 */
import type { Buffer } from "../../base/platform.js";
import { encodePing, encodePong, type Ping } from "./command.js";

/** Longest time to live that libzmq does not garble, in tenths of a second (F10). */
const TTL_MAX_TENTHS = 655;
const NO_CONTEXT = new Uint8Array(0);
/** A PING that cannot leave waits for so many times the answer's time: a slow line moves in bursts, a dead one never. */
const STUCK_FACTOR = 4;

/** Milliseconds throughout. */
export interface HeartbeatConfig {
  /** Between PINGs; 0 sends none. */
  readonly intervalMs: number;
  /** Silence after a PING that ends the connection; -1 is the interval, 0 waits for ever as in libzmq (F11). */
  readonly timeoutMs: number;
  /** What we ask of the peer; 0 nothing. Cut to whole tenths of a second, 65.5 s at most. */
  readonly timeToLiveMs: number;
  /** The peer may know no PING (ZMTP 3.0): its silence counts once it has answered one. */
  readonly unproven: boolean;
}

/** The octets of a connection: a large frame on a slow line is life, long before it is whole. */
export interface Traffic {
  /** Octets that have arrived. */
  readonly received: number;
  /** Octets that were written and have not left. */
  readonly unsent: number;
}

/** Our side of one connection's heartbeats; begins when the handshake is done (F13). */
export class Heartbeat {
  readonly #intervalMs: number;
  /** 0: for ever. */
  readonly #waitMs: number;
  readonly #ttlTenths: number;
  /** Whether silence after a PING counts. */
  #proven: boolean;
  #nextPing: number;
  /** When the unanswered PING was given out. */
  #pingAt = 0;
  /** Whether a PING is unanswered (F17). */
  #outstanding = false;
  /** The PING is behind octets that have not left. */
  #stuck = false;
  /** When an answer to a PING must have come; Infinity when none is awaited. */
  #deadline = Number.POSITIVE_INFINITY;
  /** The end of the time to live that the peer's last PING gave it (F9); Infinity when there is none. */
  #ttlEnd = Number.POSITIVE_INFINITY;
  /** The traffic as it was when it was last looked at. */
  #received = 0;
  #unsent = 0;

  constructor({ intervalMs, timeoutMs, timeToLiveMs, unproven }: HeartbeatConfig, now: number) {
    this.#intervalMs = intervalMs;
    this.#waitMs = timeoutMs === -1 ? intervalMs : timeoutMs;
    this.#ttlTenths = Math.min(Math.floor(timeToLiveMs / 100), TTL_MAX_TENTHS);
    this.#proven = !unproven;
    this.#nextPing = intervalMs > 0 ? now + intervalMs : Number.POSITIVE_INFINITY;
  }

  /** Anything has come in: both waits are over (F12). Called for every batch of frames, so it only stores. */
  received(): void {
    this.#ttlEnd = Number.POSITIVE_INFINITY;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#outstanding = false;
    this.#stuck = false;
  }

  /** A PONG has come in. */
  pongReceived(): void {
    this.#proven = true;
  }

  /** A PING has come in; the PONG to send (F7). Poll afterwards: a time to live may have begun. */
  pingReceived(ping: Ping, now: number, traffic: Traffic): Buffer {
    this.received();
    this.#received = traffic.received;
    if (ping.ttlMs > 0) this.#ttlEnd = now + ping.ttlMs;
    return encodePong(ping.context);
  }

  /**
   * What is due at `now`. Who asks has read what had come by then: silence proves nothing while octets lie unread.
   * @returns a PING to send; whether the peer is to be given up; milliseconds until the next poll, Infinity for never
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
      // The line is slow and not dead. Once the PING has left it has its time, and some for the kernel's buffers, which
      // are as slow as what it has waited for here.
      this.#stuck = unsent > 0;
      this.#deadline =
        now + (this.#stuck ? STUCK_FACTOR * this.#waitMs : this.#waitMs + 2 * (now - this.#pingAt));
    }
    this.#unsent = unsent;
  }

  /** The interval is over. While a PING is unanswered no other follows it (F17). */
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
