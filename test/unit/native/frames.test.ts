/** The frame decoder behind the addon's streams, and its limits. */
import { describe, expect, it } from "vitest";
import { FRAME_TABLE_ENTRIES } from "../../../src/transport/native/addon.js";
import { until } from "../../support/helpers.js";
import {
  COMMAND,
  dial,
  expectFrames,
  frame,
  header,
  listen,
  MEBIBYTE,
  MORE,
  type OPEN,
  pair,
  pattern,
} from "../../support/native-sides.js";

describe("frames", () => {
  const BODIES: [Uint8Array | string, number][] = [
    ["a", MORE],
    ["", 0],
    ["\x05READY", COMMAND],
    [pattern(255), MORE],
    [pattern(256), 0],
    ["end", 0],
  ];
  const WIRE = Buffer.concat(BODIES.map(([body, flags]) => frame(body, flags)));

  it("gives the same frames wherever the input is cut (E11)", async () => {
    const listener = listen();
    for (let cut = 0; cut <= WIRE.length; cut++) {
      const [near, far] = await dial(listener);
      far.decode(WIRE.subarray(0, cut));
      if (cut < WIRE.length) near.handle.write(WIRE.subarray(cut));
      await until(() => far.frames.length === BODIES.length, `frames cut at ${cut}`);
      expectFrames(far.frames, BODIES);
      near.handle.close();
      far.handle.close();
    }
  });

  it("gives the same frames octet by octet (E11)", async () => {
    const [near, far] = await pair();
    far.decode();
    for (const octet of WIRE) {
      near.handle.write(Buffer.of(octet));
      await new Promise(setImmediate);
    }
    await until(() => far.frames.length === BODIES.length, "all frames");
    expectFrames(far.frames, BODIES);
  });

  it("takes a long form of a small size, reserved bits, and MORE on a command (E3, E5, E6)", async () => {
    const [near, far] = await pair();
    far.decode();
    await near.send(
      frame("long", 0, true),
      frame("reserved", 0xf8 | MORE),
      frame("command", COMMAND | MORE | 0x80),
    );
    await until(() => far.frames.length === 3, "frames");
    expectFrames(far.frames, [
      ["long", 0],
      ["reserved", MORE],
      ["command", COMMAND],
    ]);
  });

  it("gives more empty frames than the table holds in several calls, none lost (E8)", async () => {
    const [near, far] = await pair();
    far.decode();
    const count = FRAME_TABLE_ENTRIES * 3 + 5;
    await near.send(Buffer.alloc(count * 2));
    await until(() => far.frames.length === count, "all frames");
    expect(Math.max(...far.batches)).toBeLessThanOrEqual(FRAME_TABLE_ENTRIES);
    expect(far.batches.length).toBeLessThan(50);
  });

  it("gives large and small frames in order, each whole and of its exact length", async () => {
    const [near, far] = await pair();
    far.decode();
    const sizes = [
      3,
      16383,
      16384,
      16385,
      0,
      65536,
      7,
      100_000,
      MEBIBYTE,
      1,
      65527,
      300,
      5 * MEBIBYTE + 1,
      2,
    ];
    const bodies = sizes.map((size, i): [Buffer, number] => [pattern(size, i + 1), i % 3 === 0 ? MORE : 0]);
    await near.send(...bodies.map(([body, flags]) => frame(body, flags)));
    await until(() => far.frames.length === sizes.length, "all frames");
    expectFrames(far.frames, bodies);
    expect(far.largeFrames).toBeGreaterThan(1);
  });

  it.each([16 * MEBIBYTE, 16 * MEBIBYTE + 1, 40 * MEBIBYTE])(
    "fills a body of %d octets as it comes",
    async (size) => {
      const [near, far] = await pair();
      far.decode();
      const body = pattern(size);
      await near.send(frame(body, MORE), frame("behind"));
      await until(() => far.frames.length === 2, "both frames");
      expectFrames(far.frames, [
        [body, MORE],
        ["behind", 0],
      ]);
      expect(far.frames[0].body.buffer.byteLength).toBe(size);
    },
  );

  it("takes a leftover that holds more of a body than is read ahead", async () => {
    const [near, far] = await pair();
    const body = pattern(40 * MEBIBYTE);
    const wire = frame(body, MORE);
    far.decode(wire.subarray(0, 35 * MEBIBYTE));
    await near.send(wire.subarray(35 * MEBIBYTE), frame("behind"));
    await until(() => far.frames.length === 2, "both frames");
    expectFrames(far.frames, [
      [body, MORE],
      ["behind", 0],
    ]);
  });

  it("takes little memory for a body that is announced and does not come (E4)", async () => {
    const [near, far] = await pair();
    far.decode();
    const before = process.memoryUsage().arrayBuffers;
    await near.send(frame("first"), header(2n ** 40n), Buffer.alloc(1000));
    await until(() => far.frames.length === 1, "the first");
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(17 * MEBIBYTE);
    expect(far.closes).toEqual([]);
  });

  it("hands over nothing twice when startFrames is called again", async () => {
    const [near, far] = await pair();
    far.decode();
    expect(() => far.handle.startFrames(1, 1, 1, 1, Buffer.alloc(0))).toThrow(Error);
    near.handle.write(frame("x"));
    await until(() => far.frames.length === 1, "frame");
  });
});

