/**
 * Cuts a stream of bytes into records: lines, frames with their lengths, or all of it as one.
 */
import { Buffer } from "node:buffer";

/** Bytes that one record may have. What has no end must not fill the memory. */
export const MAX_RECORD = 2 ** 30;

/** Takes the chunks of one file, in their order. */
export interface Splitter {
  /** The records that this chunk completes. @throws Error for one that is too large or malformed */
  push(chunk: Buffer): Buffer[];
  /** What the end of the file completes. @throws Error if it cuts a record off */
  end(): Buffer[];
}

function tooLarge(): Error {
  return new Error(`longer than ${MAX_RECORD} bytes, which is the most for one message`);
}

/** Chunks of a record that is not complete. They are put together once, when its end has come. */
class Pieces {
  #list: Buffer[] = [];
  bytes = 0;

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > MAX_RECORD) throw tooLarge();
    if (chunk.length > 0) this.#list.push(chunk);
  }

  take(): Buffer {
    const whole = this.#list.length === 1 ? this.#list[0] : Buffer.concat(this.#list);
    this.#list = [];
    this.bytes = 0;
    return whole;
  }
}

const NEWLINE = 10;

/** Lines that end with a newline, which is no part of them. The last one may lack it. */
export function byLine(): Splitter {
  const pieces = new Pieces();
  return {
    push(chunk) {
      const lines: Buffer[] = [];
      let from = 0;
      for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
        const line = chunk.subarray(from, to);
        from = to + 1;
        if (pieces.bytes === 0) lines.push(line);
        else {
          pieces.add(line);
          lines.push(pieces.take());
        }
      }
      pieces.add(chunk.subarray(from));
      return lines;
    },
    end: () => (pieces.bytes === 0 ? [] : [pieces.take()]),
  };
}

/** All of it as one record; none if it is empty. */
export function whole(): Splitter {
  const pieces = new Pieces();
  return {
    push(chunk) {
      pieces.add(chunk);
      return [];
    },
    end: () => (pieces.bytes === 0 ? [] : [pieces.take()]),
  };
}

const LENGTH_BYTES = 4;
/** The bit of a length that says: the next frame is another part of the same message. */
const MORE = 0x8000_0000;

/** The frames of one message: each part behind its length, 4 bytes, the highest first. */
export function framesOf(parts: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [];
  parts.forEach((part, at) => {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE((at < parts.length - 1 ? MORE : 0) + part.length);
    pieces.push(length, part);
  });
  return Buffer.concat(pieces);
}

/** The parts of one message from its frames, as framesOf() writes them and byFrame() gives them. */
export function partsOf(frames: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    const length = frames.readUInt32BE(at) % MORE;
    at += LENGTH_BYTES;
    parts.push(frames.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** Messages of frames. A record is all frames of one message. */
export function byFrame(): Splitter {
  const pieces = new Pieces();
  /** Bytes from the beginning of the message to the end of the last frame that is known. */
  let known = 0;
  let more = true;
  return {
    push(chunk) {
      const messages: Buffer[] = [];
      pieces.add(chunk);
      // Nothing can be complete yet: the pieces are put together when it can.
      if (pieces.bytes < known + (more ? LENGTH_BYTES : 0)) return messages;
      const pending = pieces.take();
      let from = 0;
      for (;;) {
        while (more && pending.length - from >= known + LENGTH_BYTES) {
          const length = pending.readUInt32BE(from + known);
          more = length >= MORE;
          known += LENGTH_BYTES + (length % MORE);
          if (known > MAX_RECORD) throw tooLarge();
        }
        if (more || pending.length - from < known) break;
        messages.push(pending.subarray(from, from + known));
        from += known;
        known = 0;
        more = true;
      }
      pieces.add(pending.subarray(from));
      return messages;
    },
    end() {
      if (pieces.bytes > 0) throw new Error("the file ends in the middle of a message");
      return [];
    },
  };
}
