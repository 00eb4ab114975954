/**
 * A browser's WebSocket as a stream of ZMTP. A page can neither stop it from reading nor learn when the kernel has taken
 * something: so what comes while nobody reads is kept, up to the byte mark, and `bufferedAmount` says how much waits to be
 * sent.
 */
import { ZmqError } from "../base/errors.js";
import { bytesNow, totalNow } from "../base/message.js";
import { Buffer, setImmediate, setTimeout } from "../base/platform.js";
import { writeFrameHeader } from "../engine/frame-header.js";
import { FrameDecoder } from "../engine/incoming/decoder.js";
import {
  FrameFault,
  type FrameLimits,
  type Stream,
  type StreamHandler,
} from "../transport/contract/transport.js";
import type { ZwsProtocol } from "../transport/ws/protocols.js";
import { greetingOf, readyOf, zmtpFlags } from "../transport/ws/zws.js";
import { LONG_HEADER } from "../wire/frame-format.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { OutgoingFrames } from "./outgoing-frames.js";
import type { CloseReason, WebSocketLike } from "./web-socket.js";

/** While more than this waits in the browser, a write counts as not taken. */
const BUFFERED_MOST = 256 * 1024;
/** The next write may go when no more than this waits. */
const BUFFERED_LOW = 64 * 1024;
/** How often to look: nothing tells. */
const LOOK_MS = 4;
/** `readyState` of a WebSocket that sends. */
const OPEN = 1;
/** Close codes (RFC 6455 §7.4.1); a page may send only 1000 and those from 3000. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const NO_CODE = 1005;
const PROTOCOL_ERROR = 3002;
const TOO_BIG = 3009;
/** Bytes that a kept message counts besides its own. */
const KEPT_COST = 112;

/** What the stream goes by; `receiveHighWaterMarkBytes` is read afresh. */
interface Limits {
  readonly receiveHighWaterMarkBytes?: number;
}

export class PageStream implements Stream {
  readonly engine = "portable";
  readonly remoteAddress: string;
  readonly localAddress: string;
  received = 0;
  readonly partial = false;
  readonly #socket: WebSocketLike;
  readonly #protocol: ZwsProtocol;
  readonly #options: Limits;
  readonly #outgoing: OutgoingFrames;
  #handler: StreamHandler | null = null;
  #decoder: FrameDecoder | null = null;
  /** The next message is the peer's identity. */
  #identifies: boolean;
  #closed = false;
  /** The peer has ended the connection, but there is more to read. */
  #ended: CloseReason | null = null;
  /** Not before start(). */
  #paused = true;
  /** What was kept is being delivered. */
  #delivering = false;
  /** Messages that came while nobody read. */
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #draining = false;
  /** Bytes of a write that came when the WebSocket was ending. */
  #refused = 0;

  constructor(socket: WebSocketLike, url: string, protocol: ZwsProtocol, options: object) {
    this.#socket = socket;
    this.remoteAddress = url;
    this.localAddress = url;
    this.#protocol = protocol;
    this.#options = options as Limits;
    const plain = protocol.style === "plain";
    this.#identifies = plain;
    this.#outgoing = new OutgoingFrames(plain, (message) => socket.send(message));
    socket.onmessage = ({ data }) => this.#arrived(data);
    socket.onclose = (reason) => this.#onClose(reason);
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    setImmediate(() => {
      this.#handler?.onBytes(greetingOf(this.#protocol));
      this.resume();
    });
  }

  startFrames(limits: FrameLimits, leftover: Uint8Array): void {
    // Never called: a message is handed over whole, and none is cut.
    const onFrames = (): void => {};
    this.#decoder = new FrameDecoder(limits, { onFrames, onLargeFrame: onFrames });
    if (leftover.length > 0) this.#broken("a frame of the handshake is followed by others in one message");
  }

  // In

  #arrived(data: unknown): void {
    if (this.#closed) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#broken("a message of text");
      return;
    }
    this.received += data.byteLength;
    const message = Buffer.from(data);
    if (!this.#paused) {
      this.#deliver(message);
      return;
    }
    this.#kept.push(message);
    this.#keptBytes += message.length + KEPT_COST;
    const most = this.#options.receiveHighWaterMarkBytes ?? 0;
    if (most > 0 && this.#keptBytes > most) this.#overrun(most);
  }

