/**
 * The contracts between a session and whatever moves its bytes: a `Stream` is one established connection, an
 * `Acceptor` is one listening endpoint, and a `Transport` makes both for one scheme. Two engines implement them (the
 * addon and `node:net`), and every test above this layer runs on both.
 *
 * Sockets, patterns and ZMTP do not appear here, except for the flags of frames.
 */

import type { HttpRequest } from "../../base/http.js";
import type { Buffer, SystemError } from "../../base/platform.js";
import type { TlsPeer } from "../../base/tls.js";
import type { TlsSettings } from "../../security/tls/settings.js";
import { FrameFault, type FrameLimits } from "../../wire/frame-limits.js";

export { FrameFault, type FrameLimits };

/**
 * What a stream tells its session. It calls from the event loop, never from inside a call on the stream (but see
 * startFrames).
 */
export interface StreamHandler {
  /** Byte mode: bytes as they were read. The handler may keep the chunk. */
  onBytes(chunk: Buffer): void;
  /**
   * Frame mode: `count` complete frames. `table` says where their bodies lie in `chunk` (FRAME_ENTRY_SIZE integers per
   * frame). The handler may keep the chunk. The table is valid only during the call, and the handler may overwrite it.
   */
  onFrames(chunk: Buffer, table: Uint32Array, count: number): void;
  /** Frame mode: one frame whose body has separate memory. It arrives in order with those of onFrames. */
  onLargeFrame(body: Buffer, flags: number): void;
  /** The kernel has now taken all of the write that returned a positive number. */
  onDrain(): void;
  /** The TLS handshake is complete, and the other side accepted: the stream has `tls`. Not called where there is no TLS. */
  onSecure?(): void;
  /** From now on, what is written goes through shared memory: the stream has `memory`. */
  onMemory?(): void;
  /** The peer has offered memory that parts of its messages may lie in; undefined if it cannot be mapped. */
  onPool?(memory: PeerPool | undefined): void;
  /**
   * The connection has ended. Called exactly once, unless the session called `close()` first.
   * @param error undefined if the peer closed the connection in order, or else an Error with a `code` (errno name)
   * @param fault why the frame decoder refused a frame, or FrameFault.none
   * @param pendingBytes bytes at the end of the last write that the kernel has certainly not taken; with shared memory,
   * if the peer has ended the connection, all bytes that it has not read
   * @param size with a fault: the size, or the number of parts, that was too large
   */
  onClose(error: SystemError | undefined, fault: FrameFault, pendingBytes: number, size: number): void;
}

/** The process at the other end of an ipc connection, as it was when it connected. */
export interface PeerCredentials {
  readonly processId: number;
  readonly userId: number;
  readonly groupId: number;
}

/** Memory that both sides of a connection share, so that bytes need not pass through the kernel. Positions count bytes. */
export interface SharedMemory {
  /** What has been written into it. */
  readonly written: number;
  /** What the peer has read of it. Stays readable, and exact, when the connection has ended. */
  readonly passed: number;
  /**
   * How much of some segments of a write the peer has not read.
   * @param segments whole frames, which write() has got and which have not changed
   * @param behind bytes up to the end of what became of these segments that the peer has not read
   * @returns bytes at the end of the segments; if it has read nothing of them, as many as they have or more
   */
  unread(segments: readonly Uint8Array[], behind: number): number;
  /**
   * How much of the memory such frames take.
   * @param bytes the length of all segments
   */
  extent(segments: readonly Uint8Array[], bytes: number): number;
}

/** Memory of a peer, mapped for reading. */
export interface PeerPool {
  readonly memory: ArrayBuffer;
  /** Unmaps it: views of it have no bytes from now on. */
  close(): void;
}

/** Memory of this process that peers on this machine can map for reading. */
export interface LoanMemory {
  /** All of it. */
  readonly memory: ArrayBuffer;
  /** Another ArrayBuffer over a part of it; undefined where the system allows none. */
  view(offset: number, bytes: number): ArrayBuffer | undefined;
  /** Takes the memory away from an ArrayBuffer that `view` made. */
  detach(view: ArrayBuffer): void;
  /** No further peer can map it. */
  close(): void;
}

/** What became of endWriting(). "busy": something of the stream's own must go out first, so call it again later. */
export type EndOfWriting = "ended" | "busy" | "impossible";

