/**
 * Packs and unpacks messages for permessage-deflate, by node:zlib, which is loaded with the first one. Small ones are done
 * at once: a job in another thread takes longer than they do. Large ones go to Node's threads, two at a time for all
 * connections, so that neither the event loop waits for them nor memory grows with the number of connections. Each stream
 * waits for its own job, so that order holds.
 */
import { Fifo } from "../../base/fifo.js";

type Zlib = typeof import("node:zlib");

/** What is packed, and what is unpacked, at once: it takes less than a millisecond. */
export const AT_ONCE = 16 * 1024;
const UNPACKED_AT_ONCE = 64 * 1024;
/** Bytes packed or unpacked at once in one turn of a connection; then timers and other sockets are served. */
export const PER_TURN = 256 * 1024;
/** What the smallest message counts: zlib is made ready for each. */
export const PER_MESSAGE = 2048;
/** Jobs in other threads. */
const JOBS = 2;
/** Bytes that a job gives at a time: each time it waits for the event loop. */
const STEP = 256 * 1024;
/** What a sender leaves out at the end of each message (RFC 7692 §7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** The message unpacks to more than is allowed. */
export class TooLarge extends Error {}

let zlib: Zlib | undefined;

function nodeZlib(): Zlib {
  zlib ??= process.getBuiltinModule?.("node:zlib");
  if (zlib === undefined) throw new Error("this runtime has no node:zlib");
  return zlib;
}

/** One job: does it, and says when it is done. */
type Job = (done: () => void) => void;
const waiting = new Fifo<Job>();
let running = 0;

function later(job: Job): void {
  waiting.push(job);
  next();
}

function next(): void {
  while (running < JOBS) {
    const job = waiting.shift();
    if (job === undefined) return;
    running++;
    job(() => {
      running--;
      next();
    });
  }
}

/** Without the end that every packed message has; null if it is not smaller than the message. */
function smaller(packed: Buffer, than: number): Buffer | null {
  const length = packed.length - TAIL.length;
  return length < than ? packed.subarray(0, length) : null;
}

/** Packs a message. @returns null if it does not get smaller */
export function pack(message: Buffer, windowBits: number): Buffer | null {
  const { constants, deflateRawSync } = nodeZlib();
  return smaller(
    deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH, windowBits }),
    message.length,
  );
}

/** As pack(), in another thread. @param over whether nobody waits for it any more */
export function packLater(
  message: Buffer,
  windowBits: number,
  over: () => boolean,
  packed: (bytes: Buffer | null) => void,
): void {
  later((done) => {
    if (over()) {
      done();
      return;
    }
    const { constants, deflateRaw } = nodeZlib();
    const options = { finishFlush: constants.Z_SYNC_FLUSH, windowBits, chunkSize: STEP };
    deflateRaw(message, options, (error, bytes) => {
      done();
      packed(error === null ? smaller(bytes, message.length) : null); // it can also go as it is
    });
  });
}

/**
 * Unpacks a small message.
 * @returns null if it may be a large one
 * @throws TooLarge, or zlib's error for what cannot be unpacked
 */
export function unpack(packed: Buffer, most: number): Buffer | null {
  if (packed.length > UNPACKED_AT_ONCE) return null;
  const { constants, inflateRawSync } = nodeZlib();
  const maxOutputLength = Math.max(1, Math.min(most, UNPACKED_AT_ONCE));
  try {
    const bytes = inflateRawSync(Buffer.concat([packed, TAIL]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength,
    });
    // It lies in memory of 16 KiB, which the program may keep.
    return bytes.length < bytes.buffer.byteLength / 2 ? Buffer.from(bytes) : bytes;
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    if (maxOutputLength < most) return null;
    throw new TooLarge();
  }
}

/**
 * As unpack(), for every size, in another thread. It ends as soon as there are more than `most` bytes.
 * @param over whether nobody waits for it any more
 */
export function unpackLater(
  packed: Buffer,
  most: number,
  over: () => boolean,
  unpacked: (error: Error | null, bytes: Buffer) => void,
): void {
  later((done) => {
    if (over()) {
      done();
      return;
    }
    const { constants, inflateRaw } = nodeZlib();
    const options = {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: Math.max(1, most),
      chunkSize: STEP,
    };
    inflateRaw(Buffer.concat([packed, TAIL]), options, (error, bytes) => {
      done();
      unpacked(error !== null && isTooLarge(error) ? new TooLarge() : error, bytes);
    });
  });
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
}
