/**
 * SERVER (RFC 41 §The SERVER Socket Type; items N1 to N3): messages of one part, each with the number of its peer.
 */

import type { MessageLike, OutMessage } from "../../../base/message.js";
import type { Buffer } from "../../../base/platform.js";
import { random32 } from "../../../base/random.js";
import { type CallOptions, checkCallOptions } from "../../../base/turns.js";
import { defineOptions } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { numbered, PeerNumbers } from "../../../patterns/peer-numbers.js";
import { skipMultipart } from "../../../patterns/single-part.js";
import { DuplexSocket } from "../../directions.js";

const OPTIONS = optionsOf("SERVER");

/** Options of Server. */
export interface ServerOptions extends OptionsOf<"SERVER"> {}

/** Which peer a message is for. */
export interface ServerRoutingOptions {
  /** The peer's number, as it came with a message: 1 to 2^32-1. */
  readonly routingId: number;
}

/** A received message: its part, and who sent it. */
export type ServerMessage = [message: Buffer, from: ServerRoutingOptions];

/** Talks to peers by number: SERVER and PEER. */
export abstract class ServerBase extends DuplexSocket<
  ServerMessage,
  readonly [MessageLike, ServerRoutingOptions]
> {
  protected readonly numbers = new PeerNumbers(random32);

  /**
   * Send a message of one part to a peer. Rejects with EHOSTUNREACH for a peer that is not there, and waits for one
   * that is full (N3); else as Socket.send.
   * @throws TypeError for several parts or without a routingId, RangeError for one that is no number of a peer
   */
  override send(message: MessageLike, options: ServerRoutingOptions & CallOptions): Promise<void> {
    return super.send(address(message, options), options);
  }

  /** Send now or answer false; as send(). */
  override trySend(message: MessageLike, options?: ServerRoutingOptions): boolean {
    return super.trySend(address(message, options));
  }

  /** Send many messages, each with its peer, for one promise. */
  override sendMany(
    messages: Iterable<readonly [MessageLike, ServerRoutingOptions]>,
    options?: CallOptions,
  ): Promise<void> {
    checkCallOptions(options);
    return this.sender.sendMany(addressAll(messages), options);
  }

  protected override canSend(): boolean {
    return true; // one peer may be full; another is not
  }

  protected override route(message: OutMessage): boolean {
    return this.numbers.send(message);
  }

  protected override next(): ServerMessage | undefined {
    const message = this.inbound.next();
    return message && [message[0], { routingId: this.numbers.of(this.inbound.last as Pipe) }];
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = skipMultipart;
    this.numbers.add(pipe);
  }

  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    this.numbers.remove(pipe);
    this.sender.queue.drain(); // a send may have waited for this one
  }

  override get threadSafe(): boolean {
    return true;
  }
}

function address(message: MessageLike, options: ServerRoutingOptions | undefined): MessageLike[] {
  if (Array.isArray(message)) throw new TypeError("message must have one part"); // N1
  if (typeof options !== "object" || options === null) throw new TypeError("options must have a routingId");
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

export interface Server extends PropertiesOf<"SERVER"> {}

/** Answers Client sockets, each by its number. */
export class Server extends ServerBase {
  constructor(options?: ServerOptions) {
    super(12, "SERVER");
    this.applyOptions(options, OPTIONS);
    if (new.target === Server) Object.seal(this);
  }
}

defineOptions(Server, OPTIONS);
