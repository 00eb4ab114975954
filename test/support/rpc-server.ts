/**
 * A server of zwire/rpc joined to a client whose bytes are written by hand.
 */
import { method } from "../../src/rpc.js";
import { ScriptedClient, serving } from "./rpc-peers.js";

const service = {
  add: (a: number, b = 0) => a + b,
  echo: (value: unknown) => value,
  *count(n: number) {
    for (let i = 0; i < n; i++) yield i;
  },
  *failing(n: number) {
    for (let i = 0; i < n; i++) yield i;
    throw new RangeError("enough");
  },
  fail: () => {
    throw new TypeError("it's wrong");
  },
  empty: () => {},
  headers: method((call) => call.headers),
  hidden: { _secret: () => 1, open: () => 2 },
};

/** A server with methods of each kind, and its client. */
export async function joined(options = {}) {
  const server = await serving(service, options);
  return { server, client: new ScriptedClient(server.endpoint) };
}
