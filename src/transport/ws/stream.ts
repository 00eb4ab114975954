/**
 * A WebSocket as a stream of ZMTP: the session above it reads and writes ZMTP, and knows nothing of ZWS. What ZWS leaves
 * out is made here: the peer's greeting follows from the sub-protocol, and without a mechanism READY from its identity.
 */
import { memoryGone } from "../../base/errors.js";
import type { HttpRequest } from "../../base/http.js";
import { totalNow } from "../../base/message.js";
import type { TlsPeer } from "../../base/tls.js";
import { acquireSlab, LARGE_SLAB_BYTES, releaseSlab } from "../../engine/outgoing/slab-pool.js";
import { COMMAND } from "../../wire/frame-format.js";
import { encodeCommand } from "../../wire/zmtp/command.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import {
  type EndOfWriting,
  FrameFault,
  type FrameLimits,
  type Stream,
  type StreamHandler,
} from "../contract/transport.js";
import type { Compression } from "../deflate/extension.js";
import { Packer } from "../deflate/packer.js";
import { CLOSE, CloseCode, closeFault, closePayload, controlFrame, PONG } from "./frame.js";
import { cookiesOf } from "./http.js";
import { Incoming, type IncomingSink } from "./incoming.js";
import { Outgoing } from "./outgoing.js";
import type { ZwsProtocol } from "./protocols.js";
import { FAREWELL_MS, type Relay, sayFarewell } from "./relay.js";
import type { UpgradeRequest } from "./upgrade.js";
import { greetingOf, readyOf } from "./zws.js";

/** How a WebSocket was agreed on. */
export interface Opening {
  readonly scheme: string;
  readonly protocol: ZwsProtocol;
  /** null where no message is compressed. */
  readonly compression: Compression | null;
  /** The response that opens it, from us as the server; null if we are the client. */
  readonly response: Buffer | null;
  /** Bytes behind the peer's request or response. */
  readonly leftover: Buffer;
  /** The type of the peer's socket, if it is in the request: ZWS 1.0. */
  readonly socketType: string | null;
  /** The answer if nobody starts the stream: it is refused. */
  readonly refusal: Buffer | null;
  /** The peer's request; null if we are the client. */
  readonly request: UpgradeRequest | null;
}

/** Slabs that are made in one turn at most. It takes some milliseconds; then timers and other sockets are served. */
const SLABS_PER_TURN = 64;
const NOTHING: Buffer = Buffer.alloc(0);
const PONG_COMMAND = encodeCommand("PONG", Buffer.alloc(0)).subarray(2);

/** Codes with which a peer leaves in order. */
const ORDERLY: readonly number[] = [CloseCode.normal, CloseCode.goingAway];

export class WebSocketStream implements Stream, StreamHandler, IncomingSink {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #inner: Stream;
  readonly #relay: Relay;
  readonly #server: boolean;
  #opening: Opening;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #packer: Packer | null;
  #handler: StreamHandler | null = null;
  #started = false;
  #closed = false;
  /** The peer has said its last word. */
  #answered = false;
  /** We have said ours, and still read. */
  #left = false;
  #paused = false;
  /** The inner stream has not taken everything yet. */
  #busy = false;
  /** The segments of the session's present write; null if there is none. */
  #segments: readonly Uint8Array[] | null = null;
  #total = 0;
  /** The slab of the chunk that is being written, and whether the last write was one. */
  #slab: Buffer | null = null;
  #wroteChunk = false;
  /** What goes out before the next message: our response, a Pong. */
  #control: Buffer | null = null;
  /** The last Ping that came, whose Pong is due: one answers for all of a chunk (RFC 6455 §5.5.3). */
  #pinged: Buffer | null = null;
  /** The connection has ended, and what it brought is still being unpacked. */
  #late: readonly [error: NodeJS.ErrnoException | undefined, pendingBytes: number] | null = null;
  /** The connection has ended before it was started. */
  #ended: readonly [error: NodeJS.ErrnoException | undefined] | null = null;

  constructor(inner: Stream, relay: Relay, opening: Opening) {
    this.#inner = inner;
    this.#relay = relay;
    this.#opening = opening;
    this.#server = opening.response !== null;
    this.#control = opening.response;
    const named = (address: string) => address.replace(/^[^:]*/, opening.scheme);
    this.remoteAddress = named(inner.remoteAddress);
    this.localAddress = named(inner.localAddress);
    const plain = opening.protocol.style === "plain";
    const { compression } = opening;
    this.#incoming = new Incoming(this.#server, plain, this, compression);
    this.#packer = compression === null ? null : new Packer(compression, () => this.#packed());
    this.#outgoing = new Outgoing(!this.#server, plain, this.#packer);
    relay.target = this;
  }

  get engine(): "native" | "portable" {
    return this.#inner.engine;
  }

