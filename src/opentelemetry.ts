/**
 * Every public export of "zwire/opentelemetry", and nothing else. It needs the package @opentelemetry/api, an optional peer.
 */

export { contextOf, traceMessages } from "./tracing/messages.js";
export { type RpcTracingOptions, rpcTracing } from "./tracing/rpc.js";
