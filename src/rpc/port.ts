/**
 * A server's Router: who is there, and answers that wait for a client that does not read. One client that is full holds
 * up nobody else. Knows frames, but no events.
 */
import { Router, type RouterOptions, ZmqError } from "../index.js";
import type { Clock } from "./clock.js";

const DEFAULTS: RouterOptions = {
  // The kernel notices a host that is gone, and answers for a process that is only busy.
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 30,
  maxMessageSize: 128 * 1024 * 1024,
};
/** What waits for one client beyond its socket's mark. Who takes even less loses answers, and `undelivered` counts them. */
const MOST_MESSAGES = 100_000;
const MOST_OCTETS = 64 * 1024 * 1024;
/** A Router does not tell when one peer has room again, so it is tried: only while somebody is full. */
const RETRY_MS = 5;

interface Waiting {
  messages: Buffer[][];
  octets: number;
}

export type Sent = "sent" | "waiting" | "dropped" | "gone";

export class Port {
  readonly socket: Router;
  readonly #clock: Clock;
  /** What waits, by routing id. */
  readonly #waiting = new Map<string, Waiting>();
  /** Called when nothing waits for a client any more, or it is gone. */
  readonly #watchers = new Map<string, (() => void)[]>();
  #stopRetry: (() => void) | null = null;
  /** Told when nothing waits for anybody; set while closing. */
  #empty: (() => void) | null = null;

  constructor(options: RouterOptions | undefined, clock: Clock) {
    this.socket = new Router({ ...DEFAULTS, ...options, mandatory: true });
    this.#clock = clock;
  }

  /** Send a message; its first frame names the client. */
  send(frames: Buffer[]): Sent {
    if (this.#waiting.size > 0) {
      const waiting = this.#waiting.get(nameOf(frames[0]));
      if (waiting !== undefined) {
        if (waiting.messages.length >= MOST_MESSAGES || waiting.octets >= MOST_OCTETS) return "dropped";
        waiting.messages.push(frames);
        waiting.octets += octetsOf(frames);
        return "waiting";
      }
    }
    const sent = this.#try(frames);
    if (sent !== "waiting") return sent;
    this.#waiting.set(nameOf(frames[0]), { messages: [frames], octets: octetsOf(frames) });
    this.#retryLater();
    return "waiting";
  }

  #try(frames: Buffer[]): Sent {
    try {
      return this.socket.trySend(frames) ? "sent" : "waiting";
    } catch (error) {
      if (error instanceof ZmqError && (error.code === "EHOSTUNREACH" || error.code === "EBADF"))
        return "gone";
      throw error;
    }
  }

  /** Whether a client is still connected: a message of nothing but its name goes nowhere, or nobody has the name (I4, I6). */
  isThere(routingId: Buffer): boolean {
    return this.#try([routingId]) !== "gone";
  }

  /** Whether messages wait for a client. */
  congested(routingId: Buffer): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(nameOf(routingId));
  }

  /** Call back when nothing waits for a client any more. */
  whenClear(routingId: Buffer, clear: () => void): void {
    const name = nameOf(routingId);
    const watchers = this.#watchers.get(name);
    if (watchers === undefined) this.#watchers.set(name, [clear]);
    else watchers.push(clear);
  }

  #retryLater(): void {
    if (this.#stopRetry !== null || this.#waiting.size === 0) return;
    this.#stopRetry = this.#clock.after(RETRY_MS, () => {
      this.#stopRetry = null;
      for (const [name, waiting] of this.#waiting) this.#retry(name, waiting);
      if (this.#waiting.size === 0) this.#empty?.();
      this.#retryLater();
    });
  }

  #retry(name: string, waiting: Waiting): void {
    const { messages } = waiting;
    let done = 0;
    let state: Sent = "sent";
    while (done < messages.length && (state = this.#try(messages[done])) === "sent") {
      waiting.octets -= octetsOf(messages[done]);
      done++;
    }
    waiting.messages = state === "gone" ? [] : messages.slice(done);
    if (waiting.messages.length > 0) return;
    this.#waiting.delete(name);
    const watchers = this.#watchers.get(name) ?? [];
    this.#watchers.delete(name);
    for (const clear of watchers) clear();
  }

  /** Close; within the linger time what waits is sent first. */
  async close(linger = this.socket.linger): Promise<void> {
    const begun = this.#clock.now();
    if (this.#waiting.size > 0 && linger !== 0) await this.#drained(linger);
    this.#stopRetry?.();
    this.#waiting.clear();
    const left = linger > 0 ? Math.max(0, Math.ceil(linger - (this.#clock.now() - begun))) : linger;
    await this.socket.close({ linger: left });
  }

  #drained(linger: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = linger > 0 ? this.#clock.after(linger, resolve) : null;
      this.#empty = () => {
        stop?.();
        resolve();
      };
    });
  }
}

function octetsOf(frames: Buffer[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}

function nameOf(routingId: Buffer): string {
  return routingId.toString("latin1");
}
