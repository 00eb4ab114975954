/**
 * Recordings without sockets: the format, read in pieces of every length, cut and damaged anywhere, and their times.
 */
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Decoder, encodeHead, encodeMessages, type Recorded } from "../../../src/cli/recording/format.js";
import { replayOnce } from "../../../src/cli/recording/replay.js";

const START = 1_700_000_000_123_456_789n;
const HEAD = encodeHead({ start: START, metadata: { socket: "sub" } });
const part = (text: string, bytes = text.length) => Buffer.alloc(bytes, text);
const MESSAGES: [bigint, Buffer[]][] = [
  [5n, [part("one")]],
  [5n, [part(""), part("two"), part("")]],
  [2n ** 40n, [part("three", 20_000), part("four", 70_000), part("five")]],
  [2n ** 63n, [part("last", 16_384)]],
];
const WHOLE = Buffer.concat([HEAD, ...MESSAGES.flatMap(([time, parts]) => encodeMessages([parts], time))]);

function decode(pieces: readonly Buffer[]) {
  const decoder = new Decoder();
  const messages: Recorded[] = [];
  let error: Error | undefined;
  try {
    for (const piece of pieces) decoder.feed(piece, (message) => messages.push(message));
  } catch (thrown) {
    error = thrown as Error;
  }
  return { decoder, messages, error };
}

const told = (messages: readonly Recorded[]) => messages.map(({ time, parts }) => [time, parts]);

describe("the format", () => {
  it.each([1, 2, 7, 24, 1000, 65_536, 1 << 30])("is read in pieces of %d bytes", (size) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < WHOLE.length; at += size) pieces.push(WHOLE.subarray(at, at + size));
    const { decoder, messages, error } = decode(pieces);
    expect(error).toBeUndefined();
    expect(decoder.head).toEqual({ start: START, metadata: { socket: "sub" } });
    expect(told(messages)).toEqual(MESSAGES);
    expect(decoder.end()).toBeNull();
    expect(decoder.count).toBe(MESSAGES.length);
  });

  it("is what docs/command-line.md says, byte by byte", () => {
    const [message] = encodeMessages([[Buffer.from("ab"), Buffer.from("c")]], 258n);
    expect(HEAD.toString("latin1", 0, 8)).toBe("\x89ZWREC\r\n");
    expect([HEAD.readUInt16LE(8), HEAD.readUInt16LE(10), HEAD.readBigUInt64LE(16)]).toEqual([
      1,
      HEAD.length - 24,
      START,
    ]);
    expect(message.subarray(8).toString("hex")).toBe(
      "020100000000000002000000" + "0200000001000000" + "616263",
    );
    expect(message.readUInt32LE(0)).toBe(message.length - 8);
  });

  it("messages of one time may be encoded together", () => {
    const messages = MESSAGES.map(([, parts]) => parts);
    const together = Buffer.concat(encodeMessages(messages, 7n));
    expect(together).toEqual(Buffer.concat(messages.flatMap((parts) => encodeMessages([parts], 7n))));
  });

  it("cut anywhere, all that is whole is there, and what is missing is said", () => {
    const ends = [HEAD.length];
    for (const [time, parts] of MESSAGES)
      ends.push(
        ends[ends.length - 1] + encodeMessages([parts], time).reduce((sum, { length }) => sum + length, 0),
      );
    const cuts = [
      1,
      7,
      8,
      23,
      24,
      HEAD.length - 1,
      ...ends.flatMap((end) => [end, end + 1, end + 7, end + 8, end + 30]),
    ];
    for (const cut of cuts.filter((at) => at < WHOLE.length)) {
      const { decoder, messages, error } = decode([WHOLE.subarray(0, cut)]);
      expect(error).toBeUndefined();
      const whole = ends.filter((end) => end <= cut).length - 1;
      if (whole < 0) expect(() => decoder.end()).toThrow("its beginning is not whole");
      else {
        expect(told(messages)).toEqual(MESSAGES.slice(0, whole));
        if (ends.includes(cut)) expect(decoder.end()).toBeNull();
        else expect(decoder.end()).toContain(`in the middle of message ${whole + 1}, at byte ${ends[whole]}`);
      }
    }
    expect(() => new Decoder().end()).toThrow("it is empty");
  });

  it("one wrong byte anywhere is found, and those before it are given", () => {
    for (let at = 0; at < WHOLE.length; at += at < 400 ? 1 : 997) {
      const damaged = Buffer.from(WHOLE);
      damaged[at] ^= 0x40;
      const { decoder, messages, error } = decode([damaged]);
      // A length that has become too large looks like an end that is missing.
      const found = error !== undefined || decoder.end() !== null;
      expect([at, found]).toEqual([at, true]);
      expect(told(messages)).toEqual(MESSAGES.slice(0, messages.length));
    }
  });

  it("numbers that lie take no memory: lengths, and counts of parts", () => {
    const [message] = encodeMessages([[Buffer.from("abc")]], 1n);
    const huge = Buffer.from(message);
    huge.writeUInt32LE(0xffffffff, 0);
    expect(decode([HEAD, huge]).error?.message).toBe(
      `message 1, at byte ${HEAD.length}, is damaged: it says that it has 4294967295 bytes`,
    );
    for (const [count, why] of [
      [0xffffffff, "it says that it has 4294967295 parts"],
      [0, "it says that it has 0 parts"],
    ] as const) {
      const forged = forge((body) => body.writeUInt32LE(count, 8));
      expect(decode([HEAD, forged]).error?.message).toContain(why);
    }
    expect(decode([HEAD, forge((body) => body.writeUInt32LE(4, 12))]).error?.message).toContain(
      "longer than itself",
    );
    expect(decode([HEAD, forge((body) => body.writeUInt32LE(2, 12))]).error?.message).toContain(
      "shorter than itself",
    );
  });

  it("more parts than a message may have are neither written nor read", () => {
    const parts = (count: number) => new Array<Buffer>(count).fill(Buffer.alloc(0));
    const [most] = encodeMessages([parts(65_536)], 1n);
    expect(decode([HEAD, most]).messages[0].parts).toHaveLength(65_536);
    expect(() => encodeMessages([parts(65_537)], 1n)).toThrow(
      "a message has 65537 parts: 65536 can be recorded",
    );
    const body = Buffer.alloc(12 + 4 * 65_537);
    body.writeUInt32LE(65_537, 8);
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(body.length, 0);
    frame.writeUInt32LE(crc32(body), 4);
    const { error, messages } = decode([HEAD, frame, body]);
    expect([error?.message, messages]).toEqual([
      `message 1, at byte ${HEAD.length}, is damaged: it says that it has 65537 parts`,
      [],
    ]);
  });

  it("another file, and a later version, are refused", () => {
    expect(decode([Buffer.from("PK\x03\x04 and some bytes more than that")]).error?.message).toContain(
      "is no recording",
    );
    const later = Buffer.from(WHOLE);
    later.writeUInt16LE(2, 8);
    expect(decode([later]).error?.message).toContain("its version is 2");
  });
});

