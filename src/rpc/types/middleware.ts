/**
 * Hooks around calls.
 */
import type { CallContext, Headers } from "./service.js";

/** What a client's middleware sees of a call. */
export interface ClientRequest {
  readonly method: string;
  readonly args: readonly unknown[];
  /** To be added to, until the request is sent. */
  readonly headers: Record<string, unknown>;
}

/**
 * Hooks, named after those of zerorpc for Python. The server's may be async; the client's are called in the turn of the
 * call and may not. An error thrown before a call fails that call.
 */
export interface Middleware {
  /** Another endpoint for a name. */
  resolveEndpoint?(endpoint: string): string;
  /** Headers of a request that came. */
  loadTaskContext?(headers: Headers): void;
  /** Headers to add to a request that goes out. */
  getTaskContext?(): Headers;
  /** Before the handler; throw to refuse the call. */
  serverBeforeExec?(call: CallContext): void | Promise<void>;
  /** Around the handler and everything else of the server: returns what `next()` resolves to, or something else. */
  serverExec?(call: CallContext, next: () => Promise<unknown>): Promise<unknown>;
  /** After a handler that returned; for a stream, after its end. */
  serverAfterExec?(call: CallContext, result: unknown): void | Promise<void>;
  /** After a handler that threw, also in the middle of a stream. Throw another error to answer with that. */
  serverInspectException?(call: CallContext, error: unknown): void | Promise<void>;
  clientBeforeRequest?(request: ClientRequest): void;
  /** After the answer, or the first item of a stream. `error` is null unless the call failed. */
  clientAfterRequest?(request: ClientRequest, result: unknown, error: unknown): void;
  /** Another error in place of one that a server sent. */
  clientHandleRemoteError?(request: ClientRequest, error: Error): Error;
}
