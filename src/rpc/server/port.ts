/**
 * A server's Router: which clients are connected, and the answers that wait for clients that do not read. A client that
 * does not read delays no other.
 */
import type { Buffer } from "../../base/platform.js";
import { Router, type RouterOptions, ZmqError } from "../../index.js";
import type { Clock } from "../clock.js";

const DEFAULTS: RouterOptions = {
  // TCP keep-alive: the kernel notices when a host is gone, but still answers while the process is only busy.
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 30,
  heartbeatInterval: 0,
  maxMessageSize: 128 * 1024 * 1024,
  // Low limits, because a client that does not read must not hold much memory, and answers may have any size.
  sendHighWaterMarkBytes: 1024 * 1024,
};
/** What a waiting message takes in memory besides its contents. */
const MESSAGE_BYTES = 160;
/** A Router does not say when one peer has room again, so we try, but only while a client is full. */
const RETRY_MS = 5;

/** A message, or a function that makes it: answers that are the same for all clients are made when they can be sent. */
type Message = Buffer[] | (() => Buffer[]);

interface Waiting {
  messages: Message[];
  bytes: number;
}

/** Something that waits until a client reads. */
export interface Watcher {
  wake(): void;
}

/** Called when a client loses its answers, with its routing id as text and the bytes that waited for all clients. */
export type Lost = (name: string, bytes: number) => void;

export type Sent = "sent" | "waiting" | "gone";

const NOTHING: Waiting = Object.freeze({ messages: [], bytes: 0 });

export class Port {
  readonly socket: Router;
  readonly #clock: Clock;
  /** Messages that wait, by routing id. */
  readonly #waiting = new Map<string, Waiting>();
  /** Woken when nothing waits for a client any more, or it is gone. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #most: number;
  readonly #tellLost: Lost;
  /** Bytes that wait for all clients. */
  #bytes = 0;
  #lost = 0;
  #stopRetry: (() => void) | null = null;
  /** Called when nothing waits for any client; set while closing. */
  #empty: (() => void) | null = null;

  /**
   * @param most bytes that may wait beyond the marks of the socket, for all clients together. Above it the client with
   * the most bytes waiting loses its answers, so that clients that do not read cannot fill the memory, however many they
   * are, and a client that reads loses nothing.
   */
  constructor(options: RouterOptions | undefined, most: number, clock: Clock, lost: Lost) {
    this.#most = most;
    this.#tellLost = lost;
    this.socket = new Router({ ...DEFAULTS, ...options, mandatory: true });
    this.#clock = clock;
  }

  /** Answers that were dropped because clients did not read. */
  get lost(): number {
    return this.#lost;
  }

  /** Sends a message. Its first frame is the routing id of the client. */
  send(frames: Buffer[]): Sent {
    const waiting = this.#waiting.size === 0 ? undefined : this.#waiting.get(nameOf(frames[0]));
    if (waiting === undefined) {
      const sent = this.#try(frames);
      if (sent !== "waiting") return sent;
    }
    this.#wait(frames[0], waiting, frames);
    return "waiting";
  }

  /** As send(), for a message that is made only when it can be sent. */
  sendLazily(routingId: Buffer, make: () => Buffer[]): Sent {
    const waiting = this.#waiting.size === 0 ? undefined : this.#waiting.get(nameOf(routingId));
    if (waiting === undefined) return this.send(make());
    this.#wait(routingId, waiting, make);
    return "waiting";
  }

  #wait(routingId: Buffer, known: Waiting | undefined, message: Message): void {
    const waiting = known ?? { messages: [], bytes: 0 };
    const bytes = bytesOf(message);
    waiting.messages.push(message);
    waiting.bytes += bytes;
    this.#bytes += bytes;
    if (known === undefined) this.#waiting.set(nameOf(routingId), waiting);
    while (this.#bytes > this.#most && this.#dropLargest());
    this.#retryLater();
  }

  /**
   * Drops everything that waits for the client with the most bytes: everything, so that this happens rarely. A method may
   * make an answer of any size, so a single answer stays if all others are within the limit. Returns false if there is
   * nothing to drop.
   */
  #dropLargest(): boolean {
    let [name, largest]: [string, Waiting] = ["", NOTHING];
    let [nextName, next]: [string, Waiting] = ["", NOTHING];
    for (const [oneName, one] of this.#waiting) {
      if (one.bytes > largest.bytes) {
        [nextName, next] = [name, largest];
        [name, largest] = [oneName, one];
      } else if (one.bytes > next.bytes) [nextName, next] = [oneName, one];
    }
    if (largest.messages.length === 1) {
      if (this.#bytes - largest.bytes <= this.#most) return false;
      [name, largest] = [nextName, next];
    }
    const { messages, bytes } = largest;
    if (messages.length === 0) return false;
    this.#tellLost(name, this.#bytes);
    this.#lost += messages.length;
    this.#bytes -= bytes;
    largest.messages = [];
    largest.bytes = 0;
    return true;
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

  /** Whether a client is still connected. A message with only a routing id is dropped, but fails if no peer has the id (I4, I6). */
  isThere(routingId: Buffer): boolean {
    return this.#try([routingId]) !== "gone";
  }

  /** Whether messages wait for a client. */
  congested(routingId: Buffer): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(nameOf(routingId));
  }

  /** Wakes a watcher once when nothing waits for a client any more, however often it asks. */
  whenClear(routingId: Buffer, watcher: Watcher): void {
    const name = nameOf(routingId);
    const watchers = this.#watchers.get(name);
    if (watchers === undefined) this.#watchers.set(name, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** Undoes `whenClear`. */
  unwatch(routingId: Buffer, watcher: Watcher): void {
    if (this.#watchers.size === 0) return;
    const name = nameOf(routingId);
    const watchers = this.#watchers.get(name);
    if (watchers?.delete(watcher) && watchers.size === 0) this.#watchers.delete(name);
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
    for (; done < messages.length && state === "sent"; done++) {
      const message = messages[done];
      state = this.#try(typeof message === "function" ? message() : message);
      if (state !== "sent") break;
    }
    const over = state === "gone" ? messages.length : done;
    const bytes = messages.splice(0, over).reduce((sum, message) => sum + bytesOf(message), 0);
    waiting.bytes -= bytes;
    this.#bytes -= bytes;
    if (messages.length > 0) return;
    this.#waiting.delete(name);
    const watchers = this.#watchers.get(name);
    this.#watchers.delete(name);
    if (watchers !== undefined) for (const watcher of watchers) watcher.wake();
  }

  /** Closes the socket. What waits is sent first, within the linger time. */
  async close(linger = this.socket.linger): Promise<void> {
    const begun = this.#clock.now();
    if (this.#waiting.size > 0 && linger !== 0) await this.#drained(linger);
    this.#stopRetry?.();
    this.#waiting.clear();
    this.#bytes = 0;
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

function bytesOf(message: Message): number {
  if (typeof message === "function") return MESSAGE_BYTES;
  return message.reduce((sum, frame) => sum + frame.length, MESSAGE_BYTES);
}

function nameOf(routingId: Buffer): string {
  return routingId.toString("latin1");
}
