/**
 * What a socket has of a Node emitter: every method of one, so that `events.once(socket, "message")` and whatever else
 * takes an emitter works. Only names that a socket tells may be listened to, and "error", which it never tells. The
 * declarations name nothing of `node:events`, whose types differ from one version of @types/node to the next.
 */

import type { EventOfType, EventType } from "../base/events.js";
import { EventEmitter } from "../base/platform.js";
import { OptionAccess } from "../options/access.js";

/** Names that Node's own emitters have: failures, and changes of the listeners. */
const OF_NODE: ReadonlySet<unknown> = new Set(["error", "newListener", "removeListener"]);

/** Any listener. */
// biome-ignore lint/suspicious/noExplicitAny: as Node declares it, so that what takes an emitter takes a socket
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

/** Listening, as Node's emitters have it. */
export abstract class Emitting extends OptionAccess {
  protected constructor() {
    super();
    (EventEmitter as unknown as (this: object) => void).call(this);
  }

  /** @internal whether events of the name are told */
  protected abstract tells(name: unknown): boolean;

  /** @internal the listeners of a name are others now; may refuse a new one by throwing */
  protected listenersChanged(_name: string): void {}

  #check(name: string, listener: unknown): void {
    if (!OF_NODE.has(name) && !this.tells(name)) throw new TypeError(`there is no event "${String(name)}"`);
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
   * Call a function for each event of a name; on receiving sockets also for each "message". "error" may be listened to
   * and is never told.
   * @throws TypeError for a name that this socket does not tell, and for what is no function
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

  /** As `on`, before the listeners that are there. */
  prependListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependListener(type: "error", listener: (error: Error) => void): this;
  prependListener(type: string, listener: Listener): this {
    return this.#add("prependListener", type, listener);
  }

  /** As `on`, for one call. */
  once<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  once(type: "error", listener: (error: Error) => void): this;
  once(type: string, listener: Listener): this {
    this.#check(type, listener);
    node.once.call(this, type, listener); // calls on() with a wrapper
    return this;
  }

  /** As `once`, before the listeners that are there. */
  prependOnceListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependOnceListener(type: "error", listener: (error: Error) => void): this;
  prependOnceListener(type: string, listener: Listener): this {
    this.#check(type, listener);
    node.prependOnceListener.call(this, type, listener); // calls prependListener() with a wrapper
    return this;
  }

  /** Undo `on` or `once`. */
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

  /** Undo every `on` of a name, or of all names. */
  removeAllListeners(type?: string | symbol): this {
    const names = type === undefined ? this.eventNames() : [type];
    for (const name of names) {
      node.removeAllListeners.call(this, name as string);
      this.listenersChanged(name as string);
    }
    return this;
  }

  /**
   * Call the listeners of a name with these arguments, as the socket does for each event. For what wraps emitters; a
   * program has no need of it. Answers whether there was a listener.
   */
  emit(type: string | symbol, ...args: unknown[]): boolean {
    return node.emit.call(this, type as string, ...args);
  }

  /** How many listeners a name has. */
  listenerCount(type: string | symbol): number {
    return node.listenerCount.call(this, type as string);
  }

  /** The listeners of a name. */
  listeners(type: string | symbol): Listener[] {
    return node.listeners.call(this, type as string);
  }

  /** The listeners of a name, those of `once` in the wrappers that undo them. */
  rawListeners(type: string | symbol): Listener[] {
    return node.rawListeners.call(this, type as string);
  }

  /** Names that have listeners. */
  eventNames(): (string | symbol)[] {
    return node.eventNames.call(this);
  }

  /** Listeners of one name beyond which Node warns of a leak; 0 for any number. Default `EventEmitter.defaultMaxListeners`. */
  setMaxListeners(count: number): this {
    node.setMaxListeners.call(this, count);
    return this;
  }

  /** As setMaxListeners has set it. */
  getMaxListeners(): number {
    return node.getMaxListeners.call(this);
  }
}
