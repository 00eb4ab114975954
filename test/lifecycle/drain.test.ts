/**
 * A process that is told to end, with 10,000 messages on their way to a slow consumer: all are handled, or all are accounted
 * for within the time. The sender is zwire, or libzmq, which knows no half-close: it takes it for the end of the connection.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Pull, Push } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { foreign } from "../support/foreign.js";
import { managed, standing } from "../support/helpers.js";

const COUNT = 10_000;
const BODY = 100;
/** libzmq forgets what it had encoded and not written when a connection ends: 8192 bytes at most, or one larger message. */
const FORGOTTEN = { zwire: 0, libzmq: Math.ceil(8192 / (BODY + 2)) };

interface Sending {
  /** How many sends have been accepted. */
  readonly sent: () => number;
  readonly endpoint: string;
}

/** Sends to the child, which is slow. */
function sendTo(endpoint: string, kind: "zwire" | "libzmq"): Sending {
  const push = kind === "zwire" ? managed(new Push({ reconnectInterval: 10 })) : foreign(new zmq.Push());
  push.sendTimeout = -1;
  push.connect(endpoint);
  let sent = 0;
  void (async () => {
    for (let i = 0; i < COUNT; i++) {
      const body = Buffer.alloc(BODY);
      body.writeUInt32LE(i);
      await push.send(body);
      sent++;
    }
  })().catch(() => {}); // the test ends before everything is accepted, if it fails
  return { sent: () => sent, endpoint };
}

/** Runs the child up to its end. @returns what it says */
async function terminated(
  kind: "zwire" | "libzmq",
  endpoint: string,
  timeout: number,
  done: "soon" | "never",
) {
  const child = startChild("drains.mjs", [endpoint, `${timeout}`, done]);
  const bound = (await child.line(({ event }) => event === "bound", "bound")).endpoint as string;
  const { sent } = sendTo(bound, kind);
  await child.line(({ event }) => event === "first", "the first message");
  await standing(sent, "what can be sent is sent");
  child.kill("SIGTERM");
  const { code, signal, stderr } = await child.ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  const said = (name: string) =>
    child.lines.filter(({ event }) => event === name) as Record<string, number>[];
  return { bound, drained: said("drained")[0], handled: said("handled")[0], drops: said("drop") };
}

/** What the sender has kept goes to who binds next. */
async function kept(endpoint: string): Promise<number> {
  const next = managed(new Pull({ receiveHighWaterMark: 0 }));
  await next.bind(endpoint);
  await next.connected({ timeout: 20_000 });
  return standing(() => next.stats.receiveQueue, "the sender has nothing more", -1);
}

describe.each(["zwire", "libzmq"] as const)("SIGTERM with 10,000 messages on their way from %s", (kind) => {
  it.each(["tcp://127.0.0.1:*", "ipc://*"])("all are handled, if there is time (%s)", async (endpoint) => {
    const { bound, drained, handled, drops } = await terminated(kind, endpoint, 60_000, "soon");
    expect(drained).toMatchObject({ unread: 0, unsent: 0, open: 0 });
    expect(drops).toEqual([]);
    expect(handled).toMatchObject({ disorder: 0, dropped: 0 });
    const left = handled.handled === COUNT ? 0 : await kept(bound);
    expect(COUNT - handled.handled - left).toBeLessThanOrEqual(FORGOTTEN[kind]);
  });

  it("all are accounted for, if there is not", async () => {
    const { bound, drained, handled, drops } = await terminated(kind, "tcp://127.0.0.1:*", 5000, "never");
    expect(drained).toMatchObject({ unsent: 0, open: 0 });
    expect(drained.milliseconds).toBeLessThan(25_000); // many times the limit, for a busy machine
    expect(handled.disorder).toBe(0);
    expect(handled.handled).toBeGreaterThan(1);
    expect(drained.unread).toBeGreaterThan(0);
    expect(drops).toEqual([{ event: "drop", unread: drained.unread, unsent: 0 }]);
    expect(handled.dropped).toBe(drained.unread);
    const missing = COUNT - handled.handled - drained.unread;
    const left = missing === 0 ? 0 : await kept(bound);
    expect(missing - left).toBeGreaterThanOrEqual(0);
    expect(missing - left).toBeLessThanOrEqual(FORGOTTEN[kind]);
  });
});
