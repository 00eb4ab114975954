/**
 * A context holds the inproc names that its sockets can see (R21). Sockets share the default one unless told
 * otherwise.
 */
import { InprocRegistry } from "./session/inproc.js";

export class Context {
  /** @internal names bound by sockets of this context, and connectors that wait for one */
  readonly inproc = new InprocRegistry();
}

/** The context that sockets use by default. */
export const context: Context = new Context();
