/**
 * All methods of a Node emitter, for sockets, so that `events.once(socket, "message")` and other functions that take an
 * emitter work. One may listen to the events of a socket, and to "error", which a socket never emits. The declarations
 * use no types of `node:events`, because these differ between versions of @types/node.
 */

import type { EventOfType, EventType } from "../base/events.js";
import { EventEmitter } from "../base/platform.js";
import { OptionAccess } from "../options/access.js";

/** Names that each Node emitter has: errors, and changes of its listeners. */
const OF_NODE: ReadonlySet<unknown> = new Set(["error", "newListener", "removeListener"]);

/** Any listener. */
// biome-ignore lint/suspicious/noExplicitAny: as Node declares it, so that a socket fits where an emitter is expected
type Listener = (...args: any[]) => void;

// The methods work on the socket itself, so that `this` in a listener is the socket.
const node = EventEmitter.prototype as unknown as {
  on(this: object, name: string, listener: Listener): void;
  once(this: object, name: string, listener: Listener): void;
  prependListener(this: object, name: string, listener: Listener): void;
  prependOnceListener(this: object, name: string, listener: Listener): void;
  removeListener(this: object, name: string, listener: Listener): void;
  removeAllListeners(this: object, ...names: string[]): void;
  emit(this: object, name: string, ...args: unknown[]): boolean;
  listenerCount(this: object, name: string): number;
  listeners(this: object, name: string): Listener[];
  rawListeners(this: object, name: string): Listener[];
  eventNames(this: object): (string | symbol)[];
  setMaxListeners(this: object, count: number): void;
  getMaxListeners(this: object): number;
};

/** The methods of a Node emitter. */
export abstract class Emitting extends OptionAccess {
  protected constructor() {
    super();
    (EventEmitter as unknown as (this: object) => void).call(this);
  }

  /** @internal whether the socket emits events of this name */
  protected abstract tells(name: unknown): boolean;

  /** @internal called when the listeners of a name have changed; may throw to refuse a new one */
  protected listenersChanged(_name: string): void {}

  #check(name: string, listener: unknown): void {
    if (!OF_NODE.has(name) && !this.tells(name))
      throw new TypeError(`this socket has no event "${String(name)}"`);
    if (typeof listener !== "function") throw new TypeError("listener must be a function");
  }

  #add(method: "on" | "prependListener", name: string, listener: Listener): this {
    this.#check(name, listener);
    node[method].call(this, name, listener);
    try {
      this.listenersChanged(name);
    } catch (error) {
      node.removeListener.call(this, name, listener);
      throw error;
    }
    return this;
  }

  /**
   * Calls a function for each event of a name; on sockets that receive also for each "message". "error" is allowed, but
   * never emitted.
   * @throws TypeError for a name that this socket does not emit, or if `listener` is not a function; ZmqError EBUSY if
   * others receive the messages
   */
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  on(type: "error", listener: (error: Error) => void): this;
  on(type: string, listener: Listener): this {
    return this.#add("on", type, listener);
  }

  /** The same as `on`. */
  addListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  addListener(type: "error", listener: (error: Error) => void): this;
  addListener(type: string, listener: Listener): this {
    return this.#add("on", type, listener);
  }

  /** As `on`, but calls this listener before those that were added earlier. */
  prependListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependListener(type: "error", listener: (error: Error) => void): this;
  prependListener(type: string, listener: Listener): this {
    return this.#add("prependListener", type, listener);
  }

  /** As `on`, for one call only. */
  once<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  once(type: "error", listener: (error: Error) => void): this;
  once(type: string, listener: Listener): this {
    this.#check(type, listener);
    node.once.call(this, type, listener); // calls on() with a wrapper
    return this;
  }

  /** As `once`, but calls this listener before those that were added earlier. */
  prependOnceListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependOnceListener(type: "error", listener: (error: Error) => void): this;
  prependOnceListener(type: string, listener: Listener): this {
    this.#check(type, listener);
    node.prependOnceListener.call(this, type, listener); // calls prependListener() with a wrapper
    return this;
  }

  /** Undoes `on` or `once`. */
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  off(type: "error", listener: (error: Error) => void): this;
  off(type: string, listener: Listener): this {
    return this.#remove(type, listener);
  }

  /** The same as `off`. */
  removeListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  removeListener(type: "error", listener: (error: Error) => void): this;
  removeListener(type: string, listener: Listener): this {
    return this.#remove(type, listener);
  }

  #remove(name: string, listener: Listener): this {
    node.removeListener.call(this, name, listener);
    this.listenersChanged(name);
    return this;
  }

  /** Removes all listeners of a name, or of all names. */
  removeAllListeners(type?: string | symbol): this {
    const names = type === undefined ? this.eventNames() : [type];
    for (const name of names) {
      node.removeAllListeners.call(this, name as string);
      this.listenersChanged(name as string);
    }
    return this;
  }

  /**
   * Calls the listeners of a name with these arguments, as the socket does for each event. It is for libraries that
   * wrap emitters; programs do not need it. Returns whether there was a listener.
   */
  emit(type: string | symbol, ...args: unknown[]): boolean {
    return node.emit.call(this, type as string, ...args);
  }

  /** The number of listeners of a name. */
  listenerCount(type: string | symbol): number {
    return node.listenerCount.call(this, type as string);
  }

  /** The listeners of a name. */
  listeners(type: string | symbol): Listener[] {
    return node.listeners.call(this, type as string);
  }

  /** The listeners of a name. Those of `once` are in wrappers that remove them when they are called. */
  rawListeners(type: string | symbol): Listener[] {
    return node.rawListeners.call(this, type as string);
  }

  /** The names that have listeners. */
  eventNames(): (string | symbol)[] {
    return node.eventNames.call(this);
  }

  /**
   * Sets how many listeners one name may have before Node warns of a leak; 0 for no limit. Default
   * `EventEmitter.defaultMaxListeners`.
   */
  setMaxListeners(count: number): this {
    node.setMaxListeners.call(this, count);
    return this;
  }

  /** How many listeners one name may have before Node warns of a leak. */
  getMaxListeners(): number {
    return node.getMaxListeners.call(this);
  }
}
