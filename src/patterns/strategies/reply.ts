/**
 * REP (RFC 28 §The REP Socket Type): one request at a time, in turn from all peers; the reply goes back the way the
 * request came (H13 to H16).
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Pipe } from "../../engine/pipe.js";
import { unwrap, wrap } from "../envelope.js";
import { overflowOf } from "../full-peer.js";
import { type Receiving, type Sending, type SocketType, Strategy } from "../strategy.js";

/** The receiver of the reply to the current request. */
interface Owed {
  pipe: Pipe;
  address: Message;
  /** Who asked: the pipe of a dialled endpoint may have another connection by now. */
  peer: Peer | undefined;
}

/** A REQ takes answers from the connection that it asked on. On another one, this would be taken for that to another request. */
function isLost({ pipe, peer }: Owed): boolean {
  return peer !== pipe.peer && peer?.socketType === "REQ";
}

export class ReplyStrategy extends Strategy implements Sending, Receiving {
  #owed: Owed | null = null;
  readonly #overflow = overflowOf(this.host);
  /** Number of replies whose requester had left. */
  #left = 0;

  next(): Message | undefined {
    if (this.#owed !== null) return undefined;
    const { inbound } = this.host;
    for (let message = inbound.next(); message !== undefined; message = inbound.next()) {
      const parts = unwrap(message);
      if (parts === undefined) continue; // H14
      this.#owed = { pipe: inbound.last as Pipe, address: parts.address, peer: inbound.sender };
      return parts.body;
    }
    return undefined;
  }

  override get mayReceive(): boolean {
    return this.#owed === null; // H15
  }

  override get owes(): boolean {
    return this.#owed !== null && this.#reachable(this.#owed);
  }

  /** Whether the requester is still there. */
  #reachable(owed: Owed): boolean {
    return this.host.pipes.has(owed.pipe) && !isLost(owed);
  }

  get canSend(): boolean {
    return this.#owed !== null; // H17
  }

  send(message: OutMessage): boolean {
    const owed = this.#owed;
    if (owed === null)
      throw new ZmqError("EFSM", { detail: "there is no request to answer: receive() one first" }); // H15
    this.#owed = null;
    // H16: the reply is dropped if the requester left or is full; a REP never blocks.
    const reply = wrap(owed.address, message);
    if (!this.#reachable(owed)) this.#left++;
    else if (!owed.pipe.trySend(reply)) this.#overflow.refused(owed.pipe, reply);
    this.#overflow.settle();
    this.host.serveReceives();
    return true;
  }

  override get dropped(): number {
    return this.#left + this.#overflow.dropped;
  }
}

export const REPLY: SocketType<ReplyStrategy> = { number: 4, name: "REP", strategy: ReplyStrategy };
