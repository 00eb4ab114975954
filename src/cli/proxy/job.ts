/**
 * What `zwire proxy` does with its sockets: forwards, tells what it has forwarded, and ends without dropping what it holds.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Proxy, ProxyStatistics, ProxyTraffic, Socket } from "../../index.js";
import type { Output } from "../command.js";
import type { Ending } from "../ending.js";

/** What runs. */
export interface Running {
  readonly proxy: Proxy;
  readonly capture: Socket | undefined;
  readonly ending: Ending;
  readonly output: Output;
}

const messages = (count: number): string => (count === 1 ? "1 message" : `${count} messages`);

function traffic(name: string, { messagesIn, bytesIn, messagesOut, bytesOut }: ProxyTraffic): string {
  return `${name} ${messages(messagesIn)} in (${bytesIn} bytes), ${messages(messagesOut)} out (${bytesOut} bytes)`;
}

/** What was forwarded, as a line. @param capturing whether there is a capture socket */
export function describe(statistics: ProxyStatistics, capturing: boolean): string {
  const { frontEnd, backEnd, captured, captureDropped, undeliverable } = statistics;
  const copies = capturing ? [`${captured} captured, ${captureDropped} not captured`] : [];
  return [
    traffic("frontend", frontEnd),
    traffic("backend", backEnd),
    ...copies,
    `${undeliverable} undeliverable`,
  ].join("; ");
}

/** How long a signal leaves for what was received and is not sent. */
const LAST_MS = 1000;
const LOOK_MS = 5;

/** Waits until the number is 0. Resolves to what is left of it after `LAST_MS`. */
async function gone(count: () => number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const left = count();
    if (left === 0 || performance.now() - began >= LAST_MS) return left;
    await sleep(LOOK_MS);
  }
}

/** What has come and is not forwarded: it waits in a socket, or the proxy holds it because there is no room. */
function waiting({ frontEnd, backEnd, statistics }: Proxy): number {
  const { frontEnd: front, backEnd: back, undeliverable } = statistics;
  const taken = front.messagesIn + back.messagesIn;
  const held = taken - front.messagesOut - back.messagesOut - undeliverable;
  return held + frontEnd.stats.receiveQueue + backEnd.stats.receiveQueue;
}

/** Ends after a signal: what was received goes on, and what was accepted is sent, as far as there is time. */
async function finish({ proxy, capture, output }: Running): Promise<void> {
  const { frontEnd, backEnd } = proxy;
  await gone(() => waiting(proxy));
  proxy.terminate();
  const left = waiting(proxy);
  const sockets = [frontEnd, backEnd, ...(capture === undefined ? [] : [capture])];
  const unsent = await gone(() => sockets.reduce((sum, { stats }) => sum + stats.outboundQueue, 0));
  await Promise.all(sockets.map((socket) => socket.close({ linger: unsent > 0 ? 0 : LAST_MS })));
  if (left > 0)
    output.error(
      `zwire proxy: ${messages(left)} had come and ${left === 1 ? "was" : "were"} not forwarded: no peer took them\n`,
    );
  if (unsent > 0)
    output.error(
      `zwire proxy: ${messages(unsent)} ${unsent === 1 ? "was" : "were"} not sent: no peer took what waited\n`,
    );
}

/** Forwards until a signal ends it. Rejects if the proxy cannot go on. */
export async function forward(running: Running): Promise<void> {
  const { proxy, ending } = running;
  const { signal } = ending;
  let leave = (): void => {};
  const asked = new Promise<void>((resolve) => {
    leave = resolve;
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) resolve();
  });
  const run = proxy.run();
  try {
    await Promise.race([run, asked]);
    await finish(running);
    await run;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
