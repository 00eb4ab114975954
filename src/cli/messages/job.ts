/**
 * What the commands of messages do with a socket: wait for peers, print, and end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Publisher, ZmqError } from "../../index.js";
import type { Output } from "../command.js";
import type { Ending } from "../ending.js";
import { TimeoutError } from "../errors.js";
import type { Format, Parts } from "./formats.js";
import type { Source } from "./input.js";
import type { Plug } from "./plug.js";
import type { Progress } from "./progress.js";

/** A command line that is being carried out. */
export interface Job {
  readonly name: string;
  readonly plug: Plug;
  readonly format: Format;
  readonly source: Source;
  /** How many messages end it; undefined if it has no such end. */
  readonly count: number | undefined;
  /** Milliseconds; -1 for ever. */
  readonly timeout: number;
  readonly waitPeers: number;
  readonly quiet: boolean;
  readonly ending: Ending;
  readonly output: Output;
  readonly progress: Progress;
}

/** What sending needs of a job. */
export type SendingJob = Pick<
  Job,
  "name" | "plug" | "timeout" | "waitPeers" | "ending" | "output" | "progress"
>;

/** Rejects with a TimeoutError of this text if it was too late. */
export async function inTime<T>(waiting: Promise<T>, late: string): Promise<T> {
  try {
    return await waiting;
  } catch (error) {
    if (error instanceof ZmqError && error.code === "EAGAIN") throw new TimeoutError(late);
    throw error;
  }
}

/** Waits for as many peers as the command line says: of a publisher, for their subscriptions. */
export async function waitForPeers({ plug, waitPeers, timeout, ending }: SendingJob): Promise<void> {
  if (waitPeers === 0) return;
  const { socket } = plug;
  const options = { timeout, signal: ending.signal };
  const waiting =
    "waitForSubscribers" in socket
      ? (socket as Publisher).waitForSubscribers(waitPeers, options)
      : socket.connected({ ...options, count: waitPeers });
  await inTime(waiting, `there were not ${waitPeers} peers within ${timeout} ms`);
}

/** Sends, and waits for room. */
export async function send(
  { plug, timeout, ending, progress }: SendingJob,
  messages: Parts[],
): Promise<void> {
  const sending = plug.send?.(messages, { timeout, signal: ending.signal }) as Promise<void>;
  await inTime(sending, `no peer took a message within ${timeout} ms`);
  progress.count(messages);
}

/** The next messages. At most `max`, and what a turn of the event loop can print. */
export async function receive(job: Job, max: number, what = "message"): Promise<Parts[]> {
  const { plug, timeout, ending } = job;
  const receiving = plug.receive?.(max, { timeout, signal: ending.signal }) as Promise<Parts[]>;
  return inTime(receiving, `no ${what} came within ${timeout} ms`);
}

/** A peer may send what cannot be printed in this format. That is told, and does not end the others' messages. */
function written({ format, output, name }: Job, message: Parts): Buffer | string {
  try {
    return format.write(message);
  } catch (error) {
    output.error(`zwire ${name}: ${(error as Error).message}\n`);
    return "";
  }
}

/** Prints messages. Resolves when the reader of the output has kept up. */
export async function print(job: Job, messages: Parts[]): Promise<void> {
  const { quiet, ending, output } = job;
  if (quiet || ending.gone) return;
  const pieces = messages.map((message) => written(job, message));
  output.out(
    pieces.every((piece) => typeof piece === "string")
      ? pieces.join("")
      : Buffer.concat(pieces.map((piece) => Buffer.from(piece))),
  );
  await unlessEnded(output.drained(), ending.signal);
}

/** Rejects with the signal's reason if that comes first. */
async function unlessEnded(waiting: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw signal.reason;
  let leave = () => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    await Promise.race([waiting, left]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** How long a signal leaves for what is not sent. */
const LAST_MS = 1000;
/** How long the end of connections may take that have sent all. */
const END_MS = 30_000;
const LOOK_MS = 5;

/** Waits until the system has taken all that was accepted for peers. Resolves to the number of messages that it has not. */
async function flush({ plug }: SendingJob, limit: number, signal?: AbortSignal): Promise<number> {
  const began = performance.now();
  for (;;) {
    const { outboundQueue } = plug.socket.stats;
    const left = limit < 0 ? Infinity : limit - (performance.now() - began);
    if (outboundQueue === 0 || left <= 0 || signal?.aborted) return outboundQueue;
    await sleep(Math.min(LOOK_MS, left));
  }
}

/**
 * Closes the socket when all that it has accepted is sent: within `--timeout` (or the option `linger`, if that is given), or a
 * second after a signal.
 * @throws TimeoutError if something was not sent in time
 */
export async function finish(job: SendingJob): Promise<void> {
  const { plug, timeout, ending, name, output } = job;
  const { socket } = plug;
  if (plug.send === undefined) return socket.close({ linger: 0 });
  const { linger } = socket as unknown as { readonly linger: number };
  let unsent = await flush(job, linger === -1 ? timeout : linger, ending.signal);
  if (unsent > 0 && ending.signal.aborted) unsent = await flush(job, LAST_MS);
  await socket.close({ linger: unsent > 0 ? 0 : ending.signal.aborted ? LAST_MS : END_MS });
  if (unsent === 0) return;
  const lost = `${unsent === 1 ? "1 message was" : `${unsent} messages were`} not sent: no peer took what waited`;
  if (!ending.signal.aborted) throw new TimeoutError(lost);
  output.error(`zwire ${name}: ${lost}\n`);
}
