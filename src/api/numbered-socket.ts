/**
 * The public members of sockets that address peers by number: SERVER and PEER of the drafts.
 */

import type { MessageLike } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import { type CallOptions, checkCallOptions } from "../base/waiting.js";
import { numbered } from "../patterns/peer-numbers.js";
import { DuplexSocket, senderOf } from "./writable.js";

/** The peer of a message. */
export interface ServerRoutingOptions {
  /** The peer's number, 1 to 2^32-1. It comes with each received message. */
  readonly routingId: number;
}

/** A received message: its part, and who sent it. */
export type ServerMessage = [message: Buffer, from: ServerRoutingOptions];

/** A socket that sends and receives messages of one part, each with the number of its peer. */
export abstract class NumberedSocket extends DuplexSocket<
  ServerMessage,
  readonly [MessageLike, ServerRoutingOptions]
> {
  /**
   * Sends a message of one part to a peer. Rejects with EHOSTUNREACH if no such peer is connected, and waits if its
   * queue is full (N3). Otherwise as WritableSocket.send.
   * @throws TypeError for several parts or without a `routingId`, RangeError for a number out of range
   */
  override send(message: MessageLike, options: ServerRoutingOptions & CallOptions): Promise<void> {
    const addressed = address(message, options);
    checkCallOptions(options, this.send, ["routingId"]);
    return senderOf(this).send(addressed, options);
  }

  /**
   * Sends a message if the peer has room now; returns false if it has none.
   * @throws as send(); ZmqError EHOSTUNREACH if no such peer is connected, EBADF on a closed socket
   */
  override trySend(message: MessageLike, options?: ServerRoutingOptions): boolean {
    return super.trySend(address(message, options));
  }

  /** Sends many messages, each to its peer, with one promise; as WritableSocket.sendMany. */
  override sendMany(
    messages: Iterable<readonly [MessageLike, ServerRoutingOptions]>,
    options?: CallOptions,
  ): Promise<void> {
    checkCallOptions(options, this.sendMany);
    return senderOf(this).sendMany(addressAll(messages), options);
  }
}

function address(message: MessageLike, options: ServerRoutingOptions | undefined): MessageLike[] {
  if (Array.isArray(message)) throw new TypeError("message must have exactly one part"); // N1
  if (typeof options !== "object" || options === null)
    throw new TypeError("options must be an object with a routingId");
  const { routingId } = options;
  if (typeof routingId !== "number") throw new TypeError("routingId must be a number");
  if (!Number.isInteger(routingId) || routingId < 1 || routingId > 0xffffffff) {
    throw new RangeError(`routingId must be an integer from 1 to 4294967295; got ${routingId}`);
  }
  return numbered(routingId, message);
}

function* addressAll(
  messages: Iterable<readonly [MessageLike, ServerRoutingOptions]>,
): Generator<MessageLike[]> {
  for (const [message, options] of messages) yield address(message, options);
}
