/** Options of streams over sockets, and what both kinds of streams share. */
import { ZmqError } from "../base/errors.js";
import type { Message } from "../base/message.js";
import type { Sendable } from "../core/sender.js";

/** Options of a stream over a socket. */
export interface SocketStreamOptions {
  /**
   * Whether a chunk is a whole message: an array of parts when it is read, a message as `send()` takes it when it is written.
   * Default false: a chunk is bytes, and each message has one part.
   */
  readonly objectMode?: boolean;
  /**
   * Whether an empty message is the end of the stream: it is sent when writing ends, and ends reading. Chunks without bytes
   * are not sent then. Default false: only closing the socket ends reading.
   */
  readonly end?: boolean;
  /** Destroys the stream with its reason. No message is lost by it. */
  readonly signal?: AbortSignal;
}

const FIELDS = ["objectMode", "end", "signal"];

/** Checks the options of a stream. @throws TypeError naming what is wrong */
export function checkStreamOptions(options: unknown, more: readonly string[] = []): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  for (const [name, value] of Object.entries(options)) {
    if (![...FIELDS, ...more].includes(name)) throw new TypeError(`a stream has no option "${name}"`);
    if (value === undefined) continue;
    const flag = name === "objectMode" || name === "end";
    if (flag && typeof value !== "boolean")
      throw new TypeError(`${name} must be true or false; got ${typeof value}`);
    if (name === "signal" && !(value instanceof AbortSignal))
      throw new TypeError("signal must be an AbortSignal");
  }
}

/** A socket that streams can read from. */
export interface Receiving {
  receive(options: { timeout: number; signal: AbortSignal }): Promise<Message>;
}

/** A socket that streams can write to. */
export interface Sending {
  send(message: Sendable, options: { timeout: number; signal: AbortSignal }): Promise<void>;
}

/** @throws TypeError for what is not such a socket */
export function checkReceives(socket: unknown): void {
  if (typeof (socket as Receiving | null)?.receive !== "function")
    throw new TypeError("socket must be one that receives");
}

/** @throws TypeError for what is not such a socket */
export function checkSends(socket: unknown): void {
  if (typeof (socket as Sending | null)?.send !== "function")
    throw new TypeError("socket must be one that sends");
}

/** The next chunk; null at the end. Waits without limit: `receiveTimeout` is about calls of the program. */
export async function nextChunk(
  socket: Receiving,
  { objectMode, end }: SocketStreamOptions,
  signal: AbortSignal,
): Promise<Message | Uint8Array | null> {
  let message: Message;
  try {
    message = await socket.receive({ timeout: -1, signal });
  } catch (error) {
    if (error instanceof ZmqError && error.code === "EBADF") return null; // the socket is closed
    throw error;
  }
  if (end === true && message.length === 1 && message[0].length === 0) return null;
  if (objectMode === true) return message;
  if (message.length === 1) return message[0];
  throw new TypeError(`a message of ${message.length} parts is no chunk of bytes: use objectMode`);
}

/** Sends a chunk, unless it would be taken for the end. Rejects as send(). */
export async function sendChunk(
  socket: Sending,
  chunk: Sendable,
  { end, objectMode }: SocketStreamOptions,
  signal: AbortSignal,
): Promise<void> {
  const empty = objectMode !== true && (chunk as Uint8Array).length === 0;
  if (!(empty && end === true)) await socket.send(chunk, { timeout: -1, signal });
}

/** Sends what says that this is the end, if the program has asked for it. */
export async function sendEnd(
  socket: Sending,
  { end }: SocketStreamOptions,
  signal: AbortSignal,
): Promise<void> {
  if (end === true) await socket.send(null, { timeout: -1, signal });
}
