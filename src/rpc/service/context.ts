/**
 * What handlers and middleware see of a call on the server.
 */

import type { CallContext, CallPeer, Headers } from "../types.js";
import { otherHeaders, type RpcEvent } from "../wire/event.js";

export class RequestContext implements CallContext {
  readonly method: string;
  readonly args: unknown[];
  readonly peer: CallPeer;
  readonly deadline: number;
  readonly #header: RpcEvent["header"];
  #headers: Headers | null = null;
  #state: Map<unknown, unknown> | null = null;
  // Made when first read: most handlers never do.
  #controller: AbortController | null = null;
  #aborted: { reason: unknown } | null = null;

  constructor(method: string, args: unknown[], peer: CallPeer, deadline: number, header: RpcEvent["header"]) {
    this.method = method;
    this.args = args;
    this.peer = peer;
    this.deadline = deadline;
    this.#header = header;
  }

  get headers(): Headers {
    this.#headers ??= otherHeaders(this.#header);
    return this.#headers;
  }

  get state(): Map<unknown, unknown> {
    this.#state ??= new Map();
    return this.#state;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted !== null) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Tells the handler that nobody waits for the answer any more. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }
}
