/**
 * What peers can make a receiver hold: parts count what they cost, also of messages that have not ended (G9), and what
 * all peers have sent together has a limit. The victim is a process of its own, strangers are raw.
 */
import { describe, expect, it } from "vitest";
import { Pair, Pull, Push } from "../../src/index.js";
import { type Child, startChild } from "../support/child.js";
import { managed, rawConnected, record, TRANSPORTS, turns, until } from "../support/helpers.js";
import { frame } from "../support/raw-peer.js";

const MIB = 1024 ** 2;
/** What an attack may cost a process. */
const BOUND = 64 * MIB;
const STRANGERS = 100;

const part = Buffer.of(1, 0);

interface Report {
  rss: number;
  stats: { receiveQueue: number; receivedBytes: number; peers: number };
  parts: [number, number][];
}

async function victim(): Promise<{
  child: Child;
  idle: Report;
  strangers: Awaited<ReturnType<typeof rawConnected>>[];
}> {
  const child = startChild("memory-victim.mjs", ["pull"], ["--expose-gc"]);
  const { endpoint } = await child.line(({ event }) => event === "bound", "bound");
  const strangers = [];
  for (let i = 0; i < STRANGERS; i++) {
    strangers.push(await rawConnected(endpoint as string, { type: "PUSH" }));
  }
  return { child, idle: await ask(child, { op: "report" }, "report"), strangers };
}

async function ask(child: Child, question: object, event: string): Promise<Report> {
  const seen = child.lines.length;
  child.tell(question);
  return (await child.line(
    (line) => child.lines.indexOf(line) >= seen && line.event === event,
    event,
  )) as never;
}

/** Asks for a report until it is as it should be. */
async function reportWhen(child: Child, holds: (report: Report) => boolean, what: string): Promise<Report> {
  let last = await ask(child, { op: "report" }, "report");
  await until(
    async () => {
      last = await ask(child, { op: "report" }, "report");
      return holds(last);
    },
    `${what}: ${JSON.stringify(last)}`,
  );
  return last;
}

describe("strangers that send parts", () => {
  it("a hundred messages of 65,000 empty parts without an end cost little, and come whole when they end (G9)", async () => {
    const { child, idle, strangers } = await victim();
    const many = Buffer.alloc(2 * 65_000, part);
    for (const stranger of strangers) stranger.write(many);
    const full = await reportWhen(child, ({ stats }) => stats.receivedBytes > 100 * MIB, "they have come");
    expect(full.rss - idle.rss).toBeLessThan(BOUND);
    expect(full.stats.peers).toBe(STRANGERS);
    await ask(child, { op: "serve", count: 500 }, "served");
    // One after the other: what all have begun is above the limit for all.
    for (const stranger of strangers) stranger.write(frame("end"));
    const read = await ask(child, { op: "read", count: 10 }, "read");
    expect(read.parts).toEqual([[65_001, 10]]);
  });

  it("ended messages of 60,000 empty parts that nobody reads cost little, and are all there when read (G9)", async () => {
    const { child, idle, strangers } = await victim();
    const one = Buffer.concat([Buffer.alloc(2 * 60_000, part), frame("")]);
    for (const stranger of strangers) for (let i = 0; i < 3; i++) stranger.socket.write(one);
    const before = await reportWhen(child, ({ stats }) => stats.receivedBytes > 200 * MIB, "the limit");
    expect(before.rss - idle.rss).toBeLessThan(BOUND);
    await ask(child, { op: "serve", count: 500 }, "served");
    const after = await ask(child, { op: "report" }, "report");
    expect(after.rss - idle.rss).toBeLessThan(BOUND);
    const read = await ask(child, { op: "read", count: STRANGERS }, "read");
    expect(read.parts).toEqual([[60_001, STRANGERS]]);
  });
});

