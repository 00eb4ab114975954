/**
 * The entry "zwire/rpc": calls between processes, wire-compatible with zerorpc 3, so that the other side may be a
 * zerorpc program in Python. Exports, and the two functions that one begins with.
 */
import type { HttpEndpoint } from "./index.js";
import { Client } from "./rpc/client/client.js";
import { Server } from "./rpc/server/server.js";
import type { ClientOptions, Remote, RemoteControl, ServeOptions, Service } from "./rpc/types.js";

export { Client } from "./rpc/client/client.js";
export type { MethodDescription, ParameterDescription, ServiceDescription } from "./rpc/client/introspect.js";
export * from "./rpc/errors.js";
export {
  type EmitOptions,
  type EmitterOptions,
  type HandlerOptions,
  type HandlerStats,
  Publisher,
  Puller,
  Pusher,
  Subscriber,
} from "./rpc/one-way.js";
export { PythonError, type PythonErrorCode } from "./rpc/python/command.js";
export type { PythonExit, PythonOptions, PythonRestart, PythonWorker } from "./rpc/python/options.js";
export { PythonPool } from "./rpc/python/pool.js";
export { spawnPython } from "./rpc/python/spawn-python.js";
export { Server } from "./rpc/server/server.js";
export { method } from "./rpc/service/service.js";
export type * from "./rpc/types.js";

/**
 * Offer a service, on endpoints or on a path of an HTTP server that the program has. Resolves when they are bound;
 * `server.endpoint` has the actual port.
 * Rejects with a TypeError or RangeError for a wrong argument, with a ZmqError as Socket.bind.
 */
export async function serve(
  endpoints: string | HttpEndpoint | readonly (string | HttpEndpoint)[],
  service: Service,
  options?: ServeOptions,
): Promise<Server> {
  const list = isOne(endpoints) ? [endpoints] : endpoints;
  if (!Array.isArray(list) || list.length === 0) {
    throw new TypeError("endpoints must be a string, { server, path }, or a non-empty array of these");
  }
  const server = new Server(service, options);
  await server.open(list);
  return server;
}

/**
 * A server's methods as those of an object: `const api = connect<Api>("tcp://…"); await api.add(1, 2)`. Nobody need be
 * there yet: calls wait. Close it with `api.$close()` or `await using`.
 * @throws TypeError or RangeError for a wrong argument, ZmqError as Socket.connect
 */
export function connect<Api = unknown>(
  endpoints: string | readonly string[],
  options?: ClientOptions,
): Remote<Api> & RemoteControl<Client> {
  return new Client(endpoints, options).api<Api>();
}

function isOne(endpoints: unknown): endpoints is string | HttpEndpoint {
  return (
    typeof endpoints === "string" ||
    (typeof endpoints === "object" && endpoints !== null && "server" in endpoints)
  );
}
