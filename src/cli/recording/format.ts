/**
 * The format of a recording: messages with times. docs/command-line.md describes it for other programs. Knows neither files nor
 * sockets.
 *
 * All numbers are little-endian. The file begins with
 *
 *   8 bytes   89 5a 57 52 45 43 0d 0a ("\x89ZWREC\r\n")
 *   2 bytes   version, 1
 *   2 bytes   length of the metadata
 *   4 bytes   CRC-32 of all that follows up to the first message
 *   8 bytes   when the recording began, in nanoseconds since 1970
 *   …         metadata: a JSON object in UTF-8
 *
 * and each message is
 *
 *   4 bytes   length of what follows the CRC
 *   4 bytes   CRC-32 of it
 *   8 bytes   nanoseconds since the recording began
 *   4 bytes   number of parts, 1 to 65536
 *   4 bytes   length of each part, one after the other
 *   …         the parts
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** A message and when it came. */
export interface Recorded {
  /** Nanoseconds since the recording began. */
  readonly time: bigint;
  readonly parts: Buffer[];
}

/** What stands at the beginning of a recording. */
export interface Head {
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A file is no recording, or is damaged. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
}

const MAGIC = Buffer.from("\x89ZWREC\r\n", "latin1");
const VERSION = 1;
const HEAD_BYTES = 24;
const HEAD_CHECKED_FROM = 16;
const FRAME_BYTES = 8;
const FIXED_BODY_BYTES = 12;
const MAX_METADATA_BYTES = 0xffff;
/** A longer message is neither written nor read. */
export const MAX_MESSAGE_BYTES = 2 ** 30;
/** A message with more parts is neither written nor read: empty ones are few bytes in a packed file, and much memory. */
export const MAX_PARTS = 65_536;
/** Shorter parts are copied into the piece that their message's head is in. */
const COPIED_BYTES = 16_384;

/** The beginning of a recording. */
export function encodeHead({ start, metadata }: Head): Buffer {
  const json = Buffer.from(JSON.stringify(metadata));
  if (json.length > MAX_METADATA_BYTES)
    throw new RecordingError(`metadata must have at most ${MAX_METADATA_BYTES} bytes; got ${json.length}`);
  const head = Buffer.alloc(HEAD_BYTES + json.length);
  MAGIC.copy(head);
  head.writeUInt16LE(VERSION, 8);
  head.writeUInt16LE(json.length, 10);
  head.writeBigUInt64LE(start, 16);
  json.copy(head, HEAD_BYTES);
  head.writeUInt32LE(crc32(head.subarray(HEAD_CHECKED_FROM)), 12);
  return head;
}

/** Encodes messages that came at one time, into pieces to be written one after the other. */
export function encodeMessages(messages: readonly (readonly Buffer[])[], time: bigint): Buffer[] {
  const pieces: Buffer[] = [];
  let small = 0;
  for (const parts of messages) {
    small += FRAME_BYTES + FIXED_BODY_BYTES + 4 * parts.length;
    for (const { length } of parts) if (length <= COPIED_BYTES) small += length;
  }
  const memory = Buffer.allocUnsafe(small);
  let begin = 0;
  let at = 0;
  for (const parts of messages) {
    const head = at;
    at = encodeMessageHead(memory, at, parts, time);
    let crc = crc32(memory.subarray(head + FRAME_BYTES, at));
    for (const part of parts) {
      crc = crc32(part, crc);
      if (part.length <= COPIED_BYTES) at += part.copy(memory, at);
      else {
        pieces.push(memory.subarray(begin, at), part);
        begin = at;
      }
    }
    memory.writeUInt32LE(crc, head + 4);
  }
  if (at > begin) pieces.push(memory.subarray(begin, at));
  return pieces;
}

function encodeMessageHead(memory: Buffer, from: number, parts: readonly Buffer[], time: bigint): number {
  let bytes = FIXED_BODY_BYTES + 4 * parts.length;
  for (const { length } of parts) bytes += length;
  if (bytes > MAX_MESSAGE_BYTES)
    throw new RecordingError(`a message of ${bytes} bytes is too long: ${MAX_MESSAGE_BYTES} can be recorded`);
  if (parts.length > MAX_PARTS)
    throw new RecordingError(`a message has ${parts.length} parts: ${MAX_PARTS} can be recorded`);
  memory.writeUInt32LE(bytes, from);
  memory.writeBigUInt64LE(time, from + 8);
  let at = memory.writeUInt32LE(parts.length, from + 16);
  for (const { length } of parts) at = memory.writeUInt32LE(length, at);
  return at;
}

