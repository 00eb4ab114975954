/**
 * REP (RFC 28 §The REP Socket Type): one request at a time, in turn from all peers; the reply goes back the way the
 * request came (H13 to H16).
 */

import { ZmqError } from "../../base/errors.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { CallOptions } from "../../base/turns.js";
import { defineOptions, type SocketStats } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { unwrap, wrap } from "../../patterns/envelope.js";
import { DuplexSocket } from "../directions.js";
import { overflowOf } from "./full-peer.js";

const OPTIONS = optionsOf("REP");

/**
 * Options of Reply. A REP's `routingId` is told to peers over inproc only (`peer.routingId` of events): on the wire
 * RFC 37 gives an Identity to REQ, DEALER and ROUTER alone (C11).
 */
export interface ReplyOptions extends OptionsOf<"REP"> {}

export interface Reply extends PropertiesOf<"REP"> {}

/** Where the reply to the request in hand goes. */
interface Owed {
  pipe: Pipe;
  address: Message;
}

/** Answers requests of Request sockets, one after the other. */
export class Reply extends DuplexSocket {
  #owed: Owed | null = null;
  readonly #overflow = overflowOf(this);
  /** Replies to requesters that were not there any more. */
  #left = 0;

  constructor(options?: ReplyOptions) {
    super(4, "REP");
    this.applyOptions(options, OPTIONS);
    if (new.target === Reply) Object.seal(this);
  }

  /** The next request. Rejects with EFSM while a reply is owed (H15). */
  override receive(options?: CallOptions): Promise<Message> {
    if (this.#owed !== null && !this.closed && this.receives.returned === 0)
      return Promise.reject(new ZmqError("EFSM"));
    return super.receive(options);
  }

  protected override next(): Message | undefined {
    if (this.#owed !== null) return undefined;
    for (let message = this.inbound.next(); message !== undefined; message = this.inbound.next()) {
      const parts = unwrap(message);
      if (parts === undefined) continue; // H14
      this.#owed = { pipe: this.inbound.last as Pipe, address: parts.address };
      return parts.body;
    }
    return undefined;
  }

  protected override canSend(): boolean {
    return this.#owed !== null; // H17
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.givenUp + this.#left + this.#overflow.dropped };
  }

  protected override canReceive(): boolean {
    return this.#owed === null && this.unread() > 0;
  }

  protected override route(message: OutMessage): boolean {
    const owed = this.#owed;
    if (owed === null) throw new ZmqError("EFSM"); // H15
    this.#owed = null;
    // H16: a requester that left or is full loses its reply; we never block.
    const reply = wrap(owed.address, message);
    if (!this.pipes.has(owed.pipe)) this.#left++;
    else if (!owed.pipe.trySend(reply)) this.#overflow.refused(owed.pipe, reply);
    this.receives.serve();
    return true;
  }
}

defineOptions(Reply, OPTIONS);