/** One established connection. */
export interface Stream {
  /** The engine that carries the connection. */
  readonly engine: "native" | "portable";
  /** The peer's endpoint, such as `tcp://127.0.0.1:54321` or `ipc://path`. */
  readonly remoteAddress: string;
  /** Our endpoint of this connection. */
  readonly localAddress: string;
  /** Bytes read so far. A change is a sign of life, even before a large frame is complete. Read rarely. */
  readonly received: number;
  /** Whether a frame has arrived in part. Read rarely. */
  readonly partial: boolean;
  /** Whether bytes that have come are still in the stream, which unpacks them before it reads on. Absent if none ever are. */
  readonly unpacking?: boolean;
  /**
   * Bytes that were written and that the kernel has not taken. A change means that a slow peer makes progress. Read
   * rarely.
   */
  readonly unsent: number;
  /**
   * Bytes at the end of the last write that the kernel has certainly not taken, as onClose would tell them. A session
   * that ends the connection itself reads this before close().
   */
  readonly untaken: number;
  /** Whether bytes could go through shared memory, if the peer can do so, too: ipc of the native engine on Linux. */
  readonly sharable?: boolean;
  /** Through which what is written goes; null as long as it goes through the kernel. */
  readonly memory?: SharedMemory | null;
  /**
   * Before start(): we shall tell the peer that we can share memory.
   * @param bytes size of the ring for what we write, a power of two
   * @param spinMicroseconds how long to look for bytes in memory before the event loop sleeps
   */
  share?(bytes: number, spinMicroseconds: number): void;
  /** After share(), when the handshake is complete: whether the peer can, too. Then the stream may share memory. */
  agreed?(yes: boolean): void;
  /**
   * Whether the stream begins with a TLS handshake, which start() begins. Until it is complete (onSecure), nothing is read and
   * what is written waits.
   */
  readonly secures?: boolean;
  /** What TLS knows about the peer; undefined before the end of the handshake, and without TLS. */
  readonly tls?: TlsPeer;
  /** ws: the request of a client that we accepted. */
  readonly http?: HttpRequest;
  /** Whether every peer answers a PING, whatever its version of ZMTP: ws. */
  readonly answersPings?: boolean;
  /** Who the peer is. undefined if the system does not tell, and for all schemes except ipc. */
  peerCredentials?(): PeerCredentials | undefined;
  /** After agreed(true): offers memory to the peer, which may map it. False: the peer cannot get it. */
  offer?(memory: LoanMemory): boolean;
  /** From now on, large bodies arrive in memory that programs have given back (recycledBuffer). */
  recycle?(): void;
  /** Begins to read, in byte mode. Called once by the owner of the stream. */
  start(handler: StreamHandler): void;
  /**
   * Switches to frame mode. `leftover` are bytes that onBytes has delivered and that belong to frames. They are decoded
   * first, and their frames may be delivered before this returns.
   */
  startFrames(limits: FrameLimits, leftover: Uint8Array): void;
  /**
   * Gives bytes to the kernel. At most one write may be pending: after a positive result, do not write again
   * before onDrain. Segments must not change until the kernel has taken them.
   * @returns bytes that the kernel, or shared memory, has not taken yet; 0 if it has taken all. Errors arrive in onClose
   */
  write(segments: readonly Uint8Array[]): number;
  /**
   * Half-closes: the peer finds the end behind what was written, and reading goes on to its own end. Call it when no write
   * is pending; afterwards nothing is written. Absent if the stream cannot do this.
   * @param peerKeeps the peer sends what it has not sent on another connection: of shared memory that is all that we have not
   * read, so that reading on would take it twice
   */
  endWriting?(peerKeeps: boolean): EndOfWriting;
  /** Stops reading. What has been read already may still be delivered. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Closes at once, and drops what is pending. onClose is not called afterwards. May be called again. */
  close(): void;
  /** Keeps the event loop alive while this stream is open (the default). */
  ref(): void;
  /** Does not keep the event loop alive for this stream. */
  unref(): void;
}

/** What an acceptor tells its listener. */
export interface AcceptorHandler {
  onStream(stream: Stream): void;
  /** A connection could not be accepted (for example EMFILE). The acceptor continues to listen. */
  onError(error: SystemError): void;
}