describe.each(TRANSPORTS)("many peers together over $name", ({ endpoint }) => {
  it("maxQueuedBytes holds where each is below its own mark; nothing is lost, and it is told once", async () => {
    const pull = managed(new Pull({ maxQueuedBytes: 2_000_000, receiveHighWaterMark: 0 }));
    const events = record(pull);
    const where = await pull.bind(endpoint());
    const pushes = Array.from({ length: 20 }, () => managed(new Push({ sendHighWaterMark: 10 })));
    const sending = pushes.map(async (push, at) => {
      push.connect(where);
      for (let i = 0; i < 300; i++) await push.send([`${at}`, `${i}`, Buffer.alloc(5000)]);
    });
    await until(() => pull.stats.receivedBytes >= 2_000_000, "the limit is reached");
    await turns(200);
    // Each may have 64 KiB whatever the others have, and what was being read comes to an end.
    expect(pull.stats.receivedBytes).toBeLessThan(2_000_000 + 20 * 200_000);
    if (endpoint().startsWith("inproc"))
      expect(events.of("limit").length).toBe(0); // the sender is refused there
    else expect(events.of("limit")).toMatchObject([{ limit: "maxQueuedBytes", action: "paused" }]);
    const next = pushes.map(() => 0);
    for (let i = 0; i < 20 * 300; i++) {
      const [at, number] = await pull.receive({ timeout: 20_000 });
      expect(Number(number)).toBe(next[Number(at)]++);
    }
    await Promise.all(sending);
    expect(pull.stats.receivedBytes).toBe(0);
  });
});

describe("messages that have begun", () => {
  it("maxQueuedBytes lets one of them after the other come to its end, however long they are", async () => {
    const pull = managed(new Pull({ maxQueuedBytes: 1_000_000 }));
    const events = record(pull);
    const where = await pull.bind("tcp://127.0.0.1:*");
    const peers = await Promise.all(Array.from({ length: 5 }, () => rawConnected(where, { type: "PUSH" })));
    const half = Buffer.concat(Array.from({ length: 600 }, () => frame(Buffer.alloc(1000), { more: true })));
    for (const peer of peers) peer.socket.write(half);
    await events.next("limit");
    await turns(200);
    expect(pull.stats.receivedBytes).toBeLessThan(3_000_000);
    for (const peer of peers) peer.socket.write(Buffer.concat([half, frame("end")]));
    for (const _ of peers) expect(await pull.receive({ timeout: 20_000 })).toHaveLength(1201);
    expect(pull.stats.receivedBytes).toBe(0);
  });

  it("maxQueuedBytes is not held by one that has left in the middle of its message", async () => {
    const pull = managed(new Pull({ maxQueuedBytes: 1_000_000 }));
    const where = await pull.bind("tcp://127.0.0.1:*");
    const half = Buffer.concat(Array.from({ length: 1200 }, () => frame(Buffer.alloc(1000), { more: true })));
    const gone = await rawConnected(where, { type: "PUSH" });
    gone.write(half);
    await until(() => pull.stats.receivedBytes > 1_000_000, "the limit");
    const late = await rawConnected(where, { type: "PUSH" });
    late.write(half);
    await turns(100);
    gone.close();
    late.write(frame("end"));
    expect(await pull.receive({ timeout: 20_000 })).toHaveLength(1201);
    await until(() => pull.peers.length === 1, "it is gone");
    expect(pull.stats.receivedBytes).toBe(0);
  });

  it("what has begun counts against receiveHighWaterMarkBytes, and a message above the mark still comes (G9)", async () => {
    const pair = managed(new Pair({ receiveHighWaterMarkBytes: 100_000 }));
    const peer = await rawConnected(await pair.bind("tcp://127.0.0.1:*"), { type: "PAIR" });
    const long = Buffer.concat([
      ...Array.from({ length: 3000 }, () => frame(Buffer.alloc(500), { more: true })),
      frame("end"),
    ]);
    peer.socket.write(Buffer.concat([long, long, long, long]));
    await until(() => pair.stats.receiveQueue > 0, "one is queued");
    await turns(200);
    expect(pair.stats.receiveQueue).toBe(1);
    for (let i = 0; i < 4; i++) expect(await pair.receive({ timeout: 20_000 })).toHaveLength(3001);
  });
});
