/**
 * tcp endpoints, and those of schemes that put a layer on tcp (items R1 to R8): `host:port`, `*`, `[v6]:port`, names of interfaces, and `source;destination` to
 * connect; directly, or through a SOCKS5 proxy (R24). Names are resolved here, again for each attempt (R4); the engines
 * get numeric addresses. Accepted peers are filtered by their address (R12).
 */
import { lookup as lookupWithCallback } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { addressMatches, parseAcceptFilter } from "../base/accept-filter.js";
import { hostOf } from "../base/endpoint.js";
import { ZmqError } from "../base/errors.js";
import { systemRuntime } from "../base/runtime.js";
import {
  checkFamily,
  type HostPort,
  invalid,
  localAddress,
  noDevice,
  numericLocal,
  parseHostPort,
} from "./addresses.js";
import type { Layer } from "./contract/layer.js";
import {
  type EngineAcceptor,
  type EngineStream,
  formatHostPort,
  type StreamEngine,
} from "./contract/stream-engine.js";
import type {
  Acceptor,
  AcceptorHandler,
  HostNames,
  Stream,
  Transport,
  TransportOptions,
} from "./contract/transport.js";
import { checkSocksTarget, socksConnect } from "./socks.js";
import { firstConnection, interleaved } from "./staggered.js";

/** Checks a connect address without resolving it. */
function parseConnect(address: string, endpoint: string): { source?: HostPort; target: HostPort } {
  const semicolon = address.indexOf(";");
  const source = semicolon < 0 ? undefined : parseHostPort(address.slice(0, semicolon), endpoint);
  const text = semicolon < 0 ? address : address.slice(semicolon + 1);
  const target = parseHostPort(text, endpoint);
  if (target.host === "*" || text.endsWith(":*"))
    throw invalid(endpoint, "cannot connect to a wildcard: name a host and a port"); // R2
  return source === undefined ? { target } : { source, target };
}

/** Whether the options allow a connect address. @throws ZmqError EINVAL */
function checkConnectAddress(address: string, endpoint: string, options: TransportOptions): void {
  const { source, target } = parseConnect(address, endpoint);
  if (options.socksProxy === null) checkFamily(target.host, options.ipv6, endpoint);
  else {
    // Only the proxy's own address must fit the options: the proxy, not we, connects to the target.
    checkFamily(parseHostPort(options.socksProxy, endpoint).host, options.ipv6, endpoint);
    const problem = checkSocksTarget(target.host, options);
    if (problem !== undefined) throw invalid(endpoint, problem);
  }
  if (source !== undefined) checkFamily(source.host, options.ipv6, endpoint);
}

/** Our numeric address to connect from. Names are not looked up (R6). */
function sourceAddress(host: string, ipv6: boolean, endpoint: string): string {
  const numeric = numericLocal(host, ipv6, endpoint);
  if (numeric === undefined)
    throw noDevice(endpoint, `"${host}" is neither an address nor an interface of this host`);
  return numeric;
}

/** All addresses of a host, in the order in which to try them. Not cached: each attempt resolves again (R4). */
async function resolveRemote(
  host: string,
  ipv6: boolean,
  endpoint: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (isIP(host) !== 0) return [checkFamily(host, ipv6, endpoint)];
  const found = await unlessAborted(lookup(host, { family: ipv6 ? 0 : 4, all: true }), signal);
  return found.map((one) => one.address);
}

/** Waits until the signal is aborted at most: a look-up itself cannot be aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** R12: a peer whose address lies in none of the ranges is closed at accept. */
function withAcceptFilter(filter: readonly string[], handler: AcceptorHandler): AcceptorHandler {
  if (filter.length === 0) return handler;
  const ranges = filter.map((text) => parseAcceptFilter(text));
  return {
    onStream(stream) {
      const address = stream.remoteAddress;
      const host = hostOf(address) ?? "";
      if (addressMatches(ranges, host)) {
        handler.onStream(stream);
        return;
      }
      stream.close();
      handler.onError(
        new ZmqError("EACCES", {
          address,
          detail: `tcpAcceptFilter does not allow ${host.includes(":") ? `[${host}]` : host}`,
        }),
      );
    },
    onError: (error) => handler.onError(error),
  };
}

/** Hands streams on as they are: tcp itself. */
function bare(engine: StreamEngine): Layer {
  return {
    scheme: "tcp",
    check: (options) => engine.checkOptions(options, "tcp"),
    accepting: () => (stream) => stream,
    connected: (stream) => stream,
  };
}

/** The scheme `tcp`, or one with a layer on top of it. */
export class TcpTransport implements Transport {
  readonly #engine: StreamEngine;
  readonly #layer: Layer;

  constructor(engine: StreamEngine, layer: Layer = bare(engine)) {
    this.#engine = engine;
    this.#layer = layer;
  }

