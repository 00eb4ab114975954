/**
 * What happens to a socket's connections, told under zeromq.js's event names, each with the peer it is about. Knows
 * nothing of how the events come about.
 */

import { ZmqError } from "./errors.js";
import { Fifo } from "./fifo.js";
import { type Buffer, EventEmitter } from "./platform.js";

/** One connected peer. */
export interface Peer {
  /** Unique in this process, never reused. */
  readonly id: number;
  /** Remote endpoint, such as `tcp://127.0.0.1:50123`; the bound name for inproc. */
  readonly address: string;
  /** Endpoint of ours, bound or connected, by which it came. */
  readonly endpoint: string;
  /** ZMTP socket type that it announced, such as `PULL`. */
  readonly socketType: string;
  /** Identity that it announced; empty when none. */
  readonly routingId: Buffer;
  /** Properties of its READY command (RFC 37 §Connection Metadata), names as received. */
  readonly metadata: ReadonlyMap<string, Buffer>;
}

interface At {
  /** The endpoint bound or connected, or the remote address of an accepted connection. */
  readonly address: string;
  /** The endpoint of ours that it is about, bound or connected; the address unless said otherwise. */
  readonly endpoint?: string;
}
interface WithPeer extends At {
  readonly peer: Peer;
}
interface WithError extends At {
  readonly error: Error;
}

/** Payload of each event by name. */
export interface SocketEvents {
  /** A connection was accepted; the handshake follows. */
  accept: At;
  "accept:error": WithError;
  /** The endpoint is bound. */
  bind: At;
  "bind:error": WithError;
  /** The transport is connected; the handshake follows. */
  connect: At;
  /** A connection attempt has begun. */
  "connect:delay": At;
  /** The next attempt follows after `interval` ms; `error` says why the last one failed. */
  "connect:retry": At & { readonly interval: number; readonly error?: Error };
  /** A listener or connection was closed by us. */
  close: At & { readonly peer?: Peer };
  "close:error": WithError;
  /** A peer is gone; `error` says why unless it closed in an orderly way. */
  disconnect: WithPeer & { readonly error?: Error };
  /** The handshake is complete: the peer can be talked to. */
  handshake: WithPeer;
  /** The other side broke the protocol, during or after the handshake. `error` is a ProtocolError. */
  "handshake:error:protocol": WithError & { readonly peer?: Peer };
  "handshake:error:auth": WithError;
  /** The handshake failed for another reason, such as a timeout or a lost connection. */
  "handshake:error:other": WithError;
  /**
   * A limit of the socket's options was reached or exceeded: `limit` is the option's name, `value` the number that does
   * so. Told once for what may come with every message; "paused" is told when reading stops until there is room.
   *
   * Over inproc `limit` may be "buffer": a message was dropped because its sender transferred or resized a buffer that it
   * had given to `send` before the message was read. `error` says so, with the code EFAULT.
   */
  limit: At & {
    readonly peer?: Peer;
    readonly limit: string;
    readonly action: "refused" | "closed" | "ignored" | "dropped" | "paused";
    readonly value?: number;
    readonly error?: Error;
  };
  /** The socket is closed; no event follows. */
  end: { readonly address: ""; readonly endpoint?: "" };
}

/** Name of an event. */
export type EventType = keyof SocketEvents;
/** An event of a certain name. */
export type EventOfType<E extends EventType> = SocketEvents[E] & {
  readonly type: E;
  /** The endpoint of ours, bound or connected; "" where the whole socket is meant. */
  readonly endpoint: string;
};
/** Any event. */
export type Event = { [E in EventType]: EventOfType<E> }[EventType];

export const EVENT_TYPES: readonly EventType[] = [
  "accept",
  "accept:error",
  "bind",
  "bind:error",
  "connect",
  "connect:delay",
  "connect:retry",
  "close",
  "close:error",
  "disconnect",
  "handshake",
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:other",
  "limit",
  "end",
];

/** Who waits for an event; undefined says that none comes. */
interface Waiter {
  readonly resolve: (event: Event | undefined) => void;
}

/** Events kept for an observer that does not read; the oldest go first beyond this. */
const OBSERVER_CAPACITY = 4096;

/**
 * The events of one socket, to be read or listened to. As zeromq.js's Observer: `receive()` and iteration, or
 * `on()`, not both.
 */
export class Observer {
  readonly #emitter = new EventEmitter();
  readonly #queue = new Fifo<Event>();
  readonly #waiters = new Fifo<Waiter>();
  #listening = false;
  #closed = false;

  /** Whether the socket is closed and all events have been told. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Call a function for each event of a name. From then on `receive()` throws. */
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this {
    this.#listening = true;
    this.#queue.clear();
    this.#emitter.on(type, listener);
    return this;
  }

  /** Undo `on`. */
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this {
    this.#emitter.off(type, listener);
    return this;
  }

  /**
   * The next event; waits for it.
   * @throws ZmqError EBADF when the observer is closed
   */
  async receive(): Promise<Event> {
    const event = await this.#next();
    if (event === undefined) throw new ZmqError("EBADF");
    return event;
  }

  /** All events until the socket closes. Leaving the loop takes no event that has not been given. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    const waits = new Set<Waiter>();
    let left = false;
    return {
      next: async () => {
        const value = left ? undefined : await this.#next(waits);
        return value === undefined ? { value, done: true } : { value, done: false };
      },
      return: async () => {
        left = true;
        this.#waiters.retain((waiter) => !waits.has(waiter));
        for (const waiter of waits) waiter.resolve(undefined);
        return { value: undefined, done: true };
      },
    };
  }

  /** Stop observing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.resolve(undefined);
    }
    this.#emitter.removeAllListeners();
  }

  /** @param waits where the wait is noted, for as long as it lasts */
  #next(waits?: Set<Waiter>): Promise<Event | undefined> {
    if (this.#listening)
      throw new Error(
        "Observer is in event emitter mode. After a call to events.on(), it is not possible to read events with events.receive().",
      );
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        resolve: (told) => {
          waits?.delete(waiter);
          resolve(told);
        },
      };
      waits?.add(waiter);
      this.#waiters.push(waiter);
    });
  }

  /** @internal from the socket */
  tell(event: Event): void {
    if (this.#closed) return;
    if (this.#listening) {
      this.#emitter.emit(event.type, event);
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve(event);
      return;
    }
    if (this.#queue.length >= OBSERVER_CAPACITY) this.#queue.shift();
    this.#queue.push(event);
  }
}
