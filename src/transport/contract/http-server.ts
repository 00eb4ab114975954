/** An HTTP server of the program, as a place to bind to. */
import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";

/** A path of an HTTP server that the program has, for `bind`. */
export interface HttpEndpoint {
  /**
   * A server of node:http or node:https that listens; express, fastify and others have one. Its other requests, and its other
   * WebSockets, are not touched, and unbind and close leave it open.
   */
  readonly server: Server | SecureServer;
  /** Default "/". */
  readonly path?: string;
}