  get http(): HttpRequest | undefined {
    const { request } = this.#opening;
    if (request === null) return undefined;
    return { url: request.target, headers: request.headers, cookies: cookiesOf(request.headers.cookie) };
  }

  get tls(): TlsPeer | undefined {
    return this.#inner.tls;
  }

  /** Without commands our PING becomes the WebSocket's own. */
  get answersPings(): boolean {
    return this.#opening.protocol.style === "plain";
  }

  get received(): number {
    return this.#inner.received;
  }

  get partial(): boolean {
    return this.#incoming.partial;
  }

  get unpacking(): boolean {
    return this.#incoming.waits;
  }

  get unsent(): number {
    return this.#inner.unsent + this.#unread;
  }

  get untaken(): number {
    return this.#pending(this.#inner.untaken);
  }

  /** Bytes of the present write that no chunk has. */
  get #unread(): number {
    return this.#segments === null ? 0 : this.#total - this.#outgoing.position;
  }

  /** @param inner bytes at the end of the inner stream's last write that the kernel has not taken */
  #pending(inner: number): number {
    if (this.#segments === null) return 0;
    return this.#total - this.#outgoing.taken(this.#wroteChunk ? inner : 0);
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    this.#started = true;
    process.nextTick(() => {
      this.zmtp(greetingOf(this.#opening.protocol));
      if (this.#opening.leftover.length > 0) this.onBytes(this.#opening.leftover);
      if (this.#ended !== null) this.onClose(...this.#ended, FrameFault.none, 0);
      else if (!this.#paused && !this.#closed) this.#inner.resume();
    });
    if (!this.#busy) this.#pump();
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    // The handshake is over: what it needed would stay in memory as long as the connection does.
    this.#opening = { ...this.#opening, response: null, refusal: null, request: null, leftover: NOTHING };
    this.#incoming.startFrames(limits, leftover);
  }

  // Out

  write(segments: readonly Uint8Array[]): number {
    this.#segments = segments;
    this.#total = totalNow(segments);
    this.#outgoing.begin(segments);
    this.#wroteChunk = false;
    return this.#busy ? this.#unread : this.#pump();
  }

  /** Writes on. @returns 0 if everything is written, or else a positive number; then onDrain follows */
  #pump(): number {
    if (!this.#intact()) return 1;
    for (let left = SLABS_PER_TURN; ; left--) {
      if (!this.#writeControl()) return 1;
      if (this.#segments === null) return 0;
      if (!this.#outgoing.remaining) break;
      if (this.#packer?.waits === true) return 1;
      if (left === 0 || this.#packer?.isTired() === true) {
        this.#busy = true;
        setImmediate(() => this.onDrain());
        return 1;
      }
      if (!this.#writeChunk()) return 1;
    }
    this.#segments = null;
    return 0;
  }

  #writeControl(): boolean {
    const control = this.#control;
    if (control === null || !this.#outgoing.whole) return true;
    this.#control = null;
    this.#wroteChunk = false;
    this.#busy = this.#inner.write([control]) > 0;
    return !this.#busy;
  }

  /** Only the program takes memory away, so that this is known once in a turn. False: the connection ends. */
  #intact(): boolean {
    if (this.#segments === null || this.#outgoing.bytesLeft === this.#total - this.#outgoing.position)
      return true;
    this.#busy = true; // for ever
    setImmediate(() => this.#end(memoryGone(), FrameFault.none, this.#unread, 0));
    return false;
  }

  #writeChunk(): boolean {
    const slab = acquireSlab(LARGE_SLAB_BYTES);
    const pieces = this.#outgoing.fill(slab);
    this.#wroteChunk = true;
    if (pieces.length > 0 && this.#inner.write(pieces) > 0) {
      this.#slab = slab;
      this.#busy = true;
      return false;
    }
    releaseSlab(slab);
    return true;
  }

  onDrain(): void {
    if (this.#closed) return;
    this.#busy = false;
    if (this.#slab !== null) releaseSlab(this.#slab);
    this.#slab = null;
    const writing = this.#segments !== null;
    if (this.#pump() === 0 && writing) this.#handler?.onDrain();
  }

  /** A message has been compressed by another thread. */
  #packed(): void {
    if (!this.#closed && !this.#busy) this.onDrain();
  }

  // In

  onBytes(chunk: Buffer): void {
    this.#incoming.push(chunk);
    if (this.#incoming.waits && !this.#closed) this.#inner.pause();
    this.#answerPing();
  }

  readOn(): void {
    this.#answerPing();
    if (this.#incoming.waits || this.#closed) return;
    const late = this.#late;
    this.#late = null;
    if (late !== null) this.onClose(late[0], FrameFault.none, late[1]);
    else if (!this.#paused) this.#inner.resume();
  }

  /** Our Close: nothing may follow it, and the peer ends its side with its own (RFC 6455 §5.5.1). */
  endWriting(): EndOfWriting {
    if (this.#busy || !this.#outgoing.whole) return "busy";
    this.#left = true;
    this.#busy =
      this.#inner.write([controlFrame(CLOSE, closePayload(CloseCode.goingAway, ""), !this.#server)]) > 0;
    return "ended";
  }

  #answerPing(): void {
    const pinged = this.#pinged;
    if (pinged === null || this.#closed || this.#left) return;
    this.#pinged = null;
    // If another one waits, this one takes its place.
    this.#control = controlFrame(PONG, pinged, !this.#server);
    if (!this.#busy) this.#writeControl();
  }

  // From Incoming

  zmtp(bytes: Buffer): void {
    this.#handler?.onBytes(bytes);
  }

  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    this.#handler?.onFrames(chunk, table, count);
  }

  onLargeFrame(body: Buffer, flags: number): void {
    this.#handler?.onLargeFrame(body, flags);
  }

  /** Without READY: what is known of the peer goes into one. */
  identity(payload: Buffer): void {
    const ready = readyOf(payload, this.#opening.socketType);
    if (ready === undefined) this.broken(CloseCode.protocolError, "the first message must be an identity");
    else this.zmtp(ready);
  }

  ping(payload: Buffer): void {
    this.#pinged = payload;
  }

  /** Without commands, our PING went as the WebSocket's own; see Outgoing. */
  pong(): void {
    if (this.#opening.protocol.style === "plain") this.onLargeFrame(Buffer.from(PONG_COMMAND), COMMAND);
  }

  closed(payload: Buffer): void {
    const fault = closeFault(payload);
    if (fault !== null) {
      this.broken(...fault);
      return;
    }
    const code = payload.length === 0 ? CloseCode.normal : payload.readUInt16BE(0);
    const error = ORDERLY.includes(code) ? undefined : refusedBy(code, payload.toString("utf8", 2));
    this.#answered = true;
    this.#end(error, FrameFault.none, this.untaken, code);
  }

  broken(code: number, text: string): void {
    const error = new ProtocolError("websocket", text, { rule: "RFC 6455" });
    this.#end(error, FrameFault.none, this.untaken, code);
  }

  fault(fault: FrameFault, size: number): void {
    const handler = this.#handler;
    const { untaken } = this;
    this.#close(CloseCode.tooBig);
    handler?.onClose(undefined, fault, untaken, size);
  }

  #end(error: Error | undefined, fault: FrameFault, pending: number, code: number): void {
    const handler = this.#handler;
    this.#close(code, error instanceof ProtocolError ? error.message : "");
    handler?.onClose(error, fault, pending, 0);
  }

  onClose(error: NodeJS.ErrnoException | undefined, _fault: FrameFault, pendingBytes: number): void {
    if (!this.#started) {
      this.#ended = [error];
      return;
    }
    if (this.#incoming.waits) {
      this.#late = [error, pendingBytes];
      return;
    }
    const pending = this.#pending(pendingBytes);
    const handler = this.#handler;
    this.#close(0);
    handler?.onClose(error, FrameFault.none, pending, 0);
  }

  // Ends

  close(): void {
    this.#close(CloseCode.normal);
  }

  /** @param code for a Close frame, if one can be sent; 0 for none */
  #close(code: number, reason = ""): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler = null;
    this.#incoming.stop();
    this.#packer?.stop();
    if (this.#slab !== null && !this.#busy) releaseSlab(this.#slab);
    this.#slab = null;
    const last = this.#lastWord(code, reason);
    if (last === null) {
      this.#inner.close();
      return;
    }
    const left = this.#inner.write([last]);
    // Nothing follows the peer's Close, and it waits until one side closes the connection.
    if (this.#answered && left === 0) this.#inner.close();
    else sayFarewell(this.#inner, this.#relay, FAREWELL_MS);
  }

  /** What the peer still gets; null if nothing can be sent. */
  #lastWord(code: number, reason: string): Buffer | null {
    if (code === 0 || this.#busy || this.#left || this.#ended !== null) return null;
    if (!this.#started) return this.#opening.refusal;
    const payload = closePayload(code, reason);
    return this.#outgoing.whole ? controlFrame(CLOSE, payload, !this.#server) : null;
  }

  pause(): void {
    this.#paused = true;
    this.#incoming.pause();
    this.#inner.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#incoming.resume();
    if (!this.#incoming.waits) this.readOn();
  }

  ref(): void {
    this.#inner.ref();
  }

  unref(): void {
    this.#inner.unref();
  }
}

/** The peer has closed for another reason than that it leaves. */
function refusedBy(code: number, reason: string): Error {
  const text = reason === "" ? "" : `, "${reason.replace(/[^\x20-\x7e]/g, "?")}"`;
  return Object.assign(new Error(`the peer closed the WebSocket: ${code}${text}`), { code: "ECONNRESET" });
}
