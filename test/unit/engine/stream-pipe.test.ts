/**
 * How a queue goes on when its connection ends: what was taken, what is sent again, and what is given up. Connections
 * are simulated; those of the kernel are in test/conformance/resends.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Budget } from "../../../src/engine/budget.js";
import { StreamPipe } from "../../../src/engine/stream-pipe.js";

const MIB = 1024 * 1024;
const BIG = 40 * MIB;

const LINK = {
  flush() {},
  sendSubscription() {},
  pauseReading() {},
  resumeReading() {},
  fail() {},
};

function setUp(maxResends: number) {
  const limits = {
    sendHighWaterMark: 0,
    sendHighWaterMarkBytes: 0,
    receiveHighWaterMark: 0,
    receiveHighWaterMarkBytes: 0,
    conflate: false,
    maxQueuedBytes: 0,
    maxResends,
  };
  const owner = {
    received: new Budget(limits),
    unsent: new Budget(limits),
    borrows: false,
    carries: false,
    topics: null,
    pipeHeldBack() {},
    pipeReadable() {},
    pipeWritable() {},
    pipeSharesMemory() {},
    pipeSubscription() {},
  };
  const pipe = new StreamPipe(owner, limits, { add() {} });
  /** A connection that takes so many bytes of what waits; Infinity for all that is written in one go. */
  const connection = (taken: number, byPeer = true): number => {
    pipe.link(LINK, LINK);
    const batch = pipe.takeBatch();
    if (batch !== null && taken >= batch.bytes) pipe.taken();
    pipe.unlink(batch === null ? 0 : batch.bytes - taken, byPeer);
    return pipe.leftover.takeGivenUp();
  };
  const unused = (): void => {
    pipe.link(LINK, LINK);
    pipe.unlink(0, true);
  };
  const waiting = (): string => {
    pipe.link(LINK, LINK);
    const octets = Buffer.concat(pipe.takeBatch()?.seal() ?? []);
    const names: string[] = [];
    for (let at = 0; at < octets.length; ) {
      const long = octets[at] === 2;
      const body = at + (long ? 9 : 2);
      const length = long ? Number(octets.readBigUInt64BE(at + 1)) : octets[at + 1];
      names.push(length > 1000 ? "big" : octets.toString("latin1", body, body + length));
      at = body + length;
    }
    return names.join(" ");
  };
  return { pipe, limits, connection, unused, waiting };
}

const big = Buffer.alloc(BIG);

describe("a message that connections end within", () => {
  it("is sent again maxResends times, then dropped; those behind it go on", () => {
    const { pipe, connection, waiting } = setUp(3);
    for (const message of ["a", big, "next", "last"]) pipe.trySend(Buffer.from(message as string));
    expect([connection(3 + MIB), connection(2 * MIB), connection(12)]).toEqual([-1, -1, -1]);
    expect(pipe.outboundLength).toBe(3);
    expect(connection(MIB)).toBe(BIG);
    expect(pipe.outboundLength).toBe(2);
    expect(waiting()).toBe("next last");
  });

  it("is dropped at the first end with 0, and never with -1; the option acts at once", () => {
    const first = setUp(0);
    first.pipe.trySend(["", big, Buffer.from("tail")].map((part) => Buffer.from(part as string)));
    expect(first.connection(MIB)).toBe(BIG + 4);
    expect(first.pipe.outboundLength).toBe(0);
    const { pipe, limits, connection } = setUp(-1);
    pipe.trySend(big);
    for (let i = 0; i < 50; i++) expect(connection(MIB)).toBe(-1);
    limits.maxResends = 10;
    expect(connection(MIB)).toBe(BIG);
  });

  it("alone: a lingering close is told that nothing waits any more", () => {
    const { pipe, connection } = setUp(1);
    let empty = 0;
    pipe.onEmpty = () => empty++;
    pipe.trySend(big);
    expect([connection(MIB), empty, connection(MIB), empty]).toEqual([-1, 0, BIG, 1]);
  });

  it.each<[string, (one: ReturnType<typeof setUp>) => void]>([
    ["a connection that ends before the message was begun", ({ connection }) => void connection(0)],
    ["a connection on which nothing was written", ({ unused }) => unused()],
    ["an attempt to connect that fails", ({ pipe }) => pipe.leftover.forget()],
    ["an end that is not the peer's", ({ connection }) => void connection(MIB, false)],
    ["a connection that takes 8 MiB more than the others", ({ connection }) => void connection(11 * MIB)],
  ])("in a row: %s begins the count anew", (_, other) => {
    const one = setUp(2);
    one.pipe.trySend(Buffer.from(big));
    expect([one.connection(MIB), one.connection(2 * MIB)]).toEqual([-1, -1]);
    other(one);
    expect(one.connection(MIB)).toBe(-1);
    expect(one.pipe.outboundLength).toBe(1);
    let ends = 1;
    while (one.connection(MIB) === -1) ends++;
    expect(ends).toBeLessThan(4);
    expect(one.pipe.outboundLength).toBe(0);
  });

  it("each message has a count of its own", () => {
    const { pipe, connection } = setUp(1);
    for (let i = 0; i < 3; i++) pipe.trySend(big);
    const frame = BIG + 9;
    expect([connection(MIB), connection(frame + MIB), connection(frame + MIB)]).toEqual([-1, -1, -1]);
    expect(pipe.outboundLength).toBe(1);
    expect(connection(MIB)).toBe(BIG);
    pipe.trySend(big);
    expect([connection(MIB), connection(Number.POSITIVE_INFINITY), pipe.outboundLength]).toEqual([-1, -1, 0]);
    pipe.trySend(big);
    expect(connection(MIB)).toBe(-1);
  });
});

