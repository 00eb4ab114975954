/**
 * Endpoints on an HTTP server that the program has made: its requests for WebSockets on the paths of bound sockets become
 * theirs, and all others stay the program's. Other listeners do not get ours: many of them, such as the server of the
 * package ws, refuse every path but their own. A listener cannot keep an event from the others, so the server's `emit` is
 * ours while something is bound.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ZmqError } from "../../base/errors.js";
import type { HttpEndpoint } from "../contract/http-server.js";
import { formatHostPort } from "../contract/stream-engine.js";
import type {
  Acceptor,
  AcceptorHandler,
  Stream,
  Transport,
  TransportOptions,
} from "../contract/transport.js";
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
  /** Endpoints by their paths, as they were when they were bound: the server may have stopped to listen since. */
  readonly #names = new Map<string, string>();
  /** For what nobody takes. Without a listener Node.js would hand out no such request at all. */
  readonly #upgrade = (_request: IncomingMessage, socket: Socket): void => {
    if (this.#server.listenerCount("upgrade") > 1) return;
    const { stream, relay } = streamOver(socket);
    refuse(stream, relay, { status: 404, text: "no socket is bound to this path" }, undefined);
  };
  /** The server's own `emit`, if somebody else had set one; and ours in its place. */
  #theirs: PropertyDescriptor | undefined;
  readonly #ours = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event === "upgrade" && this.#take(...(values as [IncomingMessage, Socket, Buffer]))) return true;
    const emit = this.#theirs?.value ?? Object.getPrototypeOf(this.#server).emit;
    return emit.call(this.#server, event, ...values);
  };

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
    const name = `${this.scheme}://${addressOf(this.#server)}${path}`;
    if (this.#bound.size === 0) {
      this.#server.on("upgrade", this.#upgrade);
      this.#intercept();
    }
    this.#bound.set(path, bound);
    this.#names.set(path, name);
    return {
      address: name,
      close: async () => this.#remove(bound),
      // The server keeps the process alive, or not.
      ref() {},
      unref() {},
    };
  }

  #remove(bound: Bound): void {
    if (this.#bound.get(bound.path) !== bound) return;
    this.#bound.delete(bound.path);
    this.#names.delete(bound.path);
    if (this.#bound.size > 0) return;
    this.#server.off("upgrade", this.#upgrade);
    this.#release();
  }

  #intercept(): void {
    const present = Object.getOwnPropertyDescriptor(this.#server, "emit");
    if (this.#ours === present?.value) return;
    this.#theirs = present;
    Object.defineProperty(this.#server, "emit", { value: this.#ours, writable: true, configurable: true });
  }

  /** Gives `emit` back, unless somebody has set another one since, which calls ours. */
  #release(): void {
    if (Object.getOwnPropertyDescriptor(this.#server, "emit")?.value !== this.#ours) return;
    if (this.#theirs === undefined) Reflect.deleteProperty(this.#server, "emit");
    else Object.defineProperty(this.#server, "emit", this.#theirs);
    this.#theirs = undefined;
  }

  /** The endpoint of a path; undefined if nothing is bound to it. */
  nameOf(path: string): string | undefined {
    return this.#names.get(path);
  }

  /** Whether the request is for a bound socket, which then has it. */
  #take(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    const target = request.url ?? "/";
    const bound = endpointFor(this.#bound, target);
    if (bound === undefined) return false;
    const { stream, relay } = streamOver(socket);
    answer(this.scheme, stream, relay, { target, headers: headersOf(request) }, bound, head);
    return true;
  }
}

/** A connection of the server, which has told of it and reads no further. */
function streamOver(socket: Socket): { stream: Stream; relay: Relay } {
  socket.setTimeout(0);
  socket.setNoDelay(true);
  const stream = tcpStream(socket);
  const relay = new Relay(
    { onBytes() {}, onFrames() {}, onLargeFrame() {}, onDrain() {}, onClose() {} },
    true,
  );
  stream.start(relay);
  stream.pause();
  return { stream, relay };
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

/** @throws TypeError for what is not a server, or a path that is not a string */
function checked(call: string, { server, path = "/" }: HttpEndpoint): { server: Server; path: string } {
  if (typeof server?.on !== "function" || typeof server.address !== "function")
    throw new TypeError(`${call}: server must be a server of node:http or node:https`);
  if (typeof path !== "string") throw new TypeError(`${call}: path must be a string; got ${typeof path}`);
  return { server, path };
}

/** @throws TypeError as checked; ZmqError EINVAL for a server that does not listen */
export function attachTo(endpoint: HttpEndpoint): {
  scheme: string;
  endpoint: string;
  address: string;
  transport: Transport;
} {
  const { server, path } = checked("bind", endpoint);
  const transport = new AttachedTransport(server);
  const { scheme } = transport;
  return { scheme, endpoint: `${scheme}://${addressOf(server)}${path}`, address: path, transport };
}

/**
 * The endpoint that bind() gave for a path of a server, whether the server still listens or not.
 * @throws TypeError as checked; ZmqError ENOENT if nothing is bound there
 */
export function attachedName(endpoint: HttpEndpoint): string {
  const { server, path } = checked("unbind", endpoint);
  const name = attached.get(server)?.nameOf(path);
  if (name === undefined)
    throw new ZmqError("ENOENT", { detail: `no socket is bound to the path ${path} of this server` });
  return name;
}
