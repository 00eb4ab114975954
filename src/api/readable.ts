/**
 * The public members of sockets that receive.
 */

import type { EventOfType, EventType, Peer } from "../base/events.js";
import type { Message } from "../base/message.js";
import { type CallOptions, checkCallOptions } from "../base/waiting.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";
import { type Borrowed, BorrowingIterator, borrowed } from "./borrowed.js";
import { Messages } from "./messages.js";
import { coreOf, Socket } from "./socket.js";

/** Default of `max` of receiveMany(). */
const EVERYTHING = 1024;

/**
 * A socket that receives.
 * @typeParam M a message as the application receives it
 */
export abstract class ReadableSocket<M = Message> extends Socket {
  readonly #receives = coreOf(this).receives as WaitingReceives<M>;

  /**
   * The peer that sent a received message. Pass the array that receive() or iteration gave, not a copy. Undefined
   * without the option `messagePeers`, and for a message of a `conflate` connection that has been lost meanwhile.
   */
  peerOf(message: M): Peer | undefined {
    return this.#receives.peerOf(message);
  }

  /** Whether a message can be received now: tryReceive() would return one. */
  get readable(): boolean {
    return coreOf(this).readable;
  }

  /**
   * The next message. May be called many times at once; the calls are served in order. Without `timeout`, the socket's
   * `receiveTimeout` applies. Rejects with EAGAIN on timeout, with the signal's reason on abort, with EBADF when the
   * socket closes, and with EBUSY if a "message" listener or a proxy gets the messages. No message is lost by a
   * rejection.
   * @throws TypeError or RangeError for wrong options
   */
  receive(options?: CallOptions): Promise<M> {
    if (options !== undefined) checkCallOptions(options, this.receive);
    return this.#receives.receive(options);
  }

  /**
   * The next message if there is one now, or else undefined.
   * @throws ZmqError EBADF on a closed socket, EBUSY if a "message" listener or a proxy gets the messages
   */
  tryReceive(): M | undefined {
    return this.#receives.tryReceive();
  }

  /**
   * All messages that can be received now, at most `max` (default 1024), with one promise. If there is none, it waits
   * for one. Rejects as receive().
   * @throws RangeError if `max` is not a positive integer; TypeError or RangeError for wrong options
   */
  receiveMany(max: number = EVERYTHING, options?: CallOptions): Promise<M[]> {
    checkCallOptions(options, this.receiveMany);
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`max must be a positive integer; got ${max}`);
    return this.#receives.receiveMany(max, options);
  }

  /**
   * Iterates over messages until the socket closes. Leaving the loop (`break`, `Readable.from(socket).destroy()`) does
   * not close the socket, and loses no message.
   */
  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    return this.#receives.iterate();
  }

  /**
   * Iterates as `for await` over the socket does, with options for each wait: it rejects with the signal's reason on abort,
   * and with EAGAIN if no message comes in time. No message is lost by that. Without `timeout` it waits without limit.
   * @throws TypeError or RangeError for wrong options
   */
  messages(options?: CallOptions): AsyncIterableIterator<M> {
    checkCallOptions(options, this.messages);
    const messages = new Messages((signal) =>
      this.#receives.receive({
        timeout: options?.timeout ?? -1,
        signal: options?.signal === undefined ? signal : AbortSignal.any([signal, options.signal]),
      }),
    );
    this.#receives.loops.add(messages);
    return messages;
  }

  /**
   * The next message, to be given back with `release()`: then the memory of its parts from 16 KiB is used again, so that
   * neither the system has to clear pages nor the collector has to find them. Over ipc, what a zwire peer sends as a loan
   * is not copied at all. Waits and rejects as receive(). What receive() gives is always yours to keep.
   * @throws TypeError or RangeError for wrong options
   */
  borrow(options?: CallOptions): Promise<Borrowed<M>> {
    if (options !== undefined) checkCallOptions(options, this.borrow);
    coreOf(this).borrows = true;
    return this.#receives.receive(options, true).then((message) => this.#lend(message));
  }

  /** As borrow(), but undefined if no message is ready. @throws as tryReceive() */
  tryBorrow(): Borrowed<M> | undefined {
    coreOf(this).borrows = true;
    const message = this.#receives.tryReceive(true);
    return message === undefined ? undefined : this.#lend(message);
  }

  /**
   * Iterates as `for await` over the socket does, over borrowed messages: each is given back when the loop asks for the
   * next one, or is left.
   */
  borrowed(): AsyncIterableIterator<Borrowed<M>> {
    coreOf(this).borrows = true;
    return new BorrowingIterator(this.#receives.iterate(true), (message) => this.#lend(message));
  }

  #lend(message: M): Borrowed<M> {
    const lent = borrowed(message);
    this.#receives.sameSender(message, lent);
    return lent;
  }

  /** @internal */
  protected override tells(name: unknown): boolean {
    return name === "message" || super.tells(name);
  }

  /** @internal gives messages to the listeners, or stops doing so if there are none */
  protected override listenersChanged(name: string): void {
    if (name !== "message") return;
    const listeners = this.rawListeners("message");
    if (listeners.length === 0) this.#receives.listen(null);
    else if (listeners.length === 1) {
      // A direct call, because the emitter would add a tenth to the cost of a message.
      this.#receives.listen(listeners[0].bind(this));
    } else this.#receives.listen((message) => this.emit("message", message));
  }
}

/** Types for listening to messages as well as events. The methods themselves are inherited. */
export interface ReadableSocket<M = Message> {
  /**
   * Calls a function for each message ("message"), or for each event of a name.
   * @throws TypeError for an unknown name, or if `listener` is not a function
   */
  on(type: "message", listener: (message: M) => void): this;
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  on(type: "error", listener: (error: Error) => void): this;
  /** The same as `on`. */
  addListener(type: "message", listener: (message: M) => void): this;
  addListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  addListener(type: "error", listener: (error: Error) => void): this;
  /** As `on`, but calls this listener before those that were added earlier. */
  prependListener(type: "message", listener: (message: M) => void): this;
  prependListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependListener(type: "error", listener: (error: Error) => void): this;
  /** As `on`, for one call only. */
  once(type: "message", listener: (message: M) => void): this;
  once<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  once(type: "error", listener: (error: Error) => void): this;
  /** As `once`, but calls this listener before those that were added earlier. */
  prependOnceListener(type: "message", listener: (message: M) => void): this;
  prependOnceListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependOnceListener(type: "error", listener: (error: Error) => void): this;
  /** Undoes `on` or `once`. */
  off(type: "message", listener: (message: M) => void): this;
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  off(type: "error", listener: (error: Error) => void): this;
  /** The same as `off`. */
  removeListener(type: "message", listener: (message: M) => void): this;
  removeListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  removeListener(type: "error", listener: (error: Error) => void): this;
}
