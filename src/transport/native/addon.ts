/**
 * Finds, loads and types the addon; the only file that does. Everything else asks `addon()` and, where it answers
 * undefined, uses the portable engine.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Socket options that the addon applies with setsockopt; -1 or undefined leaves the system's value. */
export interface NativeSocketOptions {
  sendBufferSize: number;
  receiveBufferSize: number;
  tcpKeepalive: number;
  tcpKeepaliveCount: number;
  tcpKeepaliveIdle: number;
  tcpKeepaliveInterval: number;
  /** tcp: IP_TOS, and IPV6_TCLASS on IPv6 sockets; 0 leaves the system's. */
  typeOfService?: number;
  /** tcp: name of the network device that the socket is bound to (SO_BINDTODEVICE, Linux). */
  interface?: string;
  /** tcp: SO_PRIORITY and SO_BUSY_POLL (Linux); 0 leaves the system's. */
  priority?: number;
  busyPoll?: number;
  /** tcp: TCP_USER_TIMEOUT in milliseconds (Linux); 0 leaves the system's. */
  tcpMaxRetransmitTimeout?: number;
  /** tcp: numeric source address to bind before connecting. */
  sourceHost?: string;
  sourcePort?: number;
}

/**
 * Functions that the addon calls, each with the stream's or acceptor's owner as `this`. `status` is 0 or a
 * negative errno (UV_*).
 */
export interface NativeCallbacks {
  onConnect(this: unknown, status: number): void;
  onBytes(this: unknown, chunk: Buffer): void;
  onFrames(this: unknown, chunk: Buffer, count: number): void;
  onLargeFrame(this: unknown, body: Buffer, flags: number): void;
  onDrain(this: unknown): void;
  /** status UV_EOF (-4095) for an orderly close; fault from FrameFault, with what was too large. */
  onClose(this: unknown, status: number, fault: number, pendingBytes: number, size: number): void;
  /** status < 0: accept failed, no stream. */
  onAccept(this: unknown, status: number, stream: NativeStreamHandle | undefined): void;
  /** Memory that several messages will lie in; called without `this`. */
  onShared(memory: Buffer): void;
}

/** One libuv stream inside the addon. Methods that return a number give 0 or a negative errno unless said otherwise. */
export interface NativeStreamHandle {
  /** Whom callbacks of this stream get as `this`. Must be set before start or connect. */
  setOwner(owner: object): void;
  connectTcp(host: string, port: number, options: NativeSocketOptions): number;
  /** A path that begins with NUL names the Linux abstract namespace. */
  connectPipe(path: string, options: NativeSocketOptions): number;
  /** Reads in byte mode. */
  start(): number;
  startFrames(
    maxFrameBytes: number,
    maxCommandBytes: number,
    maxParts: number,
    maxMessageBytes: number,
    leftover: Uint8Array,
  ): number;
  /** Bytes not yet taken by the kernel (0 = all gone), or a negative errno. */
  write(chunk: Uint8Array): number;
  writev(chunks: readonly Uint8Array[]): number;
  pause(): void;
  resume(): void;
  close(): void;
  ref(): void;
  unref(): void;
  /** Bytes read since the beginning. */
  received(): number;
  /** Whether a frame has begun to arrive, and its end has not. */
  partial(): boolean;
  /** Bytes of the pending write that the kernel has not taken. */
  unsent(): number;
  /** "host:port" (IPv6 in brackets), or the path; "" where unknown. */
  localAddress(): string;
  remoteAddress(): string;
  /** Reads an integer socket option back, for diagnostics and tests; negative errno on failure. */
  getSocketOption(level: number, name: number): number;
  /** An ipc peer when it connected, as `[processId, userId, groupId]` (SO_PEERCRED, Linux); or a negative errno. */
  getPeerCredentials(): [number, number, number] | number;
}

export interface NativeAcceptorHandle {
  setOwner(owner: object): void;
  listenTcp(
    host: string,
    port: number,
    backlog: number,
    ipv6Only: boolean,
    options: NativeSocketOptions,
  ): number;
  listenPipe(path: string, backlog: number, options: NativeSocketOptions): number;
  /**
   * Takes over a descriptor that listens already, of the family asked for; UV_EINVAL where it does not, UV_EEXIST
   * where this thread uses it. The descriptor is closed by close(), and left open by a failure.
   */
  listenDescriptor(descriptor: number, tcp: boolean, options: NativeSocketOptions): number;
  localAddress(): string;
  /** As the stream's: for diagnostics and tests. */
  getSocketOption(level: number, name: number): number;
  close(): void;
  ref(): void;
  unref(): void;
}

export interface Addon {
  /**
   * Once per copy of our modules: some tools evaluate them several times over one addon. `table` holds the frames of the
   * running onFrames call.
   * @returns the number that handles are made with whose callbacks these are
   */
  init(table: Uint32Array, callbacks: NativeCallbacks): number;
  Stream: new (binding: number) => NativeStreamHandle;
  Acceptor: new (binding: number) => NativeAcceptorHandle;
  /** Whether a tcp socket can have this interface, priority and busyPoll: 0, or UV_ENODEV, UV_EPERM, ... */
  checkTcp(options: Pick<NativeSocketOptions, "interface" | "priority" | "busyPoll">): number;
  /** errno name and text of a negative status, as `[ "ECONNREFUSED", "connection refused" ]`. */
  errorName(status: number): [string, string];
}

/** Entries that one onFrames call can carry at most. */
export const FRAME_TABLE_ENTRIES = 8192;

let loaded: Addon | undefined;
let loadError: Error | undefined;
let tried = false;

/** The addon, or undefined where none loads (`addonError()` says why). */
export function addon(): Addon | undefined {
  if (tried) return loaded;
  tried = true;
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) {
    // Both load addons, and end the process when one uses libuv's polls: it must not even be tried.
    loadError = new Error(
      `the addon needs Node's libuv, which ${bun ? `Bun ${bun}` : `Deno ${deno}`} does not have`,
    );
    return undefined;
  }
  const here: string | undefined = import.meta.url;
  if (here === undefined) {
    loadError = new Error(
      "a bundler has put zwire into a file that does not know where it lies: keep zwire external",
    );
    return undefined;
  }
  try {
    // A literal require, so that bundlers see it; node-gyp-build looks for build/Release, then prebuilds/.
    const require = createRequire(here);
    loaded = require("node-gyp-build")(packageFolder(here)) as Addon;
  } catch (error) {
    loadError = error as Error;
  }
  return loaded;
}

/**
 * Where zwire is installed: it is found by its own name, from this file as from any other part of the package. In a
 * bundle, that is the zwire in a node_modules above it; or else the bundle's own folder, which may have prebuilds/.
 */
function packageFolder(here: string): string {
  try {
    return dirname(createRequire(here).resolve("zwire/package.json"));
  } catch {
    return dirname(fileURLToPath(here));
  }
}

/** Why `addon()` answered undefined. */
export function addonError(): Error | undefined {
  return loadError;
}
