/**
 * Turns the bytes of ZMTP that a session writes into messages of a WebSocket, one for each frame: its flags, and its body
 * (RFC 45). Our greeting is left out, because the sub-protocol says all of it. Segments need not end where frames do.
 */
import { Buffer } from "../base/platform.js";
import { readLength } from "../engine/frame-header.js";
import { withoutCommands, zwsFlags } from "../transport/ws/zws.js";
import * as frameFormat from "../wire/frame-format.js";
import { parseCommand } from "../wire/zmtp/command.js";
import { GREETING_SIZE } from "../wire/zmtp/greeting.js";

const { COMMAND, LONG, LONG_HEADER, SHORT_BODY_MAX, SHORT_HEADER } = frameFormat;

export class OutgoingFrames {
  readonly #plain: boolean;
  readonly #send: (message: Uint8Array) => void;
  #greeting = GREETING_SIZE;
  readonly #header = Buffer.alloc(LONG_HEADER);
  #headerLength = 0;
  /** The message that is being filled, with room for the flags, and how much of it is. */
  #message: Buffer | null = null;
  #filled = 0;
  #flags = 0;
  /** Of each message since begin(): its own bytes, and those of its frame in ZMTP. */
  readonly #sizes: number[] = [];

  /** @param plain whether the sub-protocol has no commands */
  constructor(plain: boolean, send: (message: Uint8Array) => void) {
    this.#plain = plain;
    this.#send = send;
  }

  /** A new write begins. */
  begin(): void {
    this.#sizes.length = 0;
  }

  /** How many bytes of the write belong to messages of which some of the last `bytes` bytes are. */
  behind(bytes: number): number {
    let left = bytes;
    let behind = 0;
    for (let at = this.#sizes.length - 2; at >= 0 && left > 0; at -= 2) {
      left -= this.#sizes[at];
      behind += this.#sizes[at + 1];
    }
    return behind;
  }

  push(segment: Uint8Array): void {
    let at = Math.min(this.#greeting, segment.length);
    this.#greeting -= at;
    while (at < segment.length)
      at = this.#message === null ? this.#head(segment, at) : this.#body(segment, at);
  }

  /** @returns where the next bytes are */
  #head(segment: Uint8Array, at: number): number {
    const header = this.#header;
    const first = this.#headerLength === 0 ? segment[at] : header[0];
    const needed = (first & LONG) === 0 ? SHORT_HEADER : LONG_HEADER;
    const end = Math.min(segment.length, at + needed - this.#headerLength);
    header.set(segment.subarray(at, end), this.#headerLength);
    this.#headerLength += end - at;
    if (this.#headerLength === needed)
      this.#begin(header[0], needed === SHORT_HEADER ? header[1] : readLength(header, 1));
    return end;
  }

  #begin(flags: number, length: number): void {
    this.#headerLength = 0;
    this.#flags = flags;
    this.#message = Buffer.allocUnsafe(1 + length);
    this.#message[0] = zwsFlags(flags);
    this.#filled = 1;
    if (length === 0) this.#end();
  }

  #body(segment: Uint8Array, at: number): number {
    const message = this.#message as Buffer;
    const end = Math.min(segment.length, at + message.length - this.#filled);
    message.set(segment.subarray(at, end), this.#filled);
    this.#filled += end - at;
    if (this.#filled === message.length) this.#end();
    return end;
  }

  #end(): void {
    const message = this.#message as Buffer;
    this.#message = null;
    if (this.#plain && (this.#flags & COMMAND) !== 0) this.#translate(message.subarray(1));
    else this.#give(message, message.length - 1);
  }

  /** @param length of the frame's body */
  #give(message: Uint8Array, length: number): void {
    this.#sizes.push(message.length, length + (length > SHORT_BODY_MAX ? LONG_HEADER : SHORT_HEADER));
    this.#send(message);
  }

  #translate(body: Buffer): void {
    const command = parseCommand(body);
    const said = command === undefined ? null : withoutCommands(command, body);
    if (said !== null) this.#give(Buffer.concat([Buffer.from([said.flags]), said.payload]), body.length);
  }
}
