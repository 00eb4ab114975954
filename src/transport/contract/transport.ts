/**
 * The contracts between a session and whatever moves its bytes: a `Stream` is one established connection, an
 * `Acceptor` one listening endpoint, a `Transport` makes both for one scheme. Two engines implement them (the
 * addon and `node:net`), and every test above this file runs on both.
 *
 * Knows nothing of sockets, patterns or ZMTP beyond the frame flags.
 */

import { FrameFault, type FrameLimits } from "../../wire/frame-limits.js";

export { FrameFault, type FrameLimits };

/** What a stream tells its session. Every call comes from the event loop, never from inside a call on the stream. */
export interface StreamHandler {
  /** Byte mode: bytes as they came. The chunk belongs to the handler. */
  onBytes(chunk: Buffer): void;
  /**
   * Frame mode: `count` whole frames, whose bodies lie in `chunk` as `table` says (FRAME_ENTRY_SIZE integers
   * each). The chunk belongs to the handler; the table is valid only during the call, and may be overwritten.
   */
  onFrames(chunk: Buffer, table: Uint32Array, count: number): void;
  /** Frame mode: one frame that has memory of its own, in order with the ones from onFrames. */
  onLargeFrame(body: Buffer, flags: number): void;
  /** The write that returned a positive number has now been taken by the kernel whole. */
  onDrain(): void;
  /**
   * The connection is gone; called exactly once, unless the session itself called `close()` first.
   * @param error undefined where the peer closed in an orderly way; else an Error with a `code` (errno name)
   * @param fault what the frame decoder refused, or FrameFault.none
   * @param pendingBytes bytes at the end of the last write that the kernel is known not to have taken
   * @param size with a fault: the size, or the number of parts, that was too large
   */
  onClose(
    error: NodeJS.ErrnoException | undefined,
    fault: FrameFault,
    pendingBytes: number,
    size: number,
  ): void;
}

/** The process at the other end of an ipc connection, as it was when it connected. */
export interface PeerCredentials {
  readonly processId: number;
  readonly userId: number;
  readonly groupId: number;
}

/** One established connection. */
export interface Stream {
  /** Engine that carries it. */
  readonly engine: "native" | "portable";
  /** Endpoint of the far side, such as `tcp://127.0.0.1:54321`, or `ipc://path`. */
  readonly remoteAddress: string;
  /** Endpoint of our side. */
  readonly localAddress: string;
  /** Bytes read since the beginning: a change is a sign of life, long before a large frame is whole. Asked for rarely. */
  readonly received: number;
  /** Whether a frame has begun to arrive, and its end has not. Asked for rarely. */
  readonly partial: boolean;
  /** Bytes that were written and the kernel has not taken: a change is progress of a slow line. Asked for rarely. */
  readonly unsent: number;
  /**
   * Bytes at the end of the last write that are known not to have been taken, as onClose would tell them. For a session
   * that ends the connection itself: asked before close().
   */
  readonly untaken: number;
  /** undefined where the system does not tell, and over anything but ipc. */
  peerCredentials?(): PeerCredentials | undefined;
  /** Begin to read, in byte mode. Called once by whom the stream was given to. */
  start(handler: StreamHandler): void;
  /** Switch to frame mode. `leftover` are bytes already handed out by onBytes that belong to frames; they are
   * decoded first, and their frames may be delivered before this returns. */
  startFrames(limits: FrameLimits, leftover: Uint8Array): void;
  /**
   * Hand bytes to the kernel. At most one write may be pending: after a positive result, do not write again
   * before onDrain. Segments must not change until the kernel has taken them.
   * @returns bytes that the kernel has not taken yet; 0 when all are gone. Errors arrive in onClose.
   */
  write(segments: readonly Uint8Array[]): number;
  /** Stop reading; a batch already read may still be delivered. */
  pause(): void;
  /** Read again. */
  resume(): void;
  /** Close now, dropping what is pending. onClose is not called afterwards. Idempotent. */
  close(): void;
  /** Let the event loop stay alive for this stream (the default). */
  ref(): void;
  /** Do not let the event loop stay alive for this stream. */
  unref(): void;
}

/** What an acceptor tells its listener. */
export interface AcceptorHandler {
  onStream(stream: Stream): void;
  /** A connection could not be accepted (for example EMFILE); the acceptor goes on. */
  onError(error: NodeJS.ErrnoException): void;
}

