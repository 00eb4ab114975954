/**
 * What an engine offers to the schemes: raw streams and acceptors for numeric addresses and paths. tcp.ts and
 * ipc.ts hold what both engines share (names, defaults, file handling).
 */
import type { AcceptorHandler, Stream, TransportOptions } from "./transport.js";

/** Where to connect over tcp, all numeric. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly sourceHost?: string;
  readonly sourcePort?: number;
}

/** A listening handle of an engine. */
export interface RawAcceptor {
  /** tcp: the port in use. */
  readonly port: number;
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

export interface StreamEngine {
  readonly name: "native" | "portable";
  /** @throws ZmqError ENOTSUP for an option that this engine cannot honour */
  checkOptions(options: TransportOptions): void;
  /** @throws ZmqError ENOTSUP for a path that this engine cannot use; `name` is the application's spelling */
  checkPath(path: string, name: string): void;
  connectTcp(target: TcpTarget, options: TransportOptions, signal: AbortSignal): Promise<Stream>;
  listenTcp(
    host: string,
    port: number,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<RawAcceptor>;
  /** A path that begins with NUL is abstract; `name` is what the stream reports as its remote address. */
  connectPipe(path: string, name: string, options: TransportOptions, signal: AbortSignal): Promise<Stream>;
  listenPipe(
    path: string,
    name: string,
    options: TransportOptions,
    handler: AcceptorHandler,
  ): Promise<RawAcceptor>;
}

/** "127.0.0.1", 80 or "::1", 80 as part of an endpoint. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
