/** Sends the messages of a recording at their times. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Parts } from "../messages/formats.js";
import type { Recorded } from "./format.js";

/** What is sent together: so many messages, or so many bytes. */
const BATCH = 512;
const BATCH_BYTES = 1 << 20;
/** Messages that are due within this time are sent now. */
const SOON_MS = 1;
/** A timer waits for so long at most. */
const LONGEST_MS = 2 ** 31 - 1;
const NS_PER_MS = 1e6;

/** Where to begin: with the message of a number, the first of which is 1, or of a time. */
export type From = { readonly message: number } | { readonly nanoseconds: bigint };

/** Time: that of the system, or of a test. */
export interface Time {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const systemTime: Time = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** How to replay. */
export interface Replaying {
  /** How fast: 2 is twice as fast as it was recorded, 0 as fast as the peers take it. */
  readonly speed: number;
  readonly from: From;
  /** Messages at most. */
  readonly count: number;
  readonly signal: AbortSignal;
  send(messages: Parts[]): Promise<void>;
}

/**
 * Sends the messages of one pass through a recording. Waits for the receivers, and never reads far ahead of what is sent. Who is
 * late catches up.
 * @returns how many it has sent
 */
export async function replayOnce(
  recording: AsyncIterable<Recorded[]>,
  { speed, from, count, signal, send }: Replaying,
  clock: Time = systemTime,
): Promise<number> {
  let seen = 0;
  let sent = 0;
  let first: bigint | undefined;
  let began: number | undefined;
  let batch: Parts[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const messages = batch;
    batch = [];
    bytes = 0;
    await send(messages);
    sent += messages.length;
  };
  /** Waits until it is time, which is counted from the first message that is sent. */
  const due = async (time: bigint): Promise<void> => {
    first ??= time;
    began ??= clock.now();
    const at = began + Number(time - first) / NS_PER_MS / speed;
    if (at - clock.now() < SOON_MS) return;
    await flush();
    for (let left = at - clock.now(); left > 0; left = at - clock.now())
      await clock.sleep(Math.min(left, LONGEST_MS), signal);
  };
  for await (const messages of recording) {
    for (const { time, parts } of messages) {
      seen++;
      if ("message" in from ? seen < from.message : time < from.nanoseconds) continue;
      if (speed > 0) await due(time);
      batch.push(parts);
      for (const part of parts) bytes += part.length;
      if (batch.length >= BATCH || bytes >= BATCH_BYTES || sent + batch.length >= count) await flush();
      if (sent >= count) return sent;
    }
    await flush();
  }
  return sent;
}
