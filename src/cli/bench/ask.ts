/** The side of a test that asks for it, measures latency, and gets the result. */
import { type Message, type Pair, ZmqError } from "../../index.js";
import { TimeoutError } from "../errors.js";
import type { Progress } from "../messages/progress.js";
import { type Control, decodeControl, encodeControl, newId, type Result, type Test } from "./control.js";
import { Clock, type Report, rates, Stretch } from "./report.js";
import { askAll, sendAll } from "./traffic.js";

export interface Asking {
  readonly test: Test;
  readonly endpoint: string;
  readonly size: number;
  readonly count: number;
  readonly warmup: number;
  /** Milliseconds for the other side to be there; -1 for ever. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The other side ends the test: it has left, or says why. */
class Broken extends Error {}

/** What the other side says; anything else is skipped. */
async function control(socket: Pair, timeout: number, signal: AbortSignal): Promise<Control> {
  for (;;) {
    const message: Message = await socket.receive({ timeout, signal });
    const said = decodeControl(message);
    if (said?.say === "sorry") throw new Broken(`the other side says: ${said.why}`);
    if (said !== undefined) return said;
  }
}

/** Resolves when the other side has agreed. It may be busy with another client, and then ends our connection. */
async function agree(socket: Pair, asking: Asking): Promise<void> {
  const { test, size, count, warmup, timeout, signal } = asking;
  const id = newId();
  const hello = encodeControl({ say: "hello", id, test, size, count, warmup });
  socket.on("handshake", () => void socket.trySend(hello));
  try {
    for (;;) {
      const said = await control(socket, timeout, signal);
      if (said.say === "welcome" && said.id === id) break;
    }
  } catch (error) {
    if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
    throw new TimeoutError(
      `no zwire bench serve has answered within ${timeout} ms; it may be busy with another client (${error.message})`,
    );
  }
}

async function result(socket: Pair, signal: AbortSignal): Promise<Result> {
  for (;;) {
    const said = await control(socket, -1, signal);
    if (said.say === "result") return said;
  }
}

/** Makes a test with a zwire bench serve. The socket has its endpoint, and is closed by the caller. */
export async function ask(socket: Pair, asking: Asking): Promise<Report> {
  const { test, size, count, warmup, endpoint, progress } = asking;
  const left = new AbortController();
  let agreed = false;
  socket.on("disconnect", ({ error }) => {
    const why = error === undefined ? "" : `: ${error.message}`;
    if (agreed) left.abort(new Broken(`the other side has left in the middle of the test${why}`));
  });
  await agree(socket, asking);
  agreed = true;
  const signal = AbortSignal.any([asking.signal, left.signal]);
  const clock = new Clock();
  const work =
    test === "throughput"
      ? (many: number) => sendAll(socket, size, many, signal, progress)
      : (many: number, measured?: Clock) => askAll(socket, size, many, signal, progress, measured);
  await work(warmup);
  const stretch = new Stretch();
  await work(count, clock);
  stretch.end();
  const { seconds, side: there } = await result(socket, signal);
  const here = stretch.side();
  if (test === "throughput")
    return { test, measured: "receiver", endpoint, size, count, ...rates(count, size, seconds), here, there };
  const own = rates(count, size, stretch.seconds);
  return { test, measured: "asker", endpoint, size, count, ...own, roundTrip: clock.times, here, there };
}
