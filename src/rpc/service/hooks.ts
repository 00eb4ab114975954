/**
 * A server's middleware: the hooks around a handler, in order.
 */

import type { Middleware } from "../types.js";
import type { RequestContext } from "./context.js";
import type { ServedMethod } from "./service.js";

export class Hooks {
  readonly #middleware: readonly Middleware[];
  /** Whether there is any hook for servers. */
  readonly any: boolean;

  constructor(middleware: readonly Middleware[]) {
    this.#middleware = middleware;
    this.any = middleware.some(
      (one) =>
        one.loadTaskContext ??
        one.serverBeforeExec ??
        one.serverExec ??
        one.serverAfterExec ??
        one.serverInspectException,
    );
  }

  /** Calls the handler. */
  execute(call: RequestContext, method: ServedMethod): unknown {
    return this.any ? this.#executeWithin(call, method) : method.invoke(call, call.args);
  }

  async #executeWithin(call: RequestContext, method: ServedMethod): Promise<unknown> {
    for (const one of this.#middleware) one.loadTaskContext?.(call.headers);
    for (const one of this.#middleware) await one.serverBeforeExec?.(call);
    let next = async (): Promise<unknown> => method.invoke(call, call.args);
    for (const one of [...this.#middleware].reverse()) {
      const inner = next;
      if (one.serverExec !== undefined) next = async () => one.serverExec?.(call, inner);
    }
    return next();
  }

  /** Runs the hooks after a handler has returned, or its stream has ended. */
  async after(call: RequestContext, result: unknown): Promise<void> {
    for (const one of this.#middleware) await one.serverAfterExec?.(call, result);
  }

  /** Runs the hooks after a handler has thrown. Resolves to the error to answer with. */
  async inspect(call: RequestContext, thrown: unknown): Promise<unknown> {
    let error = thrown;
    for (const one of this.#middleware) {
      try {
        await one.serverInspectException?.(call, error);
      } catch (other) {
        error = other;
      }
    }
    return error;
  }
}
