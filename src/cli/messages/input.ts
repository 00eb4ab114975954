/**
 * What is sent: arguments, files and standard input, in batches, read no faster than they are taken.
 */
import { createReadStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Format, Parts } from "./formats.js";

/** What the command line says about what is sent. */
export interface Source {
  /** The parts of one message; empty for none. */
  readonly args: readonly string[];
  /** Files; `-` is standard input. */
  readonly files: readonly string[];
  readonly format: Format;
  /** How often the arguments are sent, or how many messages at most of files. Undefined: once, all. */
  readonly count: number | undefined;
  /** Milliseconds between two messages. */
  readonly interval: number | undefined;
}

/** Messages that are sent with one call. */
const BATCH = 256;

async function* chunks(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stream = file === "-" ? process.stdin : createReadStream(file);
  const leave = () => stream.destroy();
  signal.addEventListener("abort", leave, { once: true });
  try {
    if (!signal.aborted) for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", leave);
    // Otherwise it keeps the process alive.
    stream.destroy();
  }
}

/** The messages of one file, as they come. @throws Error that names the file and the record */
async function* messagesOf(file: string, format: Format, signal: AbortSignal): AsyncGenerator<Parts[]> {
  const splitter = format.splitter();
  const shown = file === "-" ? "standard input" : file;
  let record = 0;
  const read = (records: Buffer[]) =>
    records.map((one) => {
      record++;
      return format.read(one);
    });
  try {
    for await (const chunk of chunks(file, signal)) yield read(splitter.push(chunk));
    if (!signal.aborted) yield read(splitter.end());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new Error(`${shown}, message ${record}: ${(error as Error).message}`);
  }
}

async function* unlimited(source: Source, signal: AbortSignal): AsyncGenerator<Parts[]> {
  const { args, files, format, count = 1 } = source;
  if (args.length > 0) {
    const message = format.readArguments(args);
    for (let left = count; left > 0; left -= BATCH)
      yield new Array<Parts>(Math.min(left, BATCH)).fill(message);
  }
  const read = args.length === 0 && files.length === 0 ? ["-"] : files;
  for (const file of read) yield* messagesOf(file, format, signal);
}

/**
 * Batches of messages. Ends when there are no more, or the signal aborts.
 * @throws UsageError for an argument that the format cannot read; Error for a file
 */
export async function* readInput(source: Source, signal: AbortSignal): AsyncGenerator<Parts[]> {
  let left = source.count ?? Infinity;
  let first = true;
  if (left === 0) return;
  for await (const batch of unlimited(source, signal)) {
    const taken = batch.slice(0, left);
    left -= taken.length;
    if (source.interval === undefined) {
      for (let at = 0; at < taken.length; at += BATCH) yield taken.slice(at, at + BATCH);
    } else {
      for (const message of taken) {
        if (!first) await sleep(source.interval, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
        first = false;
        yield [message];
      }
    }
    if (left === 0) return;
  }
}
