/**
 * REQ (RFC 28 §The REQ Socket Type): sends a request to the next peer in turn, then receives its reply (H1 to H12).
 * `request()` does both in one call, and may be called many times at once.
 */

import { ZmqError } from "../../base/errors.js";
import { type Message, normaliseMessage } from "../../base/message.js";
import {
  type CallOptions,
  checkCallOptions,
  checkRequestOptions,
  type RequestCallOptions,
} from "../../base/waiting.js";
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

/** Sends requests to Reply and Router sockets, and receives one reply to each. */
export class Request extends DuplexSocket {
  constructor(options?: RequestOptions) {
    super(REQUEST, options, OPTIONS);
    if (new.target === Request) Object.seal(this);
  }

  /**
   * Sends a request and waits for its reply. Several calls at once are served one after the other. `timeout` is for
   * sending and waiting together. A request that times out or is aborted is given up. Unless `correlate` is set, its
   * connection is then closed and made again, so that a late reply cannot be taken for the reply to another request.
   *
   * With `retries` it is sent again after each `timeout` (default: `receiveTimeout`), to the next peer in turn, so many times at most;
   * a peer may get it more than once. Do not change the message's buffers before the call ends. A call that waits for
   * others has as much less time for its tries: it never takes longer than all of them.
   *
   * Rejects with EAGAIN on timeout (the text says how often and for how long it tried, and what failed last), with the
   * signal's reason on abort, and with EBADF when the socket closes.
   * @throws TypeError or RangeError for a wrong message or option, or `retries` without a time limit
   */
  request(message: Sendable, options?: RequestCallOptions): Promise<Message> {
    const { strategy, sender, options: values } = coreOf<RequestStrategy>(this);
    checkRequestOptions(options, values.receiveTimeout, this.request);
    const call =
      options?.retries && options.timeout === undefined
        ? { ...options, timeout: values.receiveTimeout }
        : options;
    return strategy.request(normaliseMessage(message, (sender as Sender).limits), call);
  }

  /** The reply. Rejects with EFSM if no request has been sent (H2); otherwise as ReadableSocket.receive. */
  override receive(options?: CallOptions): Promise<Message> {
    if (options !== undefined) checkCallOptions(options, this.receive);
    const { strategy, receives, sender, closed } = coreOf<RequestStrategy>(this);
    const nothingDue = strategy.idle && receives?.returned === 0 && sender?.queue.length === 0;
    if (nothingDue && !closed) {
      return Promise.reject(new ZmqError("EFSM", { detail: "there is no request: send() one first" }));
    }
    return super.receive(options);
  }
}

defineOptions(Request, OPTIONS);

/** @internal */
export { OPTIONS as REQUEST_OPTIONS };
