/**
 * A connection with TLS between the session and tcp. The session has it from the moment that tcp is connected, so that its
 * limits hold for the TLS handshake, too: admission, handshakeInterval, close. What it writes waits until the handshake is
 * complete and the other side is accepted. From then on a NodeStream over node:tls does the work.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TlsPeer } from "../../base/tls.js";
import {
  type EndOfWriting,
  FrameFault,
  type FrameLimits,
  type Stream,
  type StreamHandler,
} from "../contract/transport.js";
import { NodeStream } from "../node/stream.js";
import { certificateOf, handshakeError, leftOf } from "./peer.js";

/** What a handshake tells its stream: one of the three. */
export interface Shaking {
  /** The handshake is complete, and the other side accepted. */
  secured(socket: TLSSocket, peer: TlsPeer): void;
  /** The handshake is complete, and the other side refused. */
  refused(socket: TLSSocket, error: Error): void;
  failed(error: Error): void;
}

/** Begins the TLS handshake on a connected socket. */
export type Begin = (socket: Socket, shaking: Shaking) => void;

export class TlsStream implements Stream, Shaking {
  readonly engine = "portable";
  readonly secures = true;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  readonly #begin: Begin;
  readonly #role: "server" | "client";
  #inner: NodeStream | null = null;
  #handler: StreamHandler | null = null;
  /** The write of the session that waits for the end of the handshake. */
  #held: readonly Uint8Array[] | null = null;
  #paused = false;
  /** The socket is about to close by itself. */
  #refused = false;
  #peer: TlsPeer | undefined;

  constructor(
    socket: Socket,
    from: Pick<Stream, "remoteAddress" | "localAddress">,
    role: "server" | "client",
    begin: Begin,
  ) {
    this.#socket = socket;
    this.#role = role;
    this.#begin = begin;
    this.remoteAddress = `tls+${from.remoteAddress}`;
    this.localAddress = `tls+${from.localAddress}`;
    // Also what node:tls has no listener for, because the handshake has not begun or is over.
    socket.on("error", () => {});
    socket.once("close", () => setImmediate(() => this.#lost()));
  }

  get tls(): TlsPeer | undefined {
    return this.#peer;
  }

  get received(): number {
    return this.#inner?.received ?? 0;
  }

  get partial(): boolean {
    return this.#inner?.partial === true;
  }

  get unsent(): number {
    if (this.#inner === null) return this.#waiting;
    // What node:tls holds, and what tcp below it holds: only the latter changes while a slow peer takes a portion.
    const { _handle } = this.#socket as unknown as { _handle?: { writeQueueSize?: number } | null };
    return this.#inner.unsent + (_handle?.writeQueueSize ?? 0);
  }

  get untaken(): number {
    return this.#inner?.untaken ?? this.#waiting;
  }

  get #waiting(): number {
    return this.#held === null ? 0 : this.#held.reduce((sum, { length }) => sum + length, 0);
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (!this.#socket.destroyed) this.#begin(this.#socket, this);
  }

  // From the handshake

  secured(socket: TLSSocket, peer: TlsPeer): void {
    const handler = this.#handler;
    if (handler === null) {
      socket.destroy();
      return;
    }
    this.#peer = peer;
    const inner = new NodeStream(socket, this.remoteAddress, this.localAddress, true);
    this.#inner = inner;
    const ours = certificateOf(socket.getCertificate());
    inner.start(this.#untilTheFirstByte(handler, inner, ours));
    if (this.#paused) inner.pause();
    handler.onSecure?.();
    const held = this.#held;
    this.#held = null;
    if (held !== null && this.#handler !== null && inner.write(held) === 0) handler.onDrain();
  }

  /** A side that refuses our certificate can only leave: node:tls checks when the handshake is complete, and sends no alert. */
  #untilTheFirstByte(
    handler: StreamHandler,
    inner: NodeStream,
    ours: ReturnType<typeof certificateOf>,
  ): StreamHandler {
    return {
      onBytes: (chunk) => {
        inner.start(handler);
        handler.onBytes(chunk);
      },
      onFrames: (chunk, table, count) => handler.onFrames(chunk, table, count),
      onLargeFrame: (body, flags) => handler.onLargeFrame(body, flags),
      onDrain: () => handler.onDrain(),
      onClose: (error, fault, pendingBytes, size) => {
        const gone = error === undefined || error.code === "ECONNRESET" || error.code === "EPIPE";
        const told = gone && fault === FrameFault.none ? leftOf(this.#role, ours, error) : error;
        handler.onClose(told, fault, pendingBytes, size);
      },
    };
  }

  refused(socket: TLSSocket, error: Error): void {
    socket.on("error", () => {}); // nobody cares any more
    // The last bytes of the handshake go out first: without them the other side does not see that this is a refusal.
    this.#refused = true;
    socket.destroySoon();
    const handler = this.#handler;
    this.#handler = null;
    handler?.onClose(error, FrameFault.none, this.#waiting, 0);
  }

  failed(error: Error): void {
    const handler = this.#handler;
    const waiting = this.#waiting;
    this.close();
    handler?.onClose(error, FrameFault.none, waiting, 0);
  }

  /** The raw socket is closed. Without a handshake, nobody else tells. */
  #lost(): void {
    if (this.#inner === null) this.failed(handshakeError(undefined));
  }

  // From the session

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    this.#inner?.startFrames(limits, leftover);
  }

  write(segments: readonly Uint8Array[]): number {
    if (this.#inner !== null) return this.#inner.write(segments);
    this.#held = segments;
    return this.#waiting;
  }

  recycle(): void {
    this.#inner?.recycle();
  }

  endWriting(): EndOfWriting {
    return this.#inner?.endWriting() ?? "impossible";
  }

  pause(): void {
    this.#paused = true;
    this.#inner?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#inner?.resume();
  }

  close(): void {
    this.#handler = null;
    this.#held = null;
    if (this.#inner !== null) this.#inner.close();
    // Later: a handshake tells its end from inside OpenSSL, which may want to send an alert, and crashes without the socket.
    else if (!this.#refused) setImmediate(() => this.#socket.destroy());
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}
