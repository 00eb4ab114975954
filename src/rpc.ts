/**
 * The entry "zwire/rpc": calls between processes, wire-compatible with zerorpc 3, so that the other side may be a
 * zerorpc program in Python. Exports, and nothing else.
 */
import type {
  CallContext,
  CallOptions,
  Cancellable,
  ClientOptions,
  ClientStats,
  Method,
  MethodOptions,
  Remote,
  RemoteControl,
  RpcStream,
  ServeOptions,
  ServerCloseOptions,
  ServerStats,
  Service,
} from "./rpc/types.js";

export * from "./rpc/errors.js";
export type * from "./rpc/types.js";

/** A running server. */
export declare class Server {
  /** Actual endpoints. */
  readonly endpoints: readonly string[];
  readonly stats: ServerStats;
  close(options?: ServerCloseOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Calls methods of servers. */
export declare class Client {
  constructor(endpoints: string | readonly string[], options?: ClientOptions);
  readonly stats: ClientStats;
  call<T = unknown>(name: string, args?: readonly unknown[], options?: CallOptions): Promise<T> & Cancellable;
  stream<T = unknown>(name: string, args?: readonly unknown[], options?: CallOptions): RpcStream<T>;
  api<Api = unknown>(options?: CallOptions): Remote<Api> & RemoteControl<Client>;
  ping(options?: CallOptions): Promise<string>;
  list(options?: CallOptions): Promise<string[]>;
  help(method: string, options?: CallOptions): Promise<string | null>;
  inspect(options?: CallOptions): Promise<unknown>;
  connected(options?: { timeout?: number; signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Offer a service; resolves when the endpoints are bound. */
export declare function serve(
  endpoints: string | readonly string[],
  service: Service,
  options?: ServeOptions,
): Promise<Server>;

/** A client's typed proxy: `const api = connect<Api>("tcp://…"); await api.add(1, 2)`. */
export declare function connect<Api>(
  endpoints: string | readonly string[],
  options?: ClientOptions,
): Remote<Api> & RemoteControl<Client>;

/** A handler that is given its call's context as first parameter; the client does not see that parameter. */
export declare function method<A extends unknown[], R>(
  handler: (call: CallContext, ...args: A) => R,
  options?: MethodOptions,
): Method<A, R>;
