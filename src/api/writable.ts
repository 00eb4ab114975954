/**
 * The public members of sockets that send, and of those that send and receive.
 */

import type { Message } from "../base/message.js";
import { type CallOptions, checkCallOptions } from "../base/waiting.js";
import type { Loan, Sendable, Sender } from "../core/sender.js";
import { type LoanHolding, loansOf } from "../core/stats.js";
import { ReadableSocket } from "./readable.js";
import { coreOf, Socket } from "./socket.js";

/** The sending half of a socket that has one. No entry exports this function. */
export function senderOf(socket: Socket): Sender {
  return coreOf(socket).sender as Sender;
}

/**
 * A socket that sends.
 * @typeParam S a message as sendMany() takes it
 */
export abstract class WritableSocket<S = Sendable> extends Socket {
  readonly #sender = senderOf(this);

  /** Whether a message can be sent now: trySend() would return true. */
  get writable(): boolean {
    return coreOf(this).writable;
  }

  /**
   * Sends one message. Resolves when the queue of a peer has accepted it below its high-water mark. Many calls may be
   * made at once: they keep their order, and the parts of messages are never mixed. Without `timeout`, the socket's
   * `sendTimeout` applies. Do not change a buffer before the promise resolves, and one above 16 KiB not before it is on
   * the wire.
   *
   * If the event loop was blocked for 50 ms or more, a Publisher, XPublisher or Radio, and a Router that does not know
   * the name, first accepts the peers that connected meanwhile. That takes about 100 ms at most.
   *
   * Rejects with EAGAIN if no peer had room in time, or if `sendQueueLimit` sends wait already; with the signal's
   * reason on abort; with EBADF when the socket closes. The message was not sent then.
   * @throws TypeError for a part that is not a MessageLike; RangeError for more than `maxMessageParts` parts; either
   * for wrong options
   */
  send(message: Sendable, options?: CallOptions): Promise<void> {
    if (options !== undefined) checkCallOptions(options, this.send);
    return this.#sender.send(message, options);
  }

  /**
   * Sends one message if there is room now. Returns false if there is none.
   * @throws TypeError or RangeError as `send`; ZmqError EBADF on a closed socket
   */
  trySend(message: Sendable): boolean {
    return this.#sender.trySend(message);
  }

  /**
   * Memory to be filled and then sent, as a Buffer of so many bytes, not cleared. Peers over ipc that are zwire, too, and of
   * the same user, read it where it is: nothing is copied, whatever its size and their number; anybody else gets a copy.
   * `send()` takes it away, so that the Buffer has no bytes afterwards; `release()` gives it back unsent. It begins at a
   * multiple of 64, for typed arrays. Below 16 KiB, without shared memory, and when `maxLoanedBytes` are out, it is
   * ordinary memory.
   * @throws TypeError or RangeError if `bytes` is not a positive integer; ZmqError EBADF on a closed socket
   */
  loan(bytes: number): Loan {
    return this.#sender.pool.loan(loanSize(bytes));
  }

  /**
   * As loan(), but if `maxLoanedBytes` are out, waits until something is back. Rejects with EAGAIN on timeout (default:
   * waits for ever), with the signal's reason on abort, and with EBADF when the socket closes.
   * @throws TypeError or RangeError if `bytes` is not a positive integer, or for wrong options
   */
  nextLoan(bytes: number, options?: CallOptions): Promise<Loan> {
    checkCallOptions(options, this.nextLoan);
    return this.#sender.nextLoan(loanSize(bytes), options);
  }

  /** The loans that are out, and who has them. */
  get loans(): LoanHolding[] {
    return loansOf(coreOf(this));
  }

  /**
   * Sends many messages with one promise; each element is a message. Rejects as `send` does: then the messages before
   * the one that failed were sent, and those after it were not.
   */
  sendMany(messages: Iterable<S>, options?: CallOptions): Promise<void> {
    checkCallOptions(options, this.sendMany);
    return this.#sender.sendMany(messages as Iterable<Sendable>, options);
  }
}

/** A socket that sends and receives. */
export abstract class DuplexSocket<M = Message, S = Sendable> extends ReadableSocket<M> {
  readonly #sender = senderOf(this);

  /** Whether a message can be sent now: trySend() would return true. */
  get writable(): boolean {
    return coreOf(this).writable;
  }

  /**
   * Sends one message; as WritableSocket.send. Rejects with EFSM if the pattern does not allow to send now (Request,
   * Reply).
   */
  send(message: Sendable, options?: CallOptions): Promise<void> {
    if (options !== undefined) checkCallOptions(options, this.send);
    return this.#sender.send(message, options);
  }

  /**
   * Sends one message if there is room now. Returns false if there is none.
   * @throws TypeError or RangeError as `send`; ZmqError EBADF on a closed socket, EFSM if the pattern does not allow to
   * send now
   */
  trySend(message: Sendable): boolean {
    return this.#sender.trySend(message);
  }

  /** Memory to be filled and then sent; as WritableSocket.loan. */
  loan(bytes: number): Loan {
    return this.#sender.pool.loan(loanSize(bytes));
  }

  /** Waits for such memory; as WritableSocket.nextLoan. */
  nextLoan(bytes: number, options?: CallOptions): Promise<Loan> {
    checkCallOptions(options, this.nextLoan);
    return this.#sender.nextLoan(loanSize(bytes), options);
  }

  /** The loans that are out, and who has them. */
  get loans(): LoanHolding[] {
    return loansOf(coreOf(this));
  }

  /** Sends many messages with one promise; as WritableSocket.sendMany. */
  sendMany(messages: Iterable<S>, options?: CallOptions): Promise<void> {
    checkCallOptions(options, this.sendMany);
    return this.#sender.sendMany(messages as Iterable<Sendable>, options);
  }
}

function loanSize(bytes: number): number {
  if (typeof bytes !== "number") throw new TypeError(`bytes must be a number; got ${typeof bytes}`);
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new RangeError(`bytes must be a positive integer; got ${bytes}`);
  return bytes;
}
