/**
 * tcp endpoints (items R1 to R8): `host:port`, `*`, `[v6]:port`, names of interfaces, and `source;destination` to
 * connect; directly, or through a SOCKS5 proxy (R24). Names are resolved here, again for each attempt (R4); the engines
 * get numeric addresses. Accepted peers are filtered by their address (R12).
 */
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { addressBytes, addressMatches, isMapped, parseAcceptFilter } from "../base/accept-filter.js";
import { ZmqError } from "../base/errors.js";
import { systemRuntime } from "../base/runtime.js";
import { type EngineAcceptor, formatHostPort, type StreamEngine } from "./contract/stream-engine.js";
import type { Acceptor, AcceptorHandler, Stream, Transport, TransportOptions } from "./contract/transport.js";
import { checkSocksTarget, socksConnect } from "./socks.js";
import { firstConnection, interleaved } from "./staggered.js";

interface HostPort {
  readonly host: string;
  /** 0 for a wildcard. */
  readonly port: number;
}

function invalid(address: string, detail: string): ZmqError {
  return new ZmqError("EINVAL", { address: `tcp://${address}`, detail });
}

function parseHostPort(text: string, address: string): HostPort {
  const colon = text.lastIndexOf(":");
  if (colon <= 0) throw invalid(address, `"${text}" does not have the form host:port`);
  const portText = text.slice(colon + 1);
  let host = text.slice(0, colon);
  if (host.startsWith("[") && host.endsWith("]")) host = host.slice(1, -1);
  if (host === "" || /[\s/[\];]/.test(host)) throw invalid(address, `"${host}" is not a valid host`);
  if (portText === "*") return { host, port: 0 };
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port > 65535)
    throw invalid(address, `"${portText}" is not a port: use 0 to 65535, or * to bind any`); // R8
  return { host, port };
}

/** Checks a bind address without resolving it. */
export function parseTcpBind(address: string): HostPort {
  return parseHostPort(address, address);
}

/** Checks a connect address without resolving it. */
export function parseTcpConnect(address: string): { source?: HostPort; target: HostPort } {
  const semicolon = address.indexOf(";");
  const source = semicolon < 0 ? undefined : parseHostPort(address.slice(0, semicolon), address);
  const text = semicolon < 0 ? address : address.slice(semicolon + 1);
  const target = parseHostPort(text, address);
  if (target.host === "*" || text.endsWith(":*"))
    throw invalid(address, "cannot connect to a wildcard: name a host and a port"); // R2
  return source === undefined ? { target } : { source, target };
}

/** Whether the options allow a connect address. @throws ZmqError EINVAL */
function checkConnectAddress(address: string, options: TransportOptions): void {
  const { source, target } = parseTcpConnect(address);
  if (options.socksProxy === null) checkFamily(target.host, options.ipv6, address);
  else {
    // Only the proxy's own address must fit the options: the proxy, not we, connects to the target.
    checkFamily(parseHostPort(options.socksProxy, address).host, options.ipv6, address);
    const problem = checkSocksTarget(target.host, options);
    if (problem !== undefined) throw invalid(address, problem);
  }
  if (source !== undefined) checkFamily(source.host, options.ipv6, address);
}

/**
 * Our numeric address for `*`, an address or the name of an interface. undefined for any other name: it needs a
 * look-up.
 * @throws ZmqError ENODEV, EINVAL
 */
function numericLocal(host: string, ipv6: boolean, address: string): string | undefined {
  if (host === "*") return ipv6 ? "::" : "0.0.0.0";
  if (isIP(host) !== 0) return checkFamily(host, ipv6, address);
  const addresses = networkInterfaces()[host];
  if (addresses === undefined) return undefined;
  const usable = addresses.find((one) => one.family === "IPv4") ?? (ipv6 ? addresses[0] : undefined);
  if (usable !== undefined) return usable.address;
  throw noDevice(
    address,
    `interface "${host}" has no IPv4 address (with ipv6: true an IPv6 address will do)`,
  );
}

/** Our numeric address to connect from. Names are not looked up (R6). */
function sourceAddress(host: string, ipv6: boolean, address: string): string {
  const numeric = numericLocal(host, ipv6, address);
  if (numeric === undefined)
    throw noDevice(address, `"${host}" is neither an address nor an interface of this host`);
  return numeric;
}

/** Our numeric address to bind. Names are looked up. @throws ZmqError ENODEV, EINVAL */
async function localAddress(host: string, ipv6: boolean, address: string): Promise<string> {
  const numeric = numericLocal(host, ipv6, address);
  if (numeric !== undefined) return numeric;
  try {
    return (await lookup(host, { family: ipv6 ? 0 : 4 })).address;
  } catch (cause) {
    throw noDevice(address, `cannot look up "${host}"`, cause); // R3
  }
}

function noDevice(address: string, detail: string, cause?: unknown): ZmqError {
  return new ZmqError("ENODEV", { address: `tcp://${address}`, cause, detail });
}

