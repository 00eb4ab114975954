/**
 * What a user may call on a socket that receives.
 */

import type { EventOfType, EventType, Peer } from "../base/events.js";
import type { Message } from "../base/message.js";
import { type CallOptions, checkCallOptions } from "../base/turns.js";
import type { ReceiveQueue } from "../engine/waiting-receives.js";
import { coreOf, Socket } from "./socket.js";

const EVERYTHING = 1024;

/**
 * A socket that receives.
 * @typeParam M one message as the application sees it
 */
export abstract class ReadableSocket<M = Message> extends Socket {
  readonly #receives = coreOf(this).receives as ReceiveQueue<M>;

  /**
   * Who sent a received message; undefined for one that was received without `messagePeers`, or over a `conflate`
   * connection that has been lost since. Takes the array that receive() or iteration gave, not a copy.
   */
  peerOf(message: M): Peer | undefined {
    return this.#receives.peerOf(message);
  }

  /** Whether a message could be received at once: tryReceive() would have one. */
  get readable(): boolean {
    return coreOf(this).readable;
  }

  /**
   * The next message. May be called any number of times at once; calls are served in order. Rejects with EAGAIN on
   * timeout, the signal's reason on abort, EBADF when the socket closes; no message is lost by that.
   */
  receive(options?: CallOptions): Promise<M> {
    if (options !== undefined) checkCallOptions(options);
    return this.#receives.receive(options);
  }

  /**
   * The next message if there is one now.
   * @throws ZmqError EBADF on a closed socket
   */
  tryReceive(): M | undefined {
    return this.#receives.tryReceive();
  }

  /** All messages that are ready, at least one and at most `max` (default 1024), for one promise. */
  receiveMany(max: number = EVERYTHING, options?: CallOptions): Promise<M[]> {
    checkCallOptions(options);
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`max must be a positive integer; got ${max}`);
    return this.#receives.receiveMany(max, options);
  }

  /**
   * Messages until the socket closes. Leaving the loop (`break`, `Readable.from(socket).destroy()`) does not close the
   * socket, and takes no message that has not been given.
   */
  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    return this.#receives.iterate();
  }

  /** @internal */
  protected override tells(name: unknown): boolean {
    return name === "message" || super.tells(name);
  }

  /** @internal Messages go to whoever listens now. */
  protected override listenersChanged(name: string): void {
    if (name !== "message") return;
    const listeners = this.rawListeners("message");
    if (listeners.length === 0) this.#receives.listen(null);
    else if (listeners.length === 1) {
      this.#receives.listen(listeners[0].bind(this)); // the emitter would cost a tenth of a message
    } else this.#receives.listen((message) => this.emit("message", message));
  }
}

/** Listening, to messages as well. The methods themselves are those of every socket. */
export interface ReadableSocket<M = Message> {
  /** Call a function for each message, or for each event of a name. */
  on(type: "message", listener: (message: M) => void): this;
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  on(type: "error", listener: (error: Error) => void): this;
  /** The same as `on`. */
  addListener(type: "message", listener: (message: M) => void): this;
  addListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  addListener(type: "error", listener: (error: Error) => void): this;
  /** As `on`, before the listeners that are there. */
  prependListener(type: "message", listener: (message: M) => void): this;
  prependListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependListener(type: "error", listener: (error: Error) => void): this;
  /** As `on`, for one call. */
  once(type: "message", listener: (message: M) => void): this;
  once<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  once(type: "error", listener: (error: Error) => void): this;
  /** As `once`, before the listeners that are there. */
  prependOnceListener(type: "message", listener: (message: M) => void): this;
  prependOnceListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependOnceListener(type: "error", listener: (error: Error) => void): this;
  /** Undo `on` or `once`. */
  off(type: "message", listener: (message: M) => void): this;
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  off(type: "error", listener: (error: Error) => void): this;
  /** The same as `off`. */
  removeListener(type: "message", listener: (message: M) => void): this;
  removeListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  removeListener(type: "error", listener: (error: Error) => void): this;
}
