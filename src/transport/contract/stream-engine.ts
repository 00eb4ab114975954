/**
 * What an engine offers to the schemes: raw streams and acceptors for numeric addresses and paths. tcp.ts and
 * ipc.ts hold what both engines share (names, defaults, file handling).
 */
import { addressBytes, isMapped } from "../../base/accept-filter.js";
import { ZmqError } from "../../base/errors.js";
import type { AcceptorHandler, Stream, TransportOptions } from "./transport.js";

/** Where to connect over tcp, all numeric. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly sourceHost?: string;
  readonly sourcePort?: number;
}

/** A stream whose beginning is not for the session: a proxy speaks first. */
export interface EngineStream extends Stream {
  /**
   * Ends the part of the handler that was started: reading stops until start() is called again, by whom the rest
   * is for. It gets the leftover first, and finds `remoteAddress` to be the one given here.
   */
  handOver(remoteAddress: string, leftover: Buffer): void;
}

/** A listening handle of an engine. */
export interface EngineAcceptor {
  /** Where it listens: `host:port`, a path or `@name`. */
  readonly address: string;
  /** tcp: the port in use. */
  readonly port: number;
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

export interface StreamEngine {
  readonly name: "native" | "portable";
  /**
   * @throws ZmqError ENOTSUP for an option that this engine cannot honour on this system, ENODEV and EPERM for a
   * network device that a tcp socket cannot be bound to
   */
  checkOptions(options: TransportOptions, scheme: "tcp" | "ipc"): void;
  /** @throws ZmqError ENOTSUP for a path that this engine cannot use; `name` is the application's spelling */
  checkPath(path: string, name: string): void;
  connectTcp(
    target: TcpTarget,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
  ): Promise<EngineStream>;
  listenTcp(
    host: string,
    port: number,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor>;
  /** As listenTcp, before it returns. @throws also ZmqError ENOTSUP where this platform's node:net cannot */
  listenTcpSync(
    host: string,
    port: number,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): EngineAcceptor;
  /** A path that begins with NUL is abstract; `name` is what the stream reports as its remote address. */
  connectPipe(
    path: string,
    name: string,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
  ): Promise<Stream>;
  listenPipe(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor>;
  /** As listenPipe, before it returns. @throws also ZmqError ENOTSUP where this platform's node:net cannot */
  listenPipeSync(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): EngineAcceptor;
  /**
   * Takes over `options.useFd` (R25). Nothing is done to a path.
   * @throws ZmqError EINVAL where it is no listening stream socket of the scheme, or in use already
   */
  listenDescriptor(
    scheme: "tcp" | "ipc",
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor>;
}

/** "127.0.0.1", 80 or "::1", 80 as part of an endpoint. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Refuses options that reach nobody, instead of ignoring them. -1, 0, null and an empty list ask for nothing.
 * @throws ZmqError ENOTSUP
 */
export function requireDefaults(
  options: TransportOptions,
  names: readonly (keyof TransportOptions)[],
  needed: string,
): void {
  for (const name of names) {
    const value = options[name];
    const asked = Array.isArray(value) ? value.length > 0 : value !== null && value !== UNASKED[name];
    if (asked) throw new ZmqError("ENOTSUP", { detail: `${name} needs ${needed}` });
  }
}

const UNASKED: Partial<Record<keyof TransportOptions, unknown>> = {
  sendBufferSize: -1,
  receiveBufferSize: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveInterval: -1,
  typeOfService: 0,
  priority: 0,
  busyPoll: 0,
  tcpMaxRetransmitTimeout: 0,
  useFd: -1,
};

/** A descriptor that cannot be listened on (R25). */
export function descriptorError(descriptor: number, scheme: string, detail?: string): ZmqError {
  const reason = detail ?? `it is no listening stream socket for ${scheme}`;
  return new ZmqError("EINVAL", { detail: `useFd ${descriptor}: ${reason}` });
}

/**
 * Whether a listening IPv6 socket has to refuse IPv4 peers. `::` is dual-stack, in whatever spelling, and a mapped
 * address such as `::ffff:127.0.0.1` cannot be bound otherwise (RFC 3493, section 3.7).
 */
export function ipv6Only(host: string): boolean {
  const bytes = addressBytes(host);
  return bytes === undefined || !(isMapped(bytes) || bytes.every((byte) => byte === 0));
}
