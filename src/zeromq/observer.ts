/**
 * Observer with zeromq.js's members: reads the events of one socket one by one, or passes them to listeners. events.ts
 * defines the events.
 */

// biome-ignore-all lint/complexity/noArguments: zeromq.js counts what its calls are given
import { Fifo } from "../base/fifo.js";
import { EventEmitter, nextTick } from "../base/platform.js";
import { checkCount } from "./arguments.js";
import { failure } from "./errors.js";
import type { Event, EventOfType, EventSubscriber, EventType } from "./events.js";
import { isNative, nativeClass, recognise } from "./native-class.js";
import { hold } from "./process-end.js";

const BUSY = "Observer is busy reading; only one receive operation may be in progress at any time";
const LISTENING =
  "Observer is in event emitter mode. After a call to events.on() it is not possible to read events with events.receive().";

/** The source of an observer's events; the socket attaches it. */
export interface EventSource {
  /** @returns a function that undoes it */
  watch(tell: (event: Event) => void): () => void;
  readonly closed: boolean;
}

/** One loop over the events. */
interface Iteration {
  left: boolean;
}

interface Waiter {
  by: Iteration | undefined;
  resolve: (event: Event) => void;
  reject: (error: Error) => void;
}

/** Finds the events of a socket. socket.ts sets it, because this file does not know sockets. */
let sourceOf: (socket: unknown) => EventSource | undefined = () => undefined;

export function observeSockets(find: (socket: unknown) => EventSource | undefined): void {
  sourceOf = find;
}

export interface ObserverClass extends EventSubscriber {
  /** Events until the socket closes; the last one is `end`. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined>;
}

export class ObserverClass {
  readonly #queue = new Fifo<Event>();
  readonly #emitter = new EventEmitter();
  readonly #unwatch: () => void;
  #waiter: Waiter | null = null;
  #listening = false;
  #ended = false;

  /** @throws TypeError if it is not an object, Error if it is not a socket or is closed */
  constructor(socket: unknown) {
    if (typeof socket !== "object" || socket === null) throw new TypeError("Socket must be a socket object");
    checkCount(arguments.length, 1);
    const source = sourceOf(socket);
    if (source === undefined) throw isNative(socket) ? failure("ENOTSOCK") : new Error("Invalid argument");
    if (source.closed) throw failure("ENOTSOCK");
    this.#unwatch = source.watch((event) => this.#tell(event));
    Object.seal(this);
  }

  /** Whether `end` has been read, or close() called. */
  get closed(): boolean {
    return this.#ended && this.#queue.length === 0;
  }

  /** Stop observing; unread events are lost. */
  close(): void {
    this.#queue.clear();
    this.#end();
  }

  /**
   * The next event; waits for it.
   * @throws Error EBADF if closed, EBUSY while another call waits; Error after on()
   */
  receive(): Promise<Event> {
    return this.#receive(undefined);
  }

  #receive(by: Iteration | undefined): Promise<Event> {
    if (this.#listening) throw new Error(LISTENING);
    if (this.closed) throw failure("EBADF");
    if (this.#waiter !== null) throw failure("EBUSY", BUSY);
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve, reject) => {
      this.#waiter = { by, resolve, reject };
      hold(1);
    });
  }

  #tell(event: Event): void {
    if (this.#ended) return;
    // zeromq.js does not have this event: pass it only to listeners that ask for it by name.
    if ((event.type as string) === "limit" && !this.#listening) return;
    if (this.#listening) this.#emitter.emit(event.type, event);
    else if (this.#waiter === null) this.#queue.push(event);
    else this.#settle((waiter) => waiter.resolve(event));
    if (event.type === "end") this.#end();
  }

  async #step(iteration: Iteration): Promise<IteratorResult<Event, undefined>> {
    if (this.closed || iteration.left) return { value: undefined, done: true };
    try {
      return { value: await this.#receive(iteration), done: false };
    } catch (error) {
      if (this.closed || iteration.left) return { value: undefined, done: true };
      throw error;
    }
  }

  #settle(use: (waiter: Waiter) => void): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    hold(-1);
    use(waiter);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unwatch();
    if (this.#listening) hold(-1);
    this.#settle((waiter) => waiter.reject(failure("EAGAIN")));
  }

  static {
    recognise((value) => #queue in value);
    const listen = function (this: ObserverClass, method: "on" | "off", type: EventType, listener: never) {
      if (!this.#listening && method === "on") {
        this.#listening = true;
        if (!this.#ended) hold(1);
        const unread = this.#queue.length;
        for (let i = 0; i < unread; i++) {
          const event = this.#queue.shift() as Event;
          nextTick(() => this.#emitter.emit(event.type, event));
        }
      }
      this.#emitter[method](type, listener);
      return this.#emitter;
    };
    Object.assign(ObserverClass.prototype, {
      on(this: ObserverClass, type: EventType, listener: never) {
        return listen.call(this, "on", type, listener);
      },
      off(this: ObserverClass, type: EventType, listener: never) {
        return listen.call(this, "off", type, listener);
      },
      [Symbol.asyncIterator](this: ObserverClass): AsyncIterator<Event, undefined> {
        if (this.#listening) throw new Error(LISTENING);
        const iteration = { left: false };
        return {
          next: () => this.#step(iteration),
          return: async () => {
            iteration.left = true;
            if (this.#waiter?.by === iteration) this.#settle((waiter) => waiter.reject(failure("EAGAIN")));
            return { value: undefined, done: true };
          },
        };
      },
    });
  }
}

export const Observer = nativeClass(
  ObserverClass,
  (build) =>
    function Observer(...args: unknown[]) {
      return build(new.target, args);
    },
);
export type Observer = ObserverClass;

export type { EventOfType };
