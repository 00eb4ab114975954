/**
 * Finds and loads the addon, and declares its types. No other file loads it. Everything else calls `addon()`, and uses
 * the portable engine if that returns undefined.
 */
import { existsSync } from "node:fs";
// The whole module: of an imported createRequire, webpack makes calls that it resolves when it builds.
import * as nodeModule from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Socket options that the addon applies with setsockopt; -1 or undefined leaves the system's value. */
export interface NativeSocketOptions {
  sendBufferSize: number;
  receiveBufferSize: number;
  tcpKeepalive: number;
  tcpKeepaliveCount: number;
  tcpKeepaliveIdle: number;
  tcpKeepaliveInterval: number;
  /** tcp: IP_TOS, and IPV6_TCLASS on IPv6 sockets; 0 leaves the system's value. */
  typeOfService?: number;
  /** tcp: name of the network device that the socket is bound to (SO_BINDTODEVICE, Linux). */
  interface?: string;
  /** tcp: SO_PRIORITY (Linux); 0 leaves the system's value. */
  priority?: number;
  /** tcp: SO_BUSY_POLL in microseconds (Linux); 0 leaves the system's value. */
  busyPoll?: number;
  /** tcp: TCP_USER_TIMEOUT in milliseconds (Linux); 0 leaves the system's value. */
  tcpMaxRetransmitTimeout?: number;
  /** tcp: numeric source address to bind before connecting. */
  sourceHost?: string;
  sourcePort?: number;
}

/**
 * Functions that the addon calls. `this` is the owner of the stream or acceptor. `status` is 0 or a negative errno
 * (UV_*).
 */
export interface NativeCallbacks {
  onConnect(this: unknown, status: number): void;
  onBytes(this: unknown, chunk: Buffer): void;
  onFrames(this: unknown, chunk: Buffer, count: number): void;
  onLargeFrame(this: unknown, body: Buffer, flags: number): void;
  /** The peer has offered memory; undefined if it cannot be mapped. */
  onPool(this: unknown, memory: ArrayBuffer | undefined): void;
  /** Memory of so many bytes for a large body, after recycle(). Called without `this`, in the middle of a read. */
  onBody(bytes: number): Buffer;
  onDrain(this: unknown): void;
  /** From now on, what is written goes through shared memory. */
  onMemory(this: unknown): void;
  /**
   * `status` is UV_EOF (-4095) after an orderly close. `fault` is a FrameFault; `size` is the size or number that was
   * too large.
   */
  onClose(this: unknown, status: number, fault: number, pendingBytes: number, size: number): void;
  /** A negative `status` means that accept failed; then there is no stream. */
  onAccept(this: unknown, status: number, stream: NativeStreamHandle | undefined): void;
  /** Several messages will lie in this memory. Called without `this`. */
  onShared(memory: Buffer): void;
}

/** One libuv stream inside the addon. Methods that return a number give 0 or a negative errno unless said otherwise. */
export interface NativeStreamHandle {
  /** Sets the `this` of this stream's callbacks. Must be called before start or connect. */
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
  /** Returns the number of bytes that the kernel has not taken yet, or a negative errno. */
  write(chunk: Uint8Array): number;
  writev(chunks: readonly Uint8Array[]): number;
  /**
   * Before start: we can share memory. `accepted`: whether we accepted the connection; `bytes`: the size of our ring, a
   * power of two; `spinMicroseconds`: how long to look for bytes before the event loop sleeps.
   */
  share(accepted: boolean, bytes: number, spinMicroseconds: number): void;
  /** After the handshake: whether the peer can, too. */
  agreed(yes: boolean): void;
  /** After agreed(true): offers the peer a pool. False: it cannot get it. */
  offerPool(pool: NativePool): boolean;
  /** Bytes written into shared memory so far. */
  written(): number;
  /** Bytes of them that the peer has read. */
  passed(): number;
  /** From now on, large bodies arrive in memory from onBody. */
  recycle(): void;
  /** Half-closes: see Stream. Nothing may be pending. False: it cannot. */
  endWriting(peerKeeps: boolean): boolean;
  pause(): void;
  resume(): void;
  close(): void;
  ref(): void;
  unref(): void;
  /** Bytes read so far. */
  received(): number;
  /** Whether a frame has arrived in part. */
  partial(): boolean;
  /** Bytes of the pending write that the kernel has not taken. */
  unsent(): number;
  /** "host:port" (IPv6 in brackets) or the path; "" if unknown. */
  localAddress(): string;
  remoteAddress(): string;
  /** Reads an integer socket option, for diagnostics and tests. A negative errno on failure. */
  getSocketOption(level: number, name: number): number;
  /**
   * The ipc peer as it was when it connected: `[processId, userId, groupId]` (SO_PEERCRED, Linux), or a negative errno.
   */
  getPeerCredentials(): [number, number, number] | number;
}