describe("limits", () => {
  const FRAME = 1;
  const FAULTS: [string, Partial<typeof OPEN>, Buffer[], number][] = [
    ["E15 a frame above maxFrameBytes", { frame: 10 }, [frame("10 octets."), frame("eleven octs")], FRAME],
    ["E4 a size of 2^63-1", {}, [frame("fits"), header(2n ** 63n - 1n)], FRAME],
    ["E4 a size with bit 63", {}, [frame("fits"), header(2n ** 63n)], FRAME],
    ["E4 a size of 2^64-1", { frame: Infinity }, [frame("fits"), header(2n ** 64n - 1n)], FRAME],
    ["a command above maxCommandBytes", { command: 3 }, [frame("abc", COMMAND), frame("abcd", COMMAND)], 2],
    ["E4 a command with bit 63", { command: Infinity }, [frame("fits"), header(2n ** 63n, COMMAND)], 2],
    [
      "more parts than maxParts",
      { parts: 2 },
      [frame("1", MORE), frame("c", COMMAND), frame("2", MORE), frame("3")],
      3,
    ],
    ["parts beyond maxMessageBytes", { message: 5 }, [frame("abc", MORE), frame("de", MORE), frame("f")], 4],
    ["parts whose sum would overflow", {}, [frame("abc", MORE), header(2n ** 53n - 3n)], 4],
  ];

  it.each(FAULTS)(
    "%s ends the connection behind the frames before it",
    async (_name, limits, wire, fault) => {
      const [near, far] = await pair();
      far.decode(undefined, limits);
      await near.send(...wire, frame("not read"));
      await until(() => far.closes.length > 0, "fault");
      expect(far.frames.length).toBe(wire.length - 1);
      expect(far.closes).toEqual([[0, fault, 0]]);
      expect(far.calls.at(-1)).toBe("onClose");
      // Whatever the owner does now, no more comes.
      far.handle.resume();
      near.handle.start();
      near.handle.write(frame("still not"));
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      expect(far.calls.filter((name) => name === "onClose").length).toBe(1);
      expect(far.frames.length).toBe(wire.length - 1);
    },
  );

  it("lets pass what lies exactly on the limits, message after message", async () => {
    const [near, far] = await pair();
    far.decode(undefined, { frame: 3, command: 3, parts: 2, message: 5 });
    for (let i = 0; i < 3; i++) await near.send(frame("abc", MORE), frame("cmd", COMMAND), frame("de"));
    await until(() => far.frames.length === 9, "frames");
    expect(far.closes).toEqual([]);
  });

  it("a fault in the leftover is told as any other", async () => {
    const [, far] = await pair();
    far.handle.startFrames(3, 3, 3, 3, Buffer.concat([frame("ok"), frame("large")]));
    await until(() => far.closes.length > 0, "fault");
    expect(far.frames.length).toBe(1);
    expect(far.closes).toEqual([[0, 1, 0]]);
  });
});
