/**
 * WebSocket frames that are not whole binary messages: control frames, fragments, and what must be refused (RFC 6455 §5;
 * items X9 to X11).
 */
import {
  BINARY,
  CLOSE,
  CloseCode,
  CONTINUATION,
  CONTROL,
  CONTROL_MAX,
  FIN,
  OPCODE,
  PACKED,
  PING,
  RESERVED_BITS,
  TEXT,
} from "./frame.js";

/** Bytes of the first memory of a message in fragments. */
const FIRST_BYTES = 1024;
/** Bytes that a compressed message of any size may be larger than what is in it. */
const PACKED_MARGIN = 64;

export interface OddSink {
  ping(payload: Buffer): void;
  pong(): void;
  /** The peer closes the WebSocket. */
  closed(payload: Buffer): void;
  /** The peer broke the protocol: close with this code. */
  broken(code: number, text: string): void;
}

export class OddFrames {
  readonly #masked: boolean;
  /** Whether messages may be compressed. */
  readonly #deflate: boolean;
  readonly #sink: OddSink;
  readonly #message: (payload: Buffer, packed: boolean) => void;
  /** A message of several frames has begun. */
  fragmented = false;
  #first = 0;
  #packed = false;
  /** The payload of the present control frame. */
  #control: Buffer | null = null;
  #controlLength = 0;
  /** The message so far. */
  #bytes: Buffer | null = null;
  #length = 0;
  #stopped = false;

  constructor(
    masked: boolean,
    deflate: boolean,
    sink: OddSink,
    message: (payload: Buffer, packed: boolean) => void,
  ) {
    this.#masked = masked;
    this.#deflate = deflate;
    this.#sink = sink;
    this.#message = message;
  }

  /**
   * A frame begins.
   * @param first its first byte
   * @param most bytes of a message at most
   * @returns whether it may
   */
  begin(first: number, masked: boolean, length: number, most: number): boolean {
    const fault = this.#fault(first, masked, length, most);
    if (fault !== null) {
      this.#sink.broken(...fault);
      return false;
    }
    this.#first = first;
    if ((first & OPCODE) === BINARY) this.#packed = (first & PACKED) !== 0;
    if ((first & CONTROL) !== 0) {
      this.#control = Buffer.allocUnsafe(length);
      this.#controlLength = 0;
    } else this.#control = null;
    return true;
  }

  #fault(first: number, masked: boolean, length: number, most: number): readonly [number, string] | null {
    const opcode = first & OPCODE;
    const broken = (text: string) => [CloseCode.protocolError, text] as const;
    const reserved = this.#reservedFault(first);
    if (reserved !== null) return broken(reserved);
    if (masked !== this.#masked)
      return broken(masked ? "a server's frame with a mask" : "a client's frame without a mask");
    if ((opcode & CONTROL) !== 0) {
      if (opcode > 0xa) return broken(`a frame with opcode ${opcode}`);
      if ((first & FIN) === 0) return broken("a control frame in fragments");
      return length > CONTROL_MAX ? broken(`a control frame of ${length} bytes`) : null;
    }
    if (opcode > BINARY) return broken(`a frame with opcode ${opcode}`);
    if (opcode === TEXT) return [CloseCode.unsupportedData, "a text message: ZWS has binary ones only"];
    if (opcode === CONTINUATION && !this.fragmented) return broken("a fragment that continues nothing");
    if (opcode === BINARY && this.fragmented) return broken("a message inside another one");
    if (opcode === BINARY && (first & FIN) !== 0 && length === 0) return broken("an empty message");
    // What does not get smaller by compression gets a little larger.
    const packed = opcode === CONTINUATION ? this.#packed : (first & PACKED) !== 0;
    if (this.#length + length > (packed ? most + Math.floor(most / 256) + PACKED_MARGIN : most))
      return [CloseCode.tooBig, `a message of more than ${most} bytes`];
    return null;
  }

  #reservedFault(first: number): string | null {
    if ((first & RESERVED_BITS) === 0) return null;
    if (!this.#deflate) return "a frame with reserved bits, and no extension was agreed on";
    if ((first & RESERVED_BITS) !== PACKED) return "a frame with reserved bits that no extension uses";
    const opcode = first & OPCODE;
    return opcode === BINARY || opcode === TEXT
      ? null
      : "a frame that is said to be compressed, and does not begin a message";
  }

  /** Takes bytes of the frame, unmasked. */
  add(piece: Buffer): void {
    if (this.#stopped) return;
    if (this.#control !== null) {
      this.#control.set(piece, this.#controlLength);
      this.#controlLength += piece.length;
      return;
    }
    const length = this.#length + piece.length;
    if (this.#bytes === null || length > this.#bytes.length) {
      // Memory grows with what has arrived, not with what was announced.
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * (this.#bytes?.length ?? 0), FIRST_BYTES));
      this.#bytes?.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** The frame is complete. */
  end(): void {
    if (this.#stopped) return;
    const control = this.#control;
    if (control !== null) {
      this.#control = null;
      this.#controlFrame(control);
      return;
    }
    this.fragmented = (this.#first & FIN) === 0;
    if (this.fragmented) return;
    const bytes = this.#bytes ?? Buffer.alloc(0);
    const payload = bytes.subarray(0, this.#length);
    this.#bytes = null;
    this.#length = 0;
    // Much memory for few bytes is not given to the program, which may keep it.
    const own = !this.#packed && payload.length < bytes.length / 2;
    this.#message(own ? Buffer.from(payload) : payload, this.#packed);
  }

  #controlFrame(payload: Buffer): void {
    const opcode = this.#first & OPCODE;
    if (opcode === CLOSE) this.#sink.closed(payload);
    else if (opcode === PING) this.#sink.ping(payload);
    else this.#sink.pong();
  }

  /** The connection is over. */
  stop(): void {
    this.#stopped = true;
    this.#bytes = null;
    this.#control = null;
  }
}
