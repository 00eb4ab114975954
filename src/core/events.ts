/**
 * Tells the events of one socket: to its observer, to whoever listens by name, and to `NODE_DEBUG=zwire`.
 */

import type { Event, EventType, SocketEvents } from "../base/events.js";
import { Observer } from "./observer.js";
import { trace, traced, traceName } from "./trace.js";

/** Whoever has listeners by name: the face of a socket. */
export interface Listeners {
  listenerCount(type: string): number;
  emit(type: string, event: unknown): boolean;
}

export class Events {
  readonly #listeners: Listeners;
  readonly #soon: (run: () => void) => void;
  /** The socket's name in what is traced. */
  readonly #name: string;
  #observer: Observer | null = null;
  /** "end" has been told: nothing follows it, also of a bind() that only now finds the socket closed. */
  #ended = false;

  /** @param soon calls a function when the present call stack is done */
  constructor(socketType: string, listeners: Listeners, soon: (run: () => void) => void) {
    this.#listeners = listeners;
    this.#soon = soon;
    this.#name = traceName(socketType);
  }

  /** The events, to be read from now on. */
  observe(): Observer {
    this.#observer ??= new Observer();
    return this.#observer;
  }

  tell<E extends EventType>(type: E, payload: SocketEvents[E]): void {
    if (this.#ended) return;
    if (traced()) trace(this.#name, type, payload);
    if (this.#observer === null && this.#listeners.listenerCount(type) === 0) return;
    const event = { type, endpoint: payload.address, ...payload } as unknown as Event;
    try {
      this.#observer?.tell(event);
      this.#listeners.emit(type, event);
    } catch (error) {
      // The application's exception, and nobody else's: the connection that it was told of goes on.
      this.#soon(() => {
        throw error;
      });
    }
  }

  /** The socket is closed. */
  end(): void {
    this.tell("end", { address: "" });
    this.#ended = true;
    this.#observer?.close();
  }
}
