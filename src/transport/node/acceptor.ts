/**
 * Listening with `node:net`: an acceptor for a server, and two ways to make a server listen, synchronous and not.
 */
import net, { type Server } from "node:net";
import { getSystemErrorName } from "node:util";
import { ZmqError } from "../../base/errors.js";
import { type EngineAcceptor, formatHostPort } from "../contract/stream-engine.js";
import type { AcceptorHandler } from "../contract/transport.js";

/** An acceptor for a server of node:net that listens. */
export class NodeAcceptor implements EngineAcceptor {
  readonly #server: Server;
  readonly #path: string;

  /** @param path the path of an ipc server; "" over tcp, where the server itself has the address */
  constructor(server: Server, path: string, handler: AcceptorHandler) {
    this.#server = server;
    this.#path = path;
    server.on("error", (error) => handler.onError(error));
  }

  /** Calls `listen`, which makes the server listen. Resolves when it listens, and rejects if it cannot. */
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
    // Do not wait for the callback of close(): it comes when the last connection ends, but the address is free at once.
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

/** The handle of a listening socket inside node:net. It is undocumented, but the only way to listen synchronously. */
export interface ServerHandle {
  listen(backlog: number): number;
  close(): void;
}
type CreateServerHandle = (...args: unknown[]) => ServerHandle | number;

/**
 * Makes a handle that listens already when this returns.
 * @param where the arguments of node:net's internal function
 * @throws ZmqError with the system's code; ENOTSUP if this platform's node:net does not have that function
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