  checkBind(address: string, options: TransportOptions): void {
    this.#layer.check(options, "server");
    parseHostPort(address, this.#endpoint(address));
  }

  checkConnect(address: string, options: TransportOptions): void {
    this.#layer.check(options, "client");
    checkConnectAddress(address, this.#endpoint(address), options);
  }

  isWildcard(address: string): boolean {
    return /:(?:\*|0+)$/.test(address);
  }

  readonly names: HostNames = {
    lookup: (hostname, options, callback) => lookupWithCallback(hostname, options, callback),
    hostOf: (address, { socksProxy }) => {
      const endpoint = this.#endpoint(address);
      if (socksProxy !== null)
        throw invalid(endpoint, "all: true needs addresses, which a socksProxy looks up by itself");
      return parseConnect(address, endpoint).target.host;
    },
    at: (address, host) => {
      const { port } = parseConnect(address, this.#endpoint(address)).target;
      return `${address.slice(0, address.indexOf(";") + 1)}${formatHostPort(host, port)}`;
    },
  };

  #endpoint(address: string): string {
    return `${this.#layer.scheme}://${address}`;
  }

  #named(address: string, acceptor: EngineAcceptor): Acceptor {
    return {
      address: this.#endpoint(address),
      close: () => acceptor.close(),
      ref: () => acceptor.ref(),
      unref: () => acceptor.unref(),
    };
  }

  /** What is made of a connection before the listener has it: the layer's stream, unless the filter refuses the peer. */
  #accepting(options: TransportOptions, handler: AcceptorHandler): AcceptorHandler {
    const layered = this.#layer.accepting(options);
    const filtered = withAcceptFilter(options.tcpAcceptFilter, handler);
    return {
      onStream: (stream) => filtered.onStream(layered(stream as EngineStream)),
      onError: (error) => filtered.onError(error),
    };
  }

  async listen(address: string, options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const endpoint = this.#endpoint(address);
    const { host, port } = parseHostPort(address, endpoint);
    const accepting = this.#accepting(options, handler);
    if (options.useFd !== -1) {
      const adopted = await this.#engine.listenDescriptor("tcp", options, accepting);
      return this.#named(adopted.address, adopted); // R25
    }
    const local = await localAddress(host, options.ipv6, endpoint);
    const acceptor = await this.#engine.listenTcp(local, port, options, accepting);
    return this.#named(formatHostPort(local, acceptor.port), acceptor);
  }

  listenSync(address: string, options: TransportOptions, handler: AcceptorHandler): Acceptor {
    const endpoint = this.#endpoint(address);
    const { host, port } = parseHostPort(address, endpoint);
    if (options.useFd !== -1)
      throw new ZmqError("ENOTSUP", { detail: "bindSync() cannot use useFd: use bind()" });
    const local =
      numericLocal(host, options.ipv6, endpoint) ?? (host === "localhost" ? "127.0.0.1" : undefined);
    if (local === undefined) throw noDevice(endpoint, `bindSync() cannot look up "${host}": use bind()`);
    const acceptor = this.#engine.listenTcpSync(local, port, options, this.#accepting(options, handler));
    return this.#named(formatHostPort(local, acceptor.port), acceptor);
  }

  async connect(
    address: string,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
    known?: string,
  ): Promise<Stream> {
    const endpoint = this.#endpoint(address);
    const { source, target } = parseConnect(address, endpoint);
    const sourceHost = source && sourceAddress(source.host, options.ipv6, endpoint);
    const { socksProxy } = options;
    const next = socksProxy === null ? target : parseHostPort(socksProxy, endpoint);
    const hosts = await resolveRemote(known ?? next.host, options.ipv6, endpoint, signal);
    const attempt = async (host: string, attemptSignal: AbortSignal): Promise<EngineStream> => {
      attemptSignal.throwIfAborted();
      const hop = { host, port: next.port, sourceHost, sourcePort: source?.port };
      const stream = await this.#engine.connectTcp(hop, options, attemptSignal, refed);
      if (socksProxy !== null) return socksConnect(stream, target, endpoint, options, attemptSignal);
      if (stream.localAddress !== stream.remoteAddress) return stream;
      // TCP can connect an ephemeral port to itself (D9).
      stream.close();
      throw new ZmqError("ECONNREFUSED", { address: endpoint, detail: "connected to itself" });
    };
    // With a fixed source port, two attempts at a time are impossible.
    const limits = { totalMs: options.connectTimeout, oneByOne: (source?.port ?? 0) !== 0 };
    const stream = await firstConnection(
      systemRuntime.loop,
      interleaved(hosts),
      limits,
      signal,
      attempt,
      (late) => late.close(),
    );
    return this.#layer.connected(stream, target.host, options);
  }
}