/** One listening endpoint. */
export interface Acceptor {
  /** The actual endpoint, with the real port or path. */
  readonly address: string;
  /** Stops listening, and removes an ipc file if it is still ours. Resolves when the address is free. */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

/** Options that reach the operating system's sockets. -1 leaves the system's value. */
export interface TransportOptions {
  /** Milliseconds for one attempt to connect, including the look-up of a name and all its addresses; 0 for no limit. */
  readonly connectTimeout: number;
  /** SO_SNDBUF in bytes. */
  readonly sendBufferSize: number;
  /** SO_RCVBUF in bytes. */
  readonly receiveBufferSize: number;
  /** SO_KEEPALIVE: 0 off, 1 on. */
  readonly tcpKeepalive: number;
  /** TCP_KEEPCNT: probes without an answer before a connection counts as dead. */
  readonly tcpKeepaliveCount: number;
  /** TCP_KEEPIDLE: seconds of silence before the first probe. */
  readonly tcpKeepaliveIdle: number;
  /** TCP_KEEPINTVL: seconds between probes. */
  readonly tcpKeepaliveInterval: number;
  /** The most connections that may wait to be accepted. */
  readonly backlog: number;
  /** Whether IPv6 may be used. If so, a wildcard bind accepts IPv4 and IPv6. */
  readonly ipv6: boolean;
  /** tcp: IP_TOS and IPV6_TCLASS; 0 leaves the system's value. */
  readonly typeOfService: number;
  /** tcp: name of the network device that sockets are bound to; null for any. */
  readonly interface: string | null;
  /** tcp: SO_PRIORITY; 0 leaves the system's value. */
  readonly priority: number;
  /** tcp: SO_BUSY_POLL in microseconds; 0 leaves the system's value. */
  readonly busyPoll: number;
  /** tcp: TCP_USER_TIMEOUT in milliseconds; 0 leaves the system's value. */
  readonly tcpMaxRetransmitTimeout: number;
  /** tcp: `host:port` of the SOCKS5 proxy to connect through; null connects directly. */
  readonly socksProxy: string | null;
  /** User name for the proxy; null offers it no authentication. */
  readonly socksUsername: string | null;
  /** Password for the proxy; null sends an empty one. */
  readonly socksPassword: string | null;
  /** Milliseconds that a handshake may take, and that the proxy may take for its answer; 0 for no limit. */
  readonly handshakeInterval: number;
  /** tcp: ranges of addresses that may connect to us; empty lets everyone connect (R12). */
  readonly tcpAcceptFilter: readonly string[];
  /** ipc: permissions of the socket file; null leaves them to the umask. */
  readonly ipcFileMode: number | null;
  /** ipc: users, primary groups and processes that may connect to us; if all three are empty, everyone may (R19). */
  readonly ipcFilterUserIds: readonly number[];
  readonly ipcFilterGroupIds: readonly number[];
  readonly ipcFilterProcessIds: readonly number[];
  /** A listening descriptor to take over instead of making a new one; -1 for none (R25). */
  readonly useFd: number;
  /** Certificates and keys for TLS. It may change: a transport reads it anew for each connection. */
  readonly tls: TlsSettings | null;
  /** ws: the mechanism, which the sub-protocol names. */
  readonly security: { readonly mechanism: string };
  /** ws: connections that have not asked for a WebSocket yet, at most; 0 for no limit. */
  readonly maxHandshakes: number;
  /** ws: web sites whose pages may connect, in lower case; null for all. */
  readonly allowedOrigins: readonly string[] | null;
  /** ws: whether to compress messages, from which size on. */
  readonly perMessageDeflate: boolean | { readonly threshold?: number };
  /** ws: most bytes that a compressed part may unpack to; -1 for the transport's own limit. */
  readonly maxMessageSize: number;
}

/**
 * Everything about one scheme, such as `tcp`: the form of its addresses, the options that it honours, and how to listen
 * and to connect. `address` is the part of an endpoint behind `://`.
 */
export interface Transport {
  /**
   * Checks an address and the options for bind(), so that bind() throws at once for those that can never work.
   * @throws ZmqError EINVAL, ENAMETOOLONG, ENOTSUP, ENODEV, EPERM
   */
  checkBind(address: string, options: TransportOptions): void;
  /** As checkBind, for connect(). */
  checkConnect(address: string, options: TransportOptions): void;
  /**
   * Whether each bind of the address gives another endpoint, because the system chooses a port or a path. Absent if the
   * scheme has no such address.
   */
  isWildcard?(address: string): boolean;
  /** Whether it carries frames only, so that a Stream cannot use it. */
  readonly framed?: boolean;
  /** The address as lastEndpoint shows it after connect(). Absent if that is how it was given. */
  named?(address: string): string;
  /** @param takeOver ipc: take over a path even if another socket serves it, as libzmq does, instead of EADDRINUSE */
  listen(
    address: string,
    options: TransportOptions,
    handler: AcceptorHandler,
    takeOver: boolean,
  ): Promise<Acceptor>;
  /**
   * As listen, but it listens when this returns. It cannot look up a host name with a name server. And it takes over an
   * ipc path even if another socket serves it, because it takes time to find out whether one does.
   */
  listenSync(address: string, options: TransportOptions, handler: AcceptorHandler): Acceptor;
  /**
   * @param signal aborts the attempt
   * @param refed whether the attempt keeps the event loop alive, as the stream does afterwards
   * @param host a numeric address of the host, which is not looked up then
   */
  connect(
    address: string,
    options: TransportOptions,
    signal: AbortSignal,
    refed: boolean,
    host?: string,
  ): Promise<Stream>;
  /** How names are looked up, for who connects to each of their addresses. Absent if addresses contain no names. */
  readonly names?: HostNames;
}

/** Looks up all addresses of a name; the form of node:dns.lookup with `all: true`. `family` 0 is both, 4 is IPv4. */
export type LookupAll = (
  hostname: string,
  options: { readonly all: true; readonly family: 0 | 4 },
  callback: (
    error: Error | null,
    addresses: readonly { readonly address: string; readonly family: number }[],
  ) => void,
) => void;

/** Host names in the addresses of a scheme. */
export interface HostNames {
  readonly lookup: LookupAll;
  /** The host of a connect address. @throws ZmqError EINVAL if the options leave it to somebody else to find it */
  hostOf(address: string, options: TransportOptions): string;
  /** A connect address with another host. */
  at(address: string, host: string): string;
}
