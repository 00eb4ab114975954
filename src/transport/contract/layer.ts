/**
 * What a scheme puts between tcp and the session. Addresses, look-ups, the proxy and the accept filter are tcp's.
 */
import type { EngineStream } from "./stream-engine.js";
import type { Stream, TransportOptions } from "./transport.js";

export interface Layer {
  readonly scheme: string;
  /** @throws ZmqError for options that it cannot honour, or that lack something */
  check(options: TransportOptions, role: "server" | "client"): void;
  /** For one listening endpoint: what is made of each accepted connection. `options` are read again for each. */
  accepting(options: TransportOptions): (stream: EngineStream) => Stream;
  /** What is made of a connection to `host`, which is a name or an address, as the endpoint has it. */
  connected(stream: EngineStream, host: string, options: TransportOptions): Stream;
}
