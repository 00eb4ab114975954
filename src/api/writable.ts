/**
 * What a user may call on a socket that sends, alone or beside receiving.
 */

import type { Message } from "../base/message.js";
import { type CallOptions, checkCallOptions } from "../base/turns.js";
import type { Sendable, Sender } from "../core/sender.js";
import { ReadableSocket } from "./readable.js";
import { coreOf, Socket } from "./socket.js";

/** The sending half of a socket that has one. Not exported by an entry. */
export function senderOf(socket: Socket): Sender {
  return coreOf(socket).sender as Sender;
}

/**
 * A socket that sends.
 * @typeParam S one message as sendMany takes it
 */
export abstract class WritableSocket<S = Sendable> extends Socket {
  readonly #sender = senderOf(this);

  /** Whether a message could be sent at once: trySend() would not be false. */
  get writable(): boolean {
    return coreOf(this).writable;
  }

  /**
   * Send one message. Resolves when a peer's queue has taken it under its high-water mark; calls keep their order
   * and never interleave, however many are made at once. A buffer given here belongs to zwire until then, and one
   * above 16 KiB until it is on the wire. If the event loop stood still for 50 ms or more, a Publisher, XPublisher or
   * Radio, and a Router that does not know the name, first lets in the peers that dialled meanwhile, for about 100 ms
   * at most.
   *
   * Rejects with EAGAIN when no peer had room in time or too many sends wait, with the signal's reason on abort,
   * with EBADF when the socket closes; such a message was not sent.
   * @throws TypeError for a part that is no MessageLike; RangeError for more than `maxMessageParts` parts
   */
  send(message: Sendable, options?: CallOptions): Promise<void> {
    if (options !== undefined) checkCallOptions(options);
    return this.#sender.queue.send(this.#sender.prepare(message), options);
  }

  /**
   * Send one message if there is room now; false when there is none.
   * @throws TypeError as `send`; ZmqError EBADF on a closed socket
   */
  trySend(message: Sendable): boolean {
    return this.#sender.queue.trySend(this.#sender.prepare(message));
  }

  /**
   * Send many messages, each element one message, for one promise. It rejects as `send` does; the messages before
   * the one that failed were sent, the ones behind it were not.
   */
  sendMany(messages: Iterable<S>, options?: CallOptions): Promise<void> {
    checkCallOptions(options);
    return this.#sender.sendMany(messages as Iterable<Sendable>, options);
  }
}

/** A socket that sends and receives. */
export abstract class DuplexSocket<M = Message, S = Sendable> extends ReadableSocket<M> {
  readonly #sender = senderOf(this);

  /** Whether a message could be sent at once: trySend() would not be false. */
  get writable(): boolean {
    return coreOf(this).writable;
  }

  /** Send one message; as WritableSocket.send. Rejects with EFSM where the pattern does not allow a send now. */
  send(message: Sendable, options?: CallOptions): Promise<void> {
    if (options !== undefined) checkCallOptions(options);
    return this.#sender.queue.send(this.#sender.prepare(message), options);
  }

  /**
   * Send one message if there is room now; false when there is none.
   * @throws TypeError as `send`; ZmqError EBADF on a closed socket, EFSM where the pattern does not allow it
   */
  trySend(message: Sendable): boolean {
    return this.#sender.queue.trySend(this.#sender.prepare(message));
  }

  /** Send many messages for one promise; as WritableSocket.sendMany. */
  sendMany(messages: Iterable<S>, options?: CallOptions): Promise<void> {
    checkCallOptions(options);
    return this.#sender.sendMany(messages as Iterable<Sendable>, options);
  }
}