/** A message of "abc" that lies, with the right checksum. */
function forge(change: (body: Buffer) => void): Buffer {
  const [template] = encodeMessages([[Buffer.from("abc")]], 1n);
  const forged = Buffer.from(template);
  change(forged.subarray(8));
  forged.writeUInt32LE(crc32(forged.subarray(8)), 4);
  return forged;
}

describe("replayOnce", () => {
  /** Messages at these milliseconds, in pieces of three. */
  async function* recording(times: readonly number[]): AsyncGenerator<Recorded[]> {
    for (let at = 0; at < times.length; at += 3)
      yield times
        .slice(at, at + 3)
        .map((ms, i) => ({ time: BigInt(ms * 1e6), parts: [Buffer.from(`${at + i + 1}`)] }));
  }

  /** Plays in simulated time. @param busy milliseconds that a send takes */
  async function play(times: readonly number[], how: object = {}, busy = 0) {
    let now = 1000;
    const sends: [number, string[]][] = [];
    const aborter = new AbortController();
    const sent = await replayOnce(
      recording(times),
      {
        speed: 1,
        from: { message: 1 },
        count: Infinity,
        signal: aborter.signal,
        send: async (messages) => {
          sends.push([now - 1000, messages.map(String)]);
          now += busy;
        },
        ...how,
      },
      { now: () => now, sleep: async (ms) => void (now += ms) },
    );
    return { sent, sends };
  }

  it("keeps the distances of the recording, from the first message on", async () => {
    expect((await play([500, 500, 510, 560, 1560])).sends).toEqual([
      [0, ["1", "2"]],
      [10, ["3"]],
      [60, ["4"]],
      [1060, ["5"]],
    ]);
  });

  it("goes faster, slower, and as fast as it can", async () => {
    const times = [0, 100, 300];
    expect((await play(times, { speed: 2 })).sends.map(([at]) => at)).toEqual([0, 50, 150]);
    expect((await play(times, { speed: 0.5 })).sends.map(([at]) => at)).toEqual([0, 200, 600]);
    expect((await play(times, { speed: 0 })).sends).toEqual([[0, ["1", "2", "3"]]]);
  });

  it("catches up when sending takes long", async () => {
    const { sends } = await play([0, 100, 110, 120, 500], {}, 150);
    expect(sends).toEqual([
      [0, ["1"]],
      [150, ["2", "3"]],
      [300, ["4"]],
      [500, ["5"]],
    ]);
  });

  it("begins with a message or a time, and ends after so many", async () => {
    const times = [0, 1000, 2000, 3000, 4000];
    expect((await play(times, { from: { message: 3 } })).sends).toEqual([
      [0, ["3"]],
      [1000, ["4"]],
      [2000, ["5"]],
    ]);
    expect((await play(times, { from: { nanoseconds: 1_500_000_000n }, count: 2 })).sends).toEqual([
      [0, ["3"]],
      [1000, ["4"]],
    ]);
    expect(await play(times, { from: { message: 6 } })).toEqual({ sent: 0, sends: [] });
    expect((await play(times, { speed: 0, count: 2 })).sent).toBe(2);
  });

  it("sends many that are due in pieces, and never reads ahead of a send", async () => {
    const { sent, sends } = await play(new Array(2000).fill(0), { speed: 0 });
    expect(sent).toBe(2000);
    expect(Math.max(...sends.map(([, messages]) => messages.length))).toBeLessThanOrEqual(512);
  });
});
