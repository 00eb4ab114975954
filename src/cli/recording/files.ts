/**
 * Recordings in files, and on standard output and input, which are called "-".
 */
import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import type { Output } from "../command.js";
import { Decoder, encodeHead, encodeMessages, type Head, type Recorded } from "./format.js";

/** So many bytes are read at once. */
const PIECE_BYTES = 256 * 1024;
export const STANDARD = "-";

/** Where bytes go. */
interface Sink {
  /** Drops what was there. */
  clear(): Promise<void>;
  /** Resolves when there is room for more. */
  write(data: Buffer): Promise<void>;
  close(): Promise<void>;
  /** Leaves no new file. Before clear(), things are as they were. */
  abandon(): Promise<void>;
}

async function openFile(file: string, force: boolean): Promise<Sink> {
  let handle: FileHandle;
  let isNew = true;
  try {
    handle = await open(file, "ax");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (!force) throw new Error(`${file} exists already. Use --force to replace it.`);
    isNew = false;
    handle = await open(file, "a");
  }
  return {
    clear: async () => {
      if ((await handle.stat()).isFile()) await handle.truncate(0);
    },
    write: (data) => handle.appendFile(data), // unlike write(), it goes on until all is written
    close: () => handle.close(),
    abandon: async () => {
      await handle.close();
      if (isNew) await unlink(file);
    },
  };
}

function standardOutput(output: Output): Sink {
  const nothing = async (): Promise<void> => {};
  return {
    clear: nothing,
    write: (data) => {
      output.out(data);
      return output.drained();
    },
    close: () => output.drained(),
    abandon: nothing,
  };
}

/** Writes a recording. */
export class RecordingWriter {
  readonly #sink: Sink;
  #began = 0n;
  #count = 0;

  private constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Opens the file, and changes nothing in it yet. @throws Error if it exists and `force` is false */
  static async open(file: string, force: boolean, output: Output): Promise<RecordingWriter> {
    return new RecordingWriter(file === STANDARD ? standardOutput(output) : await openFile(file, force));
  }

  /** Begins the recording. */
  async begin(metadata: Head["metadata"]): Promise<void> {
    await this.#sink.clear();
    this.#began = process.hrtime.bigint();
    await this.#sink.write(encodeHead({ start: BigInt(Date.now()) * 1_000_000n, metadata }));
  }

  /** There will be no recording: leaves things as they were. Only before begin(), or when that has failed. */
  abandon(): Promise<void> {
    return this.#sink.abandon();
  }

  /** Messages written. */
  get count(): number {
    return this.#count;
  }

  /** Writes messages that have come now. Resolves when the system has taken them. */
  async write(messages: readonly (readonly Buffer[])[]): Promise<void> {
    const time = process.hrtime.bigint() - this.#began;
    const pieces = encodeMessages(messages, time);
    await this.#sink.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    this.#count += messages.length;
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

/** What readRecording() tells besides messages. */
export interface ReadingHooks {
  /** The recording has begun. */
  head?(head: Head): void;
  /** It ends in the middle of a message. */
  truncated(what: string): void;
}

/**
 * The messages of a recording, as they are read: those of a piece of the file together.
 * @param signal ends it with an AbortError
 * @throws RecordingError, after the messages before what is wrong
 */
export async function* readRecording(
  file: string,
  { head, truncated }: ReadingHooks,
  signal: AbortSignal,
): AsyncGenerator<Recorded[], void, void> {
  const source = file === STANDARD ? process.stdin : createReadStream(file, { highWaterMark: PIECE_BYTES });
  addAbortSignal(signal, source);
  const decoder = new Decoder();
  let told = false;
  for await (const piece of source) {
    const messages: Recorded[] = [];
    let fault: unknown;
    try {
      decoder.feed(piece as Buffer, (message) => messages.push(message));
    } catch (error) {
      fault = error;
    }
    if (!told && decoder.head !== null) {
      told = true;
      head?.(decoder.head);
    }
    if (messages.length > 0) yield messages;
    if (fault !== undefined) throw fault;
  }
  const missing = decoder.end();
  if (missing !== null) truncated(missing);
}