/** Of a ring in which nothing is sealed. */
const memory = () => ({
  written: 0,
  passed: 0,
  unread: (_: unknown, behind: number) => Math.max(0, behind),
  extent: (_: unknown, bytes: number) => bytes,
});

describe("a peer that shares memory and dies", () => {
  /** Batches of one message each, all of them in memory; the peer has read `passed` bytes. */
  function written(names: (string | Buffer)[], passed: number, maxResends = 3) {
    const one = setUp(maxResends);
    const progress = memory();
    one.pipe.link(LINK, LINK);
    one.pipe.throughMemory(progress);
    for (const name of names) {
      one.pipe.trySend(Buffer.from(name as string));
      progress.written += one.pipe.takeBatch()!.bytes;
      one.pipe.taken();
    }
    progress.passed = passed;
    return { ...one, progress };
  }
  const all = (pipe: StreamPipe): string => {
    const names: string[] = [];
    pipe.link(LINK, LINK);
    for (let batch = pipe.takeBatch(); batch !== null; batch = pipe.takeBatch()) {
      const bytes = Buffer.concat(batch.seal());
      for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]) {
        names.push(bytes.toString("latin1", at + 2, at + 2 + bytes[at + 1]));
      }
      pipe.taken();
    }
    return names.join(" ");
  };

  it.each([
    [0, "one two three"],
    [1, "one two three"],
    [4, "one two three"],
    [5, "two three"],
    [9, "two three"],
    [10, "three"],
    [16, "three"],
    [17, ""],
  ])("gets what it had not read again: %i of 17 bytes", (passed, rest) => {
    const { pipe } = written(["one", "two", "three"], passed);
    expect(pipe.outboundLength).toBe(0);
    pipe.unlink(17 - passed, true);
    expect(pipe.outboundLength).toBe(rest === "" ? 0 : rest.split(" ").length);
    pipe.trySend(Buffer.from("new"));
    expect(all(pipe)).toBe(`${rest} new`.trim());
  });

  it("gets nothing again that is still in its memory, if zwire ends the connection", () => {
    const { pipe } = written(["one", "two"], 0);
    pipe.unlink(0, false);
    expect([pipe.outboundLength, all(pipe)]).toEqual([0, ""]);
  });

  it("dies again before it has got all: the rest keeps its order", () => {
    const { pipe } = written(["one", "two", "three"], 5);
    pipe.unlink(12, true);
    pipe.link(LINK, LINK);
    expect(pipe.takeBatch()?.messages).toBe(1);
    pipe.unlink(5, true);
    expect(all(pipe)).toBe("two three");
  });

  it("dies within the same message again and again: it is given up as over a socket", () => {
    const { pipe } = written([big, "next"], MIB, 0);
    pipe.unlink(BIG + 9 + 6 - MIB, true);
    expect(pipe.leftover.takeGivenUp()).toBe(BIG);
    expect(all(pipe)).toBe("next");
  });

  it("a message that the program has taken back meanwhile is not sent again", () => {
    const lost = Buffer.alloc(40_000);
    const { pipe, progress } = written(["one"], 0);
    pipe.trySend(lost);
    const batch = pipe.takeBatch()!;
    expect(batch.messages).toBe(1);
    progress.written += batch.bytes;
    pipe.taken();
    structuredClone(lost.buffer, { transfer: [lost.buffer] });
    pipe.unlink(40_009 + 5, true);
    expect(all(pipe)).toBe("one");
  });

  it("a message that the program has taken back takes no other with it", () => {
    const [lost, kept] = [Buffer.alloc(40_000), Buffer.alloc(30_000, 1)];
    const { pipe, progress } = written([], 0);
    pipe.trySend(kept);
    pipe.trySend(lost);
    const { bytes } = pipe.takeBatch()!;
    progress.written += bytes;
    pipe.taken();
    structuredClone(lost.buffer, { transfer: [lost.buffer] });
    pipe.unlink(bytes, true);
    expect(pipe.outboundLength).toBe(1);
    pipe.link(LINK, LINK);
    expect(Buffer.concat(pipe.takeBatch()!.seal()).subarray(9)).toEqual(kept);
  });

  it("thousands of small batches that it does not read are put together, and come again one by one", () => {
    const { pipe, progress } = written([], 0);
    const batches = new Set();
    const count = 5000;
    for (let i = 0; i < count; i++) {
      pipe.trySend(Buffer.from(`${i}`));
      const batch = pipe.takeBatch()!;
      batches.add(batch);
      progress.written += batch.bytes;
      // A heartbeat now and then, and something that is read meanwhile.
      if (i % 100 === 99) progress.written += 10;
      if (i === 1000) progress.passed = 40;
      pipe.taken();
    }
    expect(batches.size).toBeLessThan(200);
    // It has read "0" to "11" whole, and two bytes of the next.
    pipe.unlink(progress.written - 40, true);
    expect(all(pipe)).toBe(Array.from({ length: count - 12 }, (_, i) => i + 12).join(" "));
  });

  it("what it has read is let go when the next is written", () => {
    const progress = memory();
    const { pipe } = setUp(3);
    pipe.link(LINK, LINK);
    pipe.throughMemory(progress);
    const batches = new Set();
    for (let i = 0; i < 100; i++) {
      pipe.trySend(Buffer.from("m"));
      const batch = pipe.takeBatch()!;
      batches.add(batch);
      progress.written += batch.bytes;
      progress.passed = progress.written;
      pipe.taken();
    }
    expect(batches.size).toBeLessThan(4);
    pipe.unlink(0, true);
    expect(pipe.outboundLength).toBe(0);
  });
});
