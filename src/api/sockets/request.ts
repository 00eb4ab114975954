/**
 * REQ (RFC 28 §The REQ Socket Type): a request to the next peer in turn, then its reply (H1 to H12). `request()`
 * does both in one call and can be called many times at once.
 */

import { ZmqError } from "../../base/errors.js";
import type { Message } from "../../base/message.js";
import { type CallOptions, checkCallOptions } from "../../base/turns.js";
import type { Sendable, Sender } from "../../core/sender.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { REQUEST, type RequestStrategy } from "../../patterns/strategies/request.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("REQ");

/** Options of Request. */
export interface RequestOptions extends OptionsOf<"REQ"> {}

export interface Request extends PropertiesOf<"REQ"> {}

/** Asks Reply sockets, one request and one reply at a time. */
export class Request extends DuplexSocket {
  constructor(options?: RequestOptions) {
    super(REQUEST, options, OPTIONS);
    if (new.target === Request) Object.seal(this);
  }

  /**
   * Send a request and wait for its reply. Calls made at once go one after the other. `timeout` covers sending and
   * waiting. A request that times out or is aborted is abandoned: unless `correlate` is set, its connection is
   * dropped and made anew, so that a late reply cannot be taken for the answer to another request.
   */
  request(message: Sendable, options?: CallOptions): Promise<Message> {
    checkCallOptions(options);
    const { strategy, sender } = coreOf<RequestStrategy>(this);
    return strategy.request((sender as Sender).prepare(message), options);
  }

  /** The reply. Rejects with EFSM when no request has been sent (H2). */
  override receive(options?: CallOptions): Promise<Message> {
    if (options !== undefined) checkCallOptions(options);
    const { strategy, receives, sender, closed } = coreOf<RequestStrategy>(this);
    const nothingDue = strategy.idle && receives?.returned === 0 && sender?.queue.length === 0;
    if (nothingDue && !closed) return Promise.reject(new ZmqError("EFSM"));
    return super.receive(options);
  }
}

defineOptions(Request, OPTIONS);

/** @internal */
export { OPTIONS as REQUEST_OPTIONS };