/**
 * The address in a form that the option `ipv6` allows: without it, an IPv4 address in IPv6's notation becomes plain
 * IPv4.
 * @throws ZmqError EINVAL for any other IPv6 address without the option
 */
function checkFamily(host: string, ipv6: boolean, address: string): string {
  if (ipv6 || !isIPv6(host)) return host;
  const bytes = addressBytes(host);
  if (bytes !== undefined && isMapped(bytes)) return bytes.subarray(12).join(".");
  throw invalid(address, "an IPv6 address needs the option ipv6: true"); // R5
}

/** All addresses of a host, in the order in which to try them. Not cached: each attempt resolves again (R4). */
async function resolveRemote(
  host: string,
  ipv6: boolean,
  address: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (isIP(host) !== 0) return [checkFamily(host, ipv6, address)];
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
      const host = stream.remoteAddress.slice("tcp://".length, stream.remoteAddress.lastIndexOf(":"));
      if (addressMatches(ranges, host.replace(/^\[|\]$/g, ""))) {
        handler.onStream(stream);
        return;
      }
      const address = stream.remoteAddress;
      stream.close();
      handler.onError(new ZmqError("EACCES", { address, detail: `tcpAcceptFilter does not allow ${host}` }));
    },
    onError: (error) => handler.onError(error),
  };
}

function named(address: string, acceptor: EngineAcceptor): Acceptor {
  return {
    address,
    close: () => acceptor.close(),
    ref: () => acceptor.ref(),
    unref: () => acceptor.unref(),
  };
}

/** The scheme `tcp`. */
export class TcpTransport implements Transport {
  readonly #engine: StreamEngine;

  constructor(engine: StreamEngine) {
    this.#engine = engine;
  }

  checkBind(address: string, options: TransportOptions): void {
    this.#engine.checkOptions(options, "tcp");
    parseTcpBind(address);
  }

  checkConnect(address: string, options: TransportOptions): void {
    this.#engine.checkOptions(options, "tcp");
    checkConnectAddress(address, options);
  }

  isWildcard(address: string): boolean {
    return /:(?:\*|0+)$/.test(address);
  }

  async listen(address: string, options: TransportOptions, handler: AcceptorHandler): Promise<Acceptor> {
    const { host, port } = parseTcpBind(address);
    const filtered = withAcceptFilter(options.tcpAcceptFilter, handler);
    if (options.useFd !== -1) {
      const adopted = await this.#engine.listenDescriptor("tcp", options, filtered);
      return named(`tcp://${adopted.address}`, adopted); // R25
    }
    const local = await localAddress(host, options.ipv6, address);
    const acceptor = await this.#engine.listenTcp(local, port, options, filtered);
    return named(`tcp://${formatHostPort(local, acceptor.port)}`, acceptor);
  }

  listenSync(address: string, options: TransportOptions, handler: AcceptorHandler): Acceptor {
    const { host, port } = parseTcpBind(address);
    if (options.useFd !== -1)
      throw new ZmqError("ENOTSUP", { detail: "bindSync() cannot use useFd: use bind()" });
    const local =
      numericLocal(host, options.ipv6, address) ?? (host === "localhost" ? "127.0.0.1" : undefined);
    if (local === undefined) throw noDevice(address, `bindSync() cannot look up "${host}": use bind()`);
    const filtered = withAcceptFilter(options.tcpAcceptFilter, handler);
    const acceptor = this.#engine.listenTcpSync(local, port, options, filtered);
    return named(`tcp://${formatHostPort(local, acceptor.port)}`, acceptor);
  }

  async connect(
    address: string,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
  ): Promise<Stream> {
    const { source, target } = parseTcpConnect(address);
    const sourceHost = source && sourceAddress(source.host, options.ipv6, address);
    const { socksProxy } = options;
    const next = socksProxy === null ? target : parseHostPort(socksProxy, address);
    const hosts = await resolveRemote(next.host, options.ipv6, address, signal);
    const attempt = async (host: string, attemptSignal: AbortSignal): Promise<Stream> => {
      attemptSignal.throwIfAborted();
      const hop = { host, port: next.port, sourceHost, sourcePort: source?.port };
      const stream = await this.#engine.connectTcp(hop, options, attemptSignal, refed);
      if (socksProxy !== null) return socksConnect(stream, target, options, attemptSignal);
      if (stream.localAddress !== stream.remoteAddress) return stream;
      // TCP can connect an ephemeral port to itself (D9).
      stream.close();
      throw new ZmqError("ECONNREFUSED", { address: `tcp://${address}`, detail: "connected to itself" });
    };
    // With a fixed source port, two attempts at a time are impossible.
    const limits = { totalMs: options.connectTimeout, oneByOne: (source?.port ?? 0) !== 0 };
    return firstConnection(systemRuntime.loop, interleaved(hosts), limits, signal, attempt, (late) =>
      late.close(),
    );
  }
}
