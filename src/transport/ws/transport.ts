/**
 * ws and wss endpoints (section X of docs/conformance.md): `host:port/path`. What is below the WebSocket is the transport
 * of another scheme, with all its forms of addresses and options.
 */
import { ZmqError } from "../../base/errors.js";
import type {
  Acceptor,
  AcceptorHandler,
  HostNames,
  Stream,
  Transport,
  TransportOptions,
} from "../contract/transport.js";
import { BadRequest, openWebSocket } from "./client.js";
import { Port } from "./port.js";
import type { Bound } from "./upgrade.js";

interface Address {
  /** Host and port, for the transport below. */
  readonly below: string;
  /** With the query, if there is one. */
  readonly path: string;
}

export class WebSocketTransport implements Transport {
  readonly framed = true;
  readonly #scheme: string;
  readonly #below: Transport;
  /** Ports that listen, or are about to, by host and port: as they were given, and as they are. */
  readonly #ports = new Map<string, Opened>();

  constructor(scheme: "ws" | "wss", below: Transport) {
    this.#scheme = scheme;
    this.#below = below;
  }

  #parse(address: string): Address {
    const slash = address.indexOf("/");
    const path = slash < 0 ? "/" : address.slice(slash);
    if (!/^\/[!"$-;=?-~]*$/.test(path))
      throw this.#invalid(address, `"${path}" is not a path: only printable ASCII, without # < > and spaces`);
    return { below: slash < 0 ? address : address.slice(0, slash), path };
  }

  #invalid(address: string, detail: string): ZmqError {
    return new ZmqError("EINVAL", { address: `${this.#scheme}://${address}`, detail });
  }

  /** Calls the transport below, whose errors then name our endpoint. */
  #check(address: string, call: (below: string) => void): void {
    try {
      call(this.#parse(address).below);
    } catch (error) {
      throw this.#ours(error, address);
    }
  }

  #ours(error: unknown, address: string): unknown {
    if (!(error instanceof ZmqError)) return error;
    const detail = error.message.split(": ").slice(1).join(": ") || undefined;
    const endpoint = `${this.#scheme}://${address}`;
    return new ZmqError(error.code, { address: endpoint, cause: error.cause, detail });
  }

  checkBind(address: string, options: TransportOptions): void {
    this.#check(address, (below) => this.#below.checkBind(below, options));
    if (this.#parse(address).path.includes("?")) throw this.#invalid(address, "a path to bind has no query");
  }

  checkConnect(address: string, options: TransportOptions): void {
    this.#check(address, (below) => this.#below.checkConnect(below, options));
  }

  get names(): HostNames | undefined {
    const { names } = this.#below;
    if (names === undefined) return undefined;
    return {
      lookup: names.lookup,
      hostOf: (address, options) => names.hostOf(this.#parse(address).below, options),
      at: (address, host) => {
        const { below, path } = this.#parse(address);
        return `${names.at(below, host)}${path}`;
      },
    };
  }

  isWildcard(address: string): boolean {
    return this.#below.isWildcard?.(this.#parse(address).below) === true;
  }

  named(address: string): string {
    const { below, path } = this.#parse(address);
    return `${below}${path}`;
  }

  async listen(
    address: string,
    options: TransportOptions,
    handler: AcceptorHandler,
    takeOver: boolean,
  ): Promise<Acceptor> {
    const { below, path } = this.#parse(address);
    const bound: Bound = { path, options, handler };
    const shared = this.#shared(below, options);
    if (shared !== undefined) {
      shared.port.reserve(bound);
      await shared.listening;
      return shared.port.endpoint(bound);
    }
    const opened = this.#open(below, options, bound);
    const { port } = opened;
    opened.listening = this.#below.listen(below, options, port, takeOver).then(
      (acceptor) => this.#listens(opened, acceptor),
      (error) => {
        this.#forget(opened);
        throw this.#ours(error, address);
      },
    );
    await opened.listening;
    return port.endpoint(bound);
  }

  listenSync(address: string, options: TransportOptions, handler: AcceptorHandler): Acceptor {
    const { below, path } = this.#parse(address);
    const bound: Bound = { path, options, handler };
    const shared = this.#shared(below, options);
    if (shared !== undefined) {
      if (shared.port.address === "")
        throw new ZmqError("EADDRINUSE", { detail: "another socket is about to bind this port: use bind()" });
      shared.port.reserve(bound);
      return shared.port.endpoint(bound);
    }
    const opened = this.#open(below, options, bound);
    try {
      this.#listens(opened, this.#below.listenSync(below, options, opened.port));
    } catch (error) {
      this.#forget(opened);
      throw this.#ours(error, address);
    }
    return opened.port.endpoint(bound);
  }

  /** The port that another socket of this thread has opened. */
  #shared(below: string, options: TransportOptions): Opened | undefined {
    return options.useFd === -1 ? this.#ports.get(below) : undefined;
  }

  #open(below: string, options: TransportOptions, bound: Bound): Opened {
    const opened: Opened = {
      port: new Port(this.#scheme, options, () => this.#forget(opened)),
      listening: undefined,
    };
    opened.port.reserve(bound);
    if (options.useFd === -1 && this.#below.isWildcard?.(below) !== true) this.#ports.set(below, opened);
    return opened;
  }

  #listens(opened: Opened, acceptor: Acceptor): void {
    opened.port.acceptor = acceptor;
    this.#ports.set(opened.port.address, opened);
  }

  #forget(opened: Opened): void {
    for (const [name, one] of this.#ports) if (one === opened) this.#ports.delete(name);
  }

  async connect(
    address: string,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
    known?: string,
  ): Promise<Stream> {
    const { below, path } = this.#parse(address);
    const host = below.slice(below.indexOf(";") + 1);
    const wanted = { scheme: this.#scheme, host, path, endpoint: `${this.#scheme}://${address}` };
    const ask = async (simply: boolean): Promise<Stream> => {
      const stream = await this.#below.connect(below, options, signal, refed, known);
      return openWebSocket(stream, { ...wanted, simply }, options, signal);
    };
    try {
      return await ask(false);
    } catch (error) {
      // Servers that check the list as HTTP has it, such as those of the package ws, refuse a name with a slash.
      if (!(error instanceof BadRequest)) throw error;
      return ask(true);
    }
  }
}

/** A port, and the end of the attempt to listen. */
interface Opened {
  readonly port: Port;
  listening: Promise<void> | undefined;
}