  #deliver(message: Buffer): void {
    if (this.#identifies) {
      this.#identifies = false;
      const ready = readyOf(message, null);
      if (ready === undefined) this.#broken("the first message must be an identity");
      else this.#handler?.onBytes(ready);
      return;
    }
    if (message.length === 0) {
      this.#broken("an empty message");
      return;
    }
    const flags = zmtpFlags(message[0]);
    const body = message.subarray(1);
    const decoder = this.#decoder;
    if (decoder === null) {
      const header = Buffer.allocUnsafe(LONG_HEADER);
      const end = writeFrameHeader(header, 0, flags, body.length);
      this.#handler?.onBytes(Buffer.concat([header.subarray(0, end), body]));
      return;
    }
    const fault = decoder.admit(flags, body.length);
    if (fault === FrameFault.none) this.#handler?.onLargeFrame(body, flags);
    else this.#end(undefined, TOO_BIG, fault, decoder.faultSize);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    // Called by who gets what was kept: the loop below goes on.
    if (this.#delivering) return;
    this.#delivering = true;
    let count = 0;
    try {
      while (count < this.#kept.length && !this.#paused) {
        const message = this.#kept[count++];
        this.#keptBytes -= message.length + KEPT_COST;
        this.#deliver(message);
      }
    } finally {
      this.#delivering = false;
      this.#kept.splice(0, count);
    }
    if (this.#ended !== null && this.#kept.length === 0) this.#over(this.#ended);
  }

  // Out

  write(segments: readonly Uint8Array[]): number {
    // It would drop them, and the end is told in a moment: they go out on the next connection.
    if (this.#socket.readyState !== OPEN) {
      this.#refused = totalNow(segments);
      return this.#refused;
    }
    this.#outgoing.begin();
    for (const segment of segments) if (bytesNow(segment) > 0) this.#outgoing.push(segment);
    if (this.#socket.bufferedAmount <= BUFFERED_MOST) return 0;
    this.#draining = true;
    this.#look();
    return this.unsent;
  }

  #look(): void {
    setTimeout(() => {
      if (this.#closed) return;
      if (this.#socket.bufferedAmount > BUFFERED_LOW) this.#look();
      else {
        this.#draining = false;
        this.#handler?.onDrain();
      }
    }, LOOK_MS);
  }

  get unsent(): number {
    return this.#draining ? this.#socket.bufferedAmount : this.#refused;
  }

  /** Once the browser has not more than BUFFERED_MOST of it, a write counts as taken, as with a kernel. */
  get untaken(): number {
    return this.#draining ? this.#outgoing.behind(this.#socket.bufferedAmount) : this.#refused;
  }

  // Ends

  #broken(text: string): void {
    this.#end(new ProtocolError("websocket", text, { rule: "RFC 45" }), PROTOCOL_ERROR, FrameFault.none, 0);
  }

  /** A page cannot stop its peer from sending. */
  #overrun(most: number): void {
    const error = new ZmqError("ENOBUFS", {
      address: this.remoteAddress,
      detail: `more than ${most} bytes arrived that nobody has received (receiveHighWaterMarkBytes): a page cannot make its peer wait`,
    });
    this.#end(error, TOO_BIG, FrameFault.none, 0);
  }

  #end(error: Error | undefined, code: number, fault: FrameFault, size: number): void {
    const handler = this.#handler;
    const { untaken } = this;
    this.#close(code);
    handler?.onClose(error, fault, untaken, size);
  }

  #onClose(reason: CloseReason): void {
    this.#ended = reason;
    if (this.#kept.length === 0 && this.#handler !== null) this.#over(reason);
  }

  /** The connection is over, and everything that came has been delivered. */
  #over({ code, reason }: CloseReason): void {
    const orderly = [NORMAL, GOING_AWAY, NO_CODE].includes(code);
    const text = `the connection was lost: WebSocket close code ${code}${reason === "" ? "" : `, "${reason}"`}`;
    const error = orderly ? undefined : Object.assign(new Error(text), { code: "ECONNRESET" });
    this.#end(error, NORMAL, FrameFault.none, 0);
  }

  close(): void {
    this.#close(NORMAL);
  }

  #close(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler = null;
    this.#kept.length = 0;
    this.#decoder?.close();
    const socket = this.#socket;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(code);
  }

  ref(): void {}

  unref(): void {}
}
