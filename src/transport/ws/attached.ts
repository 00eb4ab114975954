/**
 * Endpoints on an HTTP server that the program has made: its requests for WebSockets on the paths of bound sockets become
 * theirs, and all others stay the program's.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ZmqError } from "../../base/errors.js";
import type { HttpEndpoint } from "../contract/http-server.js";
import { formatHostPort } from "../contract/stream-engine.js";
import type { Acceptor, AcceptorHandler, Transport, TransportOptions } from "../contract/transport.js";
import { tcpStream } from "../node/engine.js";
import { answer, refuse } from "./guest.js";
import type { Headers } from "./http.js";
import { Relay } from "./relay.js";
import { type Bound, endpointFor } from "./upgrade.js";

type Server = HttpEndpoint["server"];

/** The endpoints of one server. */
class Attached {
  readonly scheme: "ws" | "wss";
  readonly #server: Server;
  readonly #bound = new Map<string, Bound>();
  readonly #upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void =>
    this.#asked(request, socket, head);

  constructor(server: Server) {
    this.#server = server;
    // Only servers of node:tls, and so of node:https, have it.
    this.scheme = "setSecureContext" in server ? "wss" : "ws";
  }

  add(bound: Bound): Acceptor {
    const { path } = bound;
    if (this.#bound.has(path)) {
      throw new ZmqError("EADDRINUSE", { detail: `a socket is bound to the path ${path} of this server` });
    }
    if (this.#bound.size === 0) this.#server.on("upgrade", this.#upgrade);
    this.#bound.set(path, bound);
    return {
      address: `${this.scheme}://${addressOf(this.#server)}${path}`,
      close: async () => this.#remove(bound),
      // The server keeps the process alive, or not.
      ref() {},
      unref() {},
    };
  }

  #remove(bound: Bound): void {
    if (this.#bound.get(bound.path) === bound) this.#bound.delete(bound.path);
    if (this.#bound.size === 0) this.#server.off("upgrade", this.#upgrade);
  }

  #asked(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const target = request.url ?? "/";
    const bound = endpointFor(this.#bound, target);
    // Node.js leaves requests for which there is a listener to the listeners: nobody else would answer.
    const others = this.#server.listenerCount("upgrade") > 1;
    if (bound === undefined && others) return;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    const stream = tcpStream(socket);
    const relay = new Relay({ onBytes() {}, onFrames() {}, onLargeFrame() {}, onDrain() {}, onClose() {} });
    stream.start(relay);
    stream.pause();
    const asked = { target, headers: headersOf(request) };
    if (bound !== undefined) answer(this.scheme, stream, relay, asked, bound, head);
    else refuse(stream, relay, { status: 404, text: "no socket is bound to this path" }, undefined);
  }
}

const attached = new WeakMap<Server, Attached>();

/** @throws ZmqError EINVAL for a server that does not listen, or not on a port */
function addressOf(server: Server): string {
  const address = server.address();
  if (address === null) {
    throw new ZmqError("EINVAL", { detail: "the server does not listen yet: wait for its event listening" });
  }
  if (typeof address === "string") {
    throw new ZmqError("EINVAL", { detail: "the server listens on a path, and not on a port" });
  }
  return formatHostPort(address.address, address.port);
}

function headersOf(request: IncomingMessage): Headers {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

/** Binds to a server. What is asked for is the path. */
class AttachedTransport implements Transport {
  readonly #attached: Attached;

  constructor(server: Server) {
    this.#attached = attached.get(server) ?? new Attached(server);
    attached.set(server, this.#attached);
  }

  get scheme(): string {
    return this.#attached.scheme;
  }

  checkBind(path: string): void {
    if (!/^\/[!"$-;=@-~]*$/.test(path)) {
      throw new ZmqError("EINVAL", { detail: `path must begin with / and have no query; got "${path}"` });
    }
  }

  checkConnect(): void {
    throw new ZmqError("EINVAL", { detail: "a server can be bound to, and not connected to" });
  }

  listenSync(path: string, options: TransportOptions, handler: AcceptorHandler): Acceptor {
    return this.#attached.add({ path, options, handler });
  }

  async listen(path: string, options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    return this.listenSync(path, options, handler);
  }

  async connect(): Promise<never> {
    return this.checkConnect() as never;
  }
}

/** @throws TypeError for what is not a server, or a path that is not a string; ZmqError EINVAL for a server that does not listen */
export function attachTo({ server, path = "/" }: HttpEndpoint): {
  scheme: string;
  endpoint: string;
  address: string;
  transport: Transport;
} {
  if (typeof server?.on !== "function" || typeof server.address !== "function")
    throw new TypeError("bind: server must be a server of node:http or node:https");
  if (typeof path !== "string") throw new TypeError(`bind: path must be a string; got ${typeof path}`);
  const transport = new AttachedTransport(server);
  const { scheme } = transport;
  return { scheme, endpoint: `${scheme}://${addressOf(server)}${path}`, address: path, transport };
}