/** Reads a recording in pieces of any length. Keeps no more than the message that has not ended. */
export class Decoder {
  #head: Head | null = null;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** So many bytes are needed to go on. */
  #needed = HEAD_BYTES;
  /** Where in the recording the first byte in `#pieces` is. */
  #position = 0;
  #count = 0;

  /** null until it has been read. */
  get head(): Head | null {
    return this.#head;
  }

  /** Messages read. */
  get count(): number {
    return this.#count;
  }

  /**
   * The messages that end in this piece of the recording.
   * @throws RecordingError; those before what is wrong have been given to `take`
   */
  feed(piece: Buffer, take: (message: Recorded) => void): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    while (this.#bytes >= this.#needed) {
      const data = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces, this.#bytes);
      const used = this.#head === null ? this.#readHead(data) : this.#readMessages(data, take);
      this.#position += used;
      this.#bytes -= used;
      this.#pieces = this.#bytes === 0 ? [] : [data.subarray(used)];
    }
  }

  /** What is missing at the end of the recording; null if it is whole. @throws RecordingError if it has not even a beginning */
  end(): string | null {
    if (this.#head === null)
      throw new RecordingError(
        this.#bytes === 0 ? "it is empty" : "it is no recording of zwire: its beginning is not whole",
      );
    if (this.#bytes === 0) return null;
    const where = `message ${this.#count + 1}, at byte ${this.#position}`;
    return `it ends in the middle of ${where}: ${this.#bytes} of ${this.#needed} bytes are there`;
  }

  #readHead(data: Buffer): number {
    if (!data.subarray(0, MAGIC.length).equals(MAGIC))
      throw new RecordingError("it is no recording of zwire: it does not begin as one");
    const version = data.readUInt16LE(8);
    if (version !== VERSION)
      throw new RecordingError(`its version is ${version}; this zwire reads version ${VERSION}`);
    const bytes = HEAD_BYTES + data.readUInt16LE(10);
    if (data.length < bytes) {
      this.#needed = bytes;
      return 0;
    }
    if (crc32(data.subarray(HEAD_CHECKED_FROM, bytes)) !== data.readUInt32LE(12))
      throw new RecordingError("its beginning is damaged: the checksum is wrong");
    this.#head = {
      start: data.readBigUInt64LE(16),
      metadata: readMetadata(data.toString("utf8", HEAD_BYTES, bytes)),
    };
    this.#needed = FRAME_BYTES;
    return bytes;
  }

  /** All messages that are whole. */
  #readMessages(data: Buffer, take: (message: Recorded) => void): number {
    let at = 0;
    for (;;) {
      const left = data.length - at;
      if (left < FRAME_BYTES) {
        this.#needed = FRAME_BYTES;
        return at;
      }
      const bytes = data.readUInt32LE(at);
      if (bytes < FIXED_BODY_BYTES || bytes > MAX_MESSAGE_BYTES)
        throw this.#damaged(at, `it says that it has ${bytes} bytes`);
      if (left < FRAME_BYTES + bytes) {
        this.#needed = FRAME_BYTES + bytes;
        return at;
      }
      const body = data.subarray(at + FRAME_BYTES, at + FRAME_BYTES + bytes);
      if (crc32(body) !== data.readUInt32LE(at + 4)) throw this.#damaged(at, "the checksum is wrong");
      const message = this.#readMessage(body, at);
      this.#count++;
      at += FRAME_BYTES + bytes;
      take(message);
    }
  }

  #readMessage(body: Buffer, at: number): Recorded {
    const count = body.readUInt32LE(8);
    let from = FIXED_BODY_BYTES + 4 * count;
    if (count === 0 || count > MAX_PARTS || from > body.length)
      throw this.#damaged(at, `it says that it has ${count} parts`);
    const parts: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const to = from + body.readUInt32LE(FIXED_BODY_BYTES + 4 * i);
      if (to > body.length) throw this.#damaged(at, "its parts are longer than itself");
      parts.push(body.subarray(from, to));
      from = to;
    }
    if (from !== body.length) throw this.#damaged(at, "its parts are shorter than itself");
    return { time: body.readBigUInt64LE(0), parts };
  }

  #damaged(at: number, why: string): RecordingError {
    return new RecordingError(
      `message ${this.#count + 1}, at byte ${this.#position + at}, is damaged: ${why}`,
    );
  }
}

function readMetadata(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = null;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new RecordingError("its beginning is damaged: the metadata is no JSON object");
}
