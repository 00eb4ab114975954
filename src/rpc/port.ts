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
/** Messages that wait for one client beyond its socket's mark. */
const MOST_WAITING = 10_000;
/** A Router does not tell when one peer has room again, so it is tried: only while somebody is full. */
const RETRY_MS = 5;

export type Sent = "sent" | "waiting" | "dropped" | "gone";

export class Port {
  readonly socket: Router;
  readonly #clock: Clock;
  /** What waits, by routing id. */
  readonly #waiting = new Map<string, Buffer[][]>();
  /** Called when nothing waits for a client any more, or it is gone. */
  readonly #watchers = new Map<string, (() => void)[]>();
  #stopRetry: (() => void) | null = null;

  constructor(options: RouterOptions | undefined, clock: Clock) {
    this.socket = new Router({ ...DEFAULTS, ...options, mandatory: true });
    this.#clock = clock;
  }

  /** Send a message; its first frame names the client. */
  send(frames: Buffer[]): Sent {
    if (this.#waiting.size > 0) {
      const waiting = this.#waiting.get(nameOf(frames[0]));
      if (waiting !== undefined) {
        if (waiting.length >= MOST_WAITING) return "dropped";
        waiting.push(frames);
        return "waiting";
      }
    }
    const sent = this.#try(frames);
    if (sent !== "waiting") return sent;
    this.#waiting.set(nameOf(frames[0]), [frames]);
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

  /** Messages that wait for anybody. */
  get waiting(): number {
    let count = 0;
    for (const messages of this.#waiting.values()) count += messages.length;
    return count;
  }

  #retryLater(): void {
    if (this.#stopRetry !== null || this.#waiting.size === 0) return;
    this.#stopRetry = this.#clock.after(RETRY_MS, () => {
      this.#stopRetry = null;
      for (const [name, messages] of this.#waiting) this.#retry(name, messages);
      this.#retryLater();
    });
  }

  #retry(name: string, messages: Buffer[][]): void {
    let done = 0;
    let state: Sent = "sent";
    while (done < messages.length && (state = this.#try(messages[done])) === "sent") done++;
    messages.splice(0, done);
    if (state === "gone") messages.length = 0;
    if (messages.length > 0) return;
    this.#waiting.delete(name);
    const watchers = this.#watchers.get(name) ?? [];
    this.#watchers.delete(name);
    for (const clear of watchers) clear();
  }

  close(linger: number | undefined): Promise<void> {
    this.#stopRetry?.();
    this.#waiting.clear();
    return this.socket.close(linger === undefined ? undefined : { linger });
  }
}

function nameOf(routingId: Buffer): string {
  return routingId.toString("latin1");
}
