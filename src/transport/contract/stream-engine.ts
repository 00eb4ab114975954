/**
 * What an engine offers to the schemes: streams and acceptors for numeric addresses and paths. What both engines have
 * in common is in tcp.ts and ipc.ts: names, defaults, the handling of files.
 */

import { addressBytes, isMapped } from "../../base/accept-filter.js";
import { ZmqError } from "../../base/errors.js";
import type { Buffer } from "../../base/platform.js";
import type { AcceptorHandler, LoanMemory, Stream, TransportOptions } from "./transport.js";

/** Where to connect over tcp. Hosts are numeric addresses. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly sourceHost?: string;
  readonly sourcePort?: number;
}

/** A stream that a proxy's client can use before the session does. */
export interface EngineStream extends Stream {
  /**
   * Ends the work of the present handler. Reading stops until start() is called again with the next handler, which gets
   * `leftover` first. From now on the stream has the `remoteAddress` that is given here.
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

/** Masks or unmasks bytes of a WebSocket in place. The lowest byte of `mask` is that of the first byte. */
export type Masking = (bytes: Uint8Array, from: number, to: number, mask: number) => void;

export interface StreamEngine {
  readonly name: "native" | "portable";
  /** For many bytes, if it is faster than JavaScript. */
  readonly mask?: Masking;
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
  /**
   * As listenTcp, but it listens when this returns. @throws also ZmqError ENOTSUP if this platform's node:net cannot
   */
  listenTcpSync(
    host: string,
    port: number,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): EngineAcceptor;
  /** Memory that ipc peers can map (Linux, native engine); undefined if it cannot be had. */
  loanMemory?(bytes: number): LoanMemory | undefined;
  /** A path that begins with NUL is an abstract name. The stream's remote address is `ipc://` and `name`. */
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
  /**
   * As listenPipe, but it listens when this returns. @throws also ZmqError ENOTSUP if this platform's node:net cannot
   */
  listenPipeSync(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): EngineAcceptor;
  /**
   * Takes over the descriptor `options.useFd` (R25). The file of an ipc socket is left as it is.
   * @throws ZmqError EINVAL if it is not a listening stream socket of the scheme, or is in use already
   */
  listenDescriptor(
    scheme: "tcp" | "ipc",
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<EngineAcceptor>;
}

/** Host and port as part of an endpoint: `127.0.0.1:80` or `[::1]:80`. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Refuses options that would have no effect, instead of ignoring them. Default values pass: -1, 0, null, an empty list.
 * @param needed what the options need, for the error's text
 * @throws ZmqError ENOTSUP
 */
export function requireDefaults(
  options: TransportOptions,
  names: readonly (keyof TransportOptions)[],
  needed: string,
): void {
  for (const name of names) {
    const value = options[name];
    const asked = Array.isArray(value) ? value.length > 0 : value !== null && value !== DEFAULTS[name];
    if (asked) throw new ZmqError("ENOTSUP", { detail: `${name} needs ${needed}` });
  }
}

/** The default values. */
const DEFAULTS: Partial<Record<keyof TransportOptions, unknown>> = {
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
  const reason = detail ?? `not a listening stream socket for ${scheme}`;
  return new ZmqError("EINVAL", { detail: `useFd ${descriptor}: ${reason}` });
}

/**
 * Whether a listening IPv6 socket has to refuse IPv4 peers. It must not for `::` in any spelling, which is dual-stack,
 * and for a mapped address such as `::ffff:127.0.0.1`, which could not be bound otherwise (RFC 3493, section 3.7).
 */
export function ipv6Only(host: string): boolean {
  const bytes = addressBytes(host);
  return bytes === undefined || !(isMapped(bytes) || bytes.every((byte) => byte === 0));
}
