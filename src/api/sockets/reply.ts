/**
 * REP (RFC 28 §The REP Socket Type): receives one request at a time, in turn from all peers. The reply goes to the peer
 * that sent the request (H13 to H16).
 */

import { ZmqError } from "../../base/errors.js";
import type { Message } from "../../base/message.js";
import type { CallOptions } from "../../base/waiting.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { REPLY } from "../../patterns/strategies/reply.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("REP");

/**
 * Options of Reply. Peers learn the `routingId` of a Reply over inproc only (`peer.routingId` of events), because on
 * the wire RFC 37 has an Identity for REQ, DEALER and ROUTER only (C11).
 */
export interface ReplyOptions extends OptionsOf<"REP"> {}

export interface Reply extends PropertiesOf<"REP"> {}

/** Answers the requests of Request and Dealer sockets, one after the other: receive(), then send(). */
export class Reply extends DuplexSocket {
  constructor(options?: ReplyOptions) {
    super(REPLY, options, OPTIONS);
    if (new.target === Reply) Object.seal(this);
  }

  /**
   * The next request. Rejects with EFSM if the last request has no reply yet (H15); otherwise as
   * ReadableSocket.receive.
   */
  override receive(options?: CallOptions): Promise<Message> {
    const { strategy, receives, closed } = coreOf(this);
    if (!strategy.mayReceive && !closed && receives?.returned === 0)
      return Promise.reject(new ZmqError("EFSM", { detail: "send() the reply to the last request first" }));
    return super.receive(options);
  }
}

defineOptions(Reply, OPTIONS);

/** @internal */
export { OPTIONS as REPLY_OPTIONS };
