/**
 * The entry "zwire/web/rpc": the client of "zwire/rpc" in a page. A page offers no service.
 */
import { Client } from "./rpc/client/client.js";
import type { ClientOptions, Remote, RemoteControl } from "./rpc/types.js";

export { Client } from "./rpc/client/client.js";
export type { MethodDescription, ParameterDescription, ServiceDescription } from "./rpc/client/introspect.js";
export * from "./rpc/errors.js";
export type * from "./rpc/types.js";

/**
 * A server's methods as those of an object: `const api = connect<Api>("wss://…"); await api.add(1, 2)`. Nobody need be
 * there yet: calls wait. Close it with `api.$close()` or `await using`.
 * @throws TypeError or RangeError for a wrong argument, ZmqError as Socket.connect
 */
export function connect<Api = unknown>(
  endpoints: string | readonly string[],
  options?: ClientOptions,
): Remote<Api> & RemoteControl<Client> {
  return new Client(endpoints, options).api<Api>();
}
