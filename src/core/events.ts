/**
 * Emits the events of one socket: to its observer, to listeners by name, and to the trace of `NODE_DEBUG=zwire`.
 */

import type { Event, EventType, SocketEvents } from "../base/events.js";
import { Observer } from "./observer.js";
import { trace, traced, traceName } from "./trace.js";

/** An object with listeners by event name, such as the public socket. */
export interface Listeners {
  listenerCount(type: string): number;
  emit(type: string, event: unknown): boolean;
}

/** Is told of all events of a socket, whether anybody listens to them or not. */
export interface Witness {
  told<E extends EventType>(socket: object, type: E, payload: SocketEvents[E]): void;
}

export class Events {
  readonly #listeners: Listeners;
  readonly #soon: (run: () => void) => void;
  /** The socket's name in the trace. */
  readonly #name: string;
  #observer: Observer | null = null;
  /** The socket's place on the list of those that can be seen from outside. */
  witness: Witness | null = null;
  /** "end" was emitted: no event may follow, not even from a bind() that finds the socket closed only now. */
  #ended = false;

  /** @param soon calls a function when the current call stack is done */
  constructor(socketType: string, listeners: Listeners, soon: (run: () => void) => void) {
    this.#listeners = listeners;
    this.#soon = soon;
    this.#name = traceName(socketType);
  }

  /** The observer, which keeps events from now on. */
  observe(): Observer {
    this.#observer ??= new Observer();
    return this.#observer;
  }

  tell<E extends EventType>(type: E, payload: SocketEvents[E]): void {
    if (this.#ended) return;
    if (traced()) trace(this.#name, type, payload);
    this.witness?.told(this.#listeners, type, payload);
    if (this.#observer === null && this.#listeners.listenerCount(type) === 0) return;
    const event = { type, endpoint: payload.address, ...payload } as unknown as Event;
    try {
      this.#observer?.tell(event);
      this.#listeners.emit(type, event);
    } catch (error) {
      // An exception of a listener must not end the connection: throw it later, as the application's own.
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
