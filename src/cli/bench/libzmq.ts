/**
 * The four tools that come with libzmq, so that each may be the other side: local_thr (PULL) and remote_thr (PUSH), local_lat
 * (REP) and remote_lat (REQ). They are told size and count on both sides, and say nothing to each other.
 */
import { type Pull, type Push, type Reply, type Request, type Socket, ZmqError } from "../../index.js";
import { TimeoutError } from "../errors.js";
import type { Progress } from "../messages/progress.js";
import { Clock, type Report, rates, Stretch } from "./report.js";
import { askAll, echoAll, receiveAll, sendAll } from "./traffic.js";

export interface Plain {
  readonly endpoint: string;
  readonly size: number;
  readonly count: number;
  /** Milliseconds for the other side to be there; -1 for ever. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function there(socket: Socket, { timeout, signal }: Plain): Promise<void> {
  try {
    await socket.connected({ timeout, signal });
  } catch (error) {
    if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
    throw new TimeoutError(`the other side was not there within ${timeout} ms`);
  }
}

const LOOK_MS = 10;

/**
 * A signal that also aborts when the other side leaves, once all is read that it had sent. Tests that are not at their end by
 * then have none.
 */
function untilLeft(socket: Socket, { signal }: Plain): AbortSignal {
  const left = new AbortController();
  const look = (): void => {
    if (socket.closed) return;
    if (socket.stats.receiveQueue > 0) setTimeout(look, LOOK_MS);
    else left.abort(new Error("the other side has left in the middle of the test"));
  };
  socket.on("disconnect", () => void setTimeout(look, LOOK_MS));
  return AbortSignal.any([signal, left.signal]);
}

/** What a stretch has shown, which ends now. */
function reportOf(
  kind: Pick<Report, "test" | "measured" | "roundTrip">,
  { endpoint, size, count }: Plain,
  stretch: Stretch,
): Report {
  const here = stretch.end().side();
  return { ...kind, endpoint, size, count, ...rates(count, size, stretch.seconds), here };
}

/** As local_thr: counts what comes. The time begins with the first message. */
export async function localThroughput(socket: Pull, plain: Plain): Promise<Report> {
  const { size, count, progress } = plain;
  const signal = untilLeft(socket, plain);
  await there(socket, plain);
  await receiveAll(socket, size, 1, signal, progress);
  const stretch = new Stretch();
  await receiveAll(socket, size, count - 1, signal, progress);
  return reportOf({ test: "throughput", measured: "receiver" }, plain, stretch);
}

/** As remote_thr: sends. The time ends when the system has taken all: the other side knows how much has come. */
export async function remoteThroughput(socket: Push, plain: Plain): Promise<Report> {
  const { size, count, progress } = plain;
  const signal = untilLeft(socket, plain);
  await there(socket, plain);
  const stretch = new Stretch();
  await sendAll(socket, size, count, signal, progress);
  await socket.close({ linger: -1 });
  return reportOf({ test: "throughput", measured: "sender" }, plain, stretch);
}

/** As local_lat: sends back what comes. */
export async function localLatency(socket: Reply, plain: Plain): Promise<Report> {
  const { size, count } = plain;
  const signal = untilLeft(socket, plain);
  await there(socket, plain);
  const stretch = new Stretch();
  await echoAll(socket, size, count, signal);
  await socket.close({ linger: -1 });
  return reportOf({ test: "latency", measured: "echo" }, plain, stretch);
}

/** As remote_lat: makes round trips. */
export async function remoteLatency(socket: Request, plain: Plain): Promise<Report> {
  const { size, count, progress } = plain;
  const signal = untilLeft(socket, plain);
  await there(socket, plain);
  const clock = new Clock();
  const stretch = new Stretch();
  await askAll(socket, size, count, signal, progress, clock);
  return reportOf({ test: "latency", measured: "asker", roundTrip: clock.times }, plain, stretch);
}