/** One listening endpoint. */
export interface Acceptor {
  /** The actual endpoint, with the real port or path. */
  readonly address: string;
  /** Stop listening and remove an ipc file that is still ours. Resolves when the address is free. */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

/** Options that reach the operating system's sockets. -1 leaves the system's value. */
export interface TransportOptions {
  /** Milliseconds for one attempt to connect, look-up and all addresses of a name included; 0 for no limit. */
  readonly connectTimeout: number;
  /** SO_SNDBUF in bytes. */
  readonly sendBufferSize: number;
  /** SO_RCVBUF in bytes. */
  readonly receiveBufferSize: number;
  /** -1 system default, 0 off, 1 on. */
  readonly tcpKeepalive: number;
  /** Probes before a connection counts as dead. */
  readonly tcpKeepaliveCount: number;
  /** Seconds of silence before the first probe. */
  readonly tcpKeepaliveIdle: number;
  /** Seconds between probes. */
  readonly tcpKeepaliveInterval: number;
  /** Length of the queue of connections not yet accepted. */
  readonly backlog: number;
  /** Whether IPv6 is used; a wildcard bind is dual-stack then. */
  readonly ipv6: boolean;
  /** tcp: IP_TOS and IPV6_TCLASS; 0 leaves the system's. */
  readonly typeOfService: number;
  /** tcp: name of the network device that sockets are bound to; null for any. */
  readonly interface: string | null;
  /** tcp: SO_PRIORITY; 0 leaves the system's. */
  readonly priority: number;
  /** tcp: SO_BUSY_POLL in microseconds; 0 leaves the system's. */
  readonly busyPoll: number;
  /** tcp: TCP_USER_TIMEOUT in milliseconds; 0 leaves the system's. */
  readonly tcpMaxRetransmitTimeout: number;
  /** tcp: `host:port` of the SOCKS5 proxy to connect through; null connects directly. */
  readonly socksProxy: string | null;
  /** Null: no authentication is offered to the proxy. */
  readonly socksUsername: string | null;
  readonly socksPassword: string | null;
  /** Milliseconds that a handshake may take, the proxy's included; 0 for ever. */
  readonly handshakeInterval: number;
  /** tcp: ranges of addresses that may connect to us; empty for everybody (R12). */
  readonly tcpAcceptFilter: readonly string[];
  /** ipc: permissions of the file that listening makes; null leaves them to the umask. */
  readonly ipcFileMode: number | null;
  /** ipc: users, primary groups and processes that may connect to us; everybody where all three are empty (R19). */
  readonly ipcFilterUserIds: readonly number[];
  readonly ipcFilterGroupIds: readonly number[];
  readonly ipcFilterProcessIds: readonly number[];
  /** A listening descriptor to take over instead of making one; -1 for none (R25). */
  readonly useFd: number;
}

/**
 * All that zwire knows of one scheme, such as `tcp`: what its addresses look like, which options it honours, and how to
 * listen and to connect. `address` is what follows `://`.
 */
export interface Transport {
  /**
   * Checks an address and the options for bind(), so that what can never work throws at once.
   * @throws ZmqError EINVAL, ENAMETOOLONG, ENOTSUP, ENODEV, EPERM
   */
  checkBind(address: string, options: TransportOptions): void;
  /** As checkBind, for connect(). */
  checkConnect(address: string, options: TransportOptions): void;
  /**
   * Whether each bind of the address makes another endpoint: a port or a path that the system chooses. Absent where no
   * address does.
   */
  isWildcard?(address: string): boolean;
  /** @param takeOver ipc: also a path that somebody serves, as libzmq does, instead of EADDRINUSE */
  listen(
    address: string,
    options: TransportOptions,
    handler: AcceptorHandler,
    takeOver: boolean,
  ): Promise<Acceptor>;
  /**
   * As listen, before it returns; a host name that only a name server knows cannot be had this way, and a path that
   * somebody serves is taken over: whether anybody does cannot be known at once.
   */
  listenSync(address: string, options: TransportOptions, handler: AcceptorHandler): Acceptor;
  /**
   * @param signal aborts an attempt that is under way
   * @param refed whether the attempt keeps the event loop alive, as the stream does afterwards
   */
  connect(address: string, options: TransportOptions, signal: AbortSignal, refed: boolean): Promise<Stream>;
}