/** Memory that peers can map for reading. */
export interface NativePool {
  /** An ArrayBuffer over a part; undefined if the memory could not be made, or Node-API allows no such ArrayBuffer. */
  view(offset: number, bytes: number): ArrayBuffer | undefined;
  close(): void;
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
   * Takes over a descriptor that listens already. UV_EINVAL if it does not, or is not of the requested kind; UV_EEXIST
   * if this thread uses it already. close() closes the descriptor; a failure leaves it open.
   */
  listenDescriptor(descriptor: number, tcp: boolean, options: NativeSocketOptions): number;
  localAddress(): string;
  /** Reads an integer socket option, for diagnostics and tests. A negative errno on failure. */
  getSocketOption(level: number, name: number): number;
  close(): void;
  ref(): void;
  unref(): void;
}

export interface Addon {
  /**
   * Registers callbacks. Called once per copy of our modules, because some tools load them several times with one
   * addon. `table` holds the frames of the current onFrames call.
   * @returns a number to pass to the constructors of the handles that shall use these callbacks
   */
  init(table: Uint32Array, callbacks: NativeCallbacks): number;
  Stream: new (binding: number) => NativeStreamHandle;
  Acceptor: new (binding: number) => NativeAcceptorHandle;
  Pool: new (bytes: number) => NativePool;
  /** Takes the memory away from an ArrayBuffer of a pool, ours or a peer's. */
  detach(memory: ArrayBuffer): void;
  /** Masks or unmasks bytes of a WebSocket in place. @param mask an unsigned number, whose lowest byte is that of the first byte */
  mask(bytes: Uint8Array, from: number, to: number, mask: number): void;
  /** Tries interface, priority and busyPoll on a new tcp socket: 0, or UV_ENODEV, UV_EPERM and so on. */
  checkTcp(options: Pick<NativeSocketOptions, "interface" | "priority" | "busyPoll">): number;
  /** The errno name and text of a negative status, such as `["ECONNREFUSED", "connection refused"]`. */
  errorName(status: number): [string, string];
}

/** The most frames of one onFrames call. */
export const FRAME_TABLE_ENTRIES = 8192;

let loaded: Addon | undefined;
let loadError: Error | undefined;
let tried = false;

/** The addon, or undefined if it does not load (`addonError()` says why). */
export function addon(): Addon | undefined {
  if (tried) return loaded;
  tried = true;
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) {
    // Do not even try: both runtimes load addons, but end the process when an addon uses libuv's polls.
    loadError = new Error(
      `the addon needs Node's libuv, which ${bun ? `Bun ${bun}` : `Deno ${deno}`} does not have`,
    );
    return undefined;
  }
  try {
    loaded = load();
  } catch (error) {
    loadError = error as Error;
  }
  return loaded;
}

/** The addon of the zwire that is installed; in a bundle that has none above it, the file zwire.node beside the bundle. */
function load(): Addon {
  const file = thisFile();
  if (file === undefined) {
    throw new Error(
      "a bundler has put zwire into a file that does not know its path: mark zwire as external",
    );
  }
  const manifest = installedManifest(file);
  if (manifest !== undefined) {
    // node-gyp-build looks in build/Release, then in prebuilds/. It is found from zwire: a bundle may not see it.
    return nodeModule.createRequire(manifest)("node-gyp-build")(dirname(manifest)) as Addon;
  }
  const beside = join(dirname(file), "zwire.node");
  if (!existsSync(beside)) {
    throw new Error(
      `${file} is a bundle with neither zwire in a node_modules above it nor zwire.node beside it`,
    );
  }
  return nodeModule.createRequire(file)(beside) as Addon;
}

/** The file that this code is in: ours, or a bundle. */
function thisFile(): string | undefined {
  // CommonJS comes first, because there bundlers have no import.meta.url: esbuild's is undefined, webpack's a path of the
  // build. Do not ask for `typeof __filename`: webpack answers "string" where there is none.
  try {
    if (isAbsolute(__filename)) return __filename; // in `node -e` it is no path
  } catch {
    // an ES module
  }
  const url: string | undefined = import.meta.url;
  const file = url?.startsWith("file:") ? fileURLToPath(url) : undefined;
  // In an ES module of webpack it is a path of the build, which may not exist here: then the bundle is the program.
  return file !== undefined && existsSync(file) ? file : process.argv[1];
}

/** The package.json of the zwire that is installed: by its own name, which works from any file of the package. */
function installedManifest(file: string): string | undefined {
  try {
    return nodeModule.createRequire(file).resolve("zwire/package.json");
  } catch {
    return undefined; // a bundle
  }
}

/** Why `addon()` returned undefined. */
export function addonError(): Error | undefined {
  return loadError;
}
