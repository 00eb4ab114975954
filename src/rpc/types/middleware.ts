/**
 * Hooks around calls.
 */
import type { CallContext, Headers } from "./service.js";

/** What a client's middleware sees of a call. */
export interface ClientRequest {
  readonly method: string;
  readonly args: readonly unknown[];
  /** Hooks may add to these until the request is sent. */
  readonly headers: Record<string, unknown>;
}

/**
 * Hooks, named after those of zerorpc for Python. Hooks of a server may be async; those of a client run while the method
 * is called, and may not. A hook that throws before a call makes the call fail.
 */
export interface Middleware {
  /** Returns the endpoint for a name. */
  resolveEndpoint?(endpoint: string): string;
  /** Gets the headers of a request that came. */
  loadTaskContext?(headers: Headers): void;
  /** Returns headers to add to a request that goes out. */
  getTaskContext?(): Headers;
  /** Runs before the handler. Throw to refuse the call. */
  serverBeforeExec?(call: CallContext): void | Promise<void>;
  /** Runs around the handler. Returns what `next()` resolves to, or something else. */
  serverExec?(call: CallContext, next: () => Promise<unknown>): Promise<unknown>;
  /** Runs after the handler has returned, or its stream has ended. */
  serverAfterExec?(call: CallContext, result: unknown): void | Promise<void>;
  /** Runs after the handler has thrown, in the middle of a stream too. Throw another error to answer with that. */
  serverInspectException?(call: CallContext, error: unknown): void | Promise<void>;
  clientBeforeRequest?(request: ClientRequest): void;
  /** Runs after the answer, or after the first item of a stream. `error` is null unless the call failed. */
  clientAfterRequest?(request: ClientRequest, result: unknown, error: unknown): void;
  /** Returns the error to reject with, in place of the one that the server sent. */
  clientHandleRemoteError?(request: ClientRequest, error: Error): Error;
}
