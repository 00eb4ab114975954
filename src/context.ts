/**
 * A context holds the inproc names that its sockets can see (R21). Sockets share the default one unless told
 * otherwise. The default context is one for all threads of the process; any other belongs to its thread.
 */
import { InprocRegistry } from "./session/inproc.js";

/** A set of inproc names, seen by the sockets that are given it, in one thread. */
export class Context {
  /** @internal names bound by sockets of this context, and connectors that wait for one */
  readonly inproc = new InprocRegistry();
}

/** The context that sockets use by default; its inproc names span the worker threads of the process. */
export const context: Context = new Context();
context.inproc.spanThreads();
