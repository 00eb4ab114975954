/**
 * REP (RFC 28 §The REP Socket Type): one request at a time, in turn from all peers; the reply goes back the way the
 * request came (H13 to H16).
 */

import { ZmqError } from "../../base/errors.js";
import type { Message } from "../../base/message.js";
import type { CallOptions } from "../../base/turns.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { REPLY } from "../../patterns/strategies/reply.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("REP");

/**
 * Options of Reply. A REP's `routingId` is told to peers over inproc only (`peer.routingId` of events): on the wire
 * RFC 37 gives an Identity to REQ, DEALER and ROUTER alone (C11).
 */
export interface ReplyOptions extends OptionsOf<"REP"> {}

export interface Reply extends PropertiesOf<"REP"> {}

/** Answers requests of Request sockets, one after the other. */
export class Reply extends DuplexSocket {
  constructor(options?: ReplyOptions) {
    super(REPLY, options, OPTIONS);
    if (new.target === Reply) Object.seal(this);
  }

  /** The next request. Rejects with EFSM while a reply is owed (H15). */
  override receive(options?: CallOptions): Promise<Message> {
    const { strategy, receives, closed } = coreOf(this);
    if (!strategy.mayReceive && !closed && receives?.returned === 0)
      return Promise.reject(new ZmqError("EFSM"));
    return super.receive(options);
  }
}

defineOptions(Reply, OPTIONS);

/** @internal */
export { OPTIONS as REPLY_OPTIONS };
