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
  PING,
  RESERVED_BITS,
  TEXT,
} from "./frame.js";

/** Bytes of the first memory of a message in fragments. */
const FIRST_BYTES = 1024;

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
  readonly #sink: OddSink;
  readonly #message: (payload: Buffer) => void;
  /** A message of several frames has begun. */
  fragmented = false;
  #first = 0;
  /** The payload of the present control frame. */
  #control: Buffer | null = null;
  #controlLength = 0;
  /** The message so far. */
  #bytes: Buffer | null = null;
  #length = 0;
  #stopped = false;

  constructor(masked: boolean, sink: OddSink, message: (payload: Buffer) => void) {
    this.#masked = masked;
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
    if ((first & CONTROL) !== 0) {
      this.#control = Buffer.allocUnsafe(length);
      this.#controlLength = 0;
    } else this.#control = null;
    return true;
  }

  #fault(first: number, masked: boolean, length: number, most: number): readonly [number, string] | null {
    const opcode = first & OPCODE;
    const broken = (text: string) => [CloseCode.protocolError, text] as const;
    if ((first & RESERVED_BITS) !== 0)
      return broken("a frame with reserved bits, and no extension was agreed on");
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
    if (this.#length + length > most) return [CloseCode.tooBig, `a message of more than ${most} bytes`];
    return null;
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
    this.#message(payload.length < bytes.length / 2 ? Buffer.from(payload) : payload);
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
