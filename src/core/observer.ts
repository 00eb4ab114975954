/**
 * The public event interface of a socket: keeps events until the program reads them, or passes them to its listeners.
 */

import { ZmqError } from "../base/errors.js";
import type { Event, EventOfType, EventType } from "../base/events.js";
import { Fifo } from "../base/fifo.js";
import { EventEmitter } from "../base/platform.js";

/** A waiting read; undefined means that no event follows. */
interface Waiter {
  readonly resolve: (event: Event | undefined) => void;
}

/** Most events kept for an observer that does not read. Beyond this, the oldest are dropped. */
const OBSERVER_CAPACITY = 4096;

/**
 * The events of one socket. Use either `receive()` and iteration, or listeners with `on()`, but not both, as with
 * zeromq.js's Observer.
 */
export class Observer {
  readonly #emitter = new EventEmitter();
  readonly #queue = new Fifo<Event>();
  readonly #waiters = new Fifo<Waiter>();
  #listening = false;
  #closed = false;

  /** Whether the socket is closed and all events have been read. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Calls a function for each event of a name. From then on `receive()` throws. */
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this {
    this.#listening = true;
    this.#queue.clear();
    this.#emitter.on(type, listener);
    return this;
  }

  /** Undoes `on`. */
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this {
    this.#emitter.off(type, listener);
    return this;
  }

  /**
   * Waits for the next event.
   * @throws ZmqError EBADF if the observer is closed
   */
  async receive(): Promise<Event> {
    const event = await this.#next();
    if (event === undefined) throw new ZmqError("EBADF");
    return event;
  }

  /** All events until the socket closes. Leaving the loop loses no event. */
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

  /** Stops observing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.resolve(undefined);
    }
    this.#emitter.removeAllListeners();
  }

  /** @param waits the set that holds the wait while it lasts */
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

  /** @internal called by the socket */
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
