/**
 * Listening with `node:net`: an acceptor over a server, and how a server begins to listen, now or later.
 */
import net, { type Server } from "node:net";
import { getSystemErrorName } from "node:util";
import { ZmqError } from "../../base/errors.js";
import { type EngineAcceptor, formatHostPort } from "../contract/stream-engine.js";
import type { AcceptorHandler } from "../contract/transport.js";

/** A server of node:net that listens. */
export class NodeAcceptor implements EngineAcceptor {
  readonly #server: Server;
  readonly #path: string;

  /** @param path where it listens; "" over tcp, where the server knows */
  constructor(server: Server, path: string, handler: AcceptorHandler) {
    this.#server = server;
    this.#path = path;
    server.on("error", (error) => handler.onError(error));
  }

  /** Resolves when the server listens, rejects when it cannot. `listen` makes it begin. */
  static whenListening(
    server: Server,
    path: string,
    handler: AcceptorHandler,
    listen: () => void,
  ): Promise<NodeAcceptor> {
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", () => {
        server.off("error", reject);
        resolve(new NodeAcceptor(server, path, handler));
      });
      listen();
    });
  }

  get address(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) return this.#path;
    return formatHostPort(address.address, address.port);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  close(): Promise<void> {
    // The callback of close() comes when the last connection ends; the address is free at once.
    this.#server.close();
    return Promise.resolve();
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }
}

/** What node:net makes its listening sockets with. It is undocumented, and nothing else listens at once. */
export interface ServerHandle {
  listen(backlog: number): number;
  close(): void;
}
type CreateServerHandle = (...args: unknown[]) => ServerHandle | number;

/**
 * A handle that listens already.
 * @param where the arguments of node:net's own function
 * @throws ZmqError with the code that the system gives; ENOTSUP where node:net has no such function
 */
export function listenNow(backlog: number, ...where: unknown[]): ServerHandle {
  const create = (net as unknown as { _createServerHandle?: CreateServerHandle })._createServerHandle;
  if (typeof create !== "function") {
    throw new ZmqError("ENOTSUP", { detail: "this platform's node:net cannot bind at once: use bind()" });
  }
  const handle = create(...where);
  const status = typeof handle === "number" ? handle : handle.listen(backlog);
  if (status >= 0) return handle as ServerHandle;
  if (typeof handle !== "number") handle.close();
  throw new ZmqError(getSystemErrorName(status));
}
