/**
 * The ring in shared memory that joins two threads, alone and as a Stream. Both ends of a stream are in this thread here;
 * test/conformance/inproc-threads.test.ts has real ones.
 */
import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { createRing, RING_BYTES, RingReader, RingWriter } from "../../src/inproc/ring.js";
import { RingStream } from "../../src/inproc/ring-stream.js";
import type { Stream } from "../../src/transport/contract/transport.js";
import { childPath } from "../support/child.js";
import { turns, until } from "../support/helpers.js";
import { Recorder, WIDE } from "../support/recorder.js";

const SMALL = 4096;

/** Bytes that differ from their neighbours at every distance that a wrong copy could be off by. */
function octets(length: number, seed = 1): Buffer {
  const out = Buffer.alloc(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0;
    out[i] = x >>> 16;
  }
  return out;
}

/** Reads all that is there, copied. */
function readAll(reader: RingReader): Buffer {
  const parts: Buffer[] = [];
  for (let view = reader.next(); view !== null; view = reader.next()) {
    parts.push(Buffer.from(view));
    reader.skip(view.length);
  }
  return Buffer.concat(parts);
}

function ends(bytes = SMALL): { writer: RingWriter; reader: RingReader } {
  const memory = createRing(bytes);
  return { writer: new RingWriter(memory, 0), reader: new RingReader(memory, 0) };
}

describe("a ring", () => {
  it("gives nothing before publish()", () => {
    const { writer, reader } = ends();
    expect(writer.put(octets(10), 0)).toBe(10);
    expect(reader.readable).toBe(false);
    expect(reader.next()).toBeNull();
    writer.publish();
    expect(readAll(reader)).toEqual(octets(10));
    expect(reader.readable).toBe(false);
  });

  it("keeps octets whole over many rounds, for sources at every position modulo 8", () => {
    const { writer, reader } = ends();
    const source = octets(1200);
    for (let round = 0; round < 3000; round++) {
      const from = round % 17;
      const piece = source.subarray(from, from + 1 + ((round * 37) % 1100));
      expect(writer.put(piece, 0)).toBe(piece.length);
      writer.publish();
      expect(readAll(reader).equals(piece)).toBe(true);
    }
  });

  it("takes writes of one octet until it is full, and gives each octet once", () => {
    const { writer, reader } = ends();
    const source = octets(SMALL);
    let written = 0;
    while (written < SMALL && writer.put(source.subarray(written, written + 1), 0) === 1) written++;
    writer.publish();
    expect(written).toBeGreaterThan(SMALL / 24 - 2);
    expect(written).toBeLessThan(SMALL / 8);
    expect(readAll(reader)).toEqual(source.subarray(0, written));
    expect(writer.free).toBe(SMALL);
  });

  it("takes a piece of what does not fit, and the rest later", () => {
    const { writer, reader } = ends();
    const source = octets(20_000);
    const got: Buffer[] = [];
    let at = 0;
    for (let rounds = 0; at < source.length; rounds++) {
      expect(rounds).toBeLessThan(100);
      const taken = writer.put(source, at);
      at += taken;
      writer.publish();
      if (at < source.length) expect(writer.put(source, at)).toBe(0); // full
      got.push(readAll(reader));
    }
    expect(Buffer.concat(got).equals(source)).toBe(true);
  });

  it("gives room back while a record is being read", () => {
    const { writer, reader } = ends();
    writer.put(octets(3000), 0);
    writer.publish();
    const before = writer.free;
    expect((reader.next() as Buffer).length).toBe(3000);
    reader.skip(2000);
    expect(writer.free).toBe(before + 2000 + 8); // its header too
    expect(Buffer.from(reader.next() as Buffer)).toEqual(octets(3000).subarray(2000));
  });

  it("keeps the two directions apart", () => {
    const memory = createRing(SMALL);
    for (const direction of [0, 1] as const) {
      new RingWriter(memory, direction).put(octets(100, direction + 5), 0);
      const again = new RingWriter(memory, direction);
      again.put(octets(100, direction + 5), 0);
      again.publish();
    }
    for (const direction of [0, 1] as const) {
      expect(readAll(new RingReader(memory, direction))).toEqual(octets(100, direction + 5));
    }
  });

  it("counts positions over 2^32", () => {
    const memory = createRing(SMALL);
    // Near the end of the range: words 0 and 16 of a direction are its positions.
    const words = new Int32Array(memory);
    words[0] = -64;
    words[16] = -64;
    const { writer, reader } = { writer: new RingWriter(memory, 0), reader: new RingReader(memory, 0) };
    for (let i = 0; i < 20; i++) {
      expect(writer.put(octets(333, i), 0)).toBe(333);
      writer.publish();
      expect(readAll(reader)).toEqual(octets(333, i));
      expect(writer.free).toBe(SMALL);
    }
  });

  it("carries 20 million octets between two threads in pieces of random sizes", async () => {
    const memory = createRing(16384);
    const total = 20_000_000;
    const worker = new Worker(childPath("ring-writer.mjs"), { workerData: { memory, total } });
    const exit = once(worker, "exit");
    const reader = new RingReader(memory, 0);
    let at = 0;
    let wrong = 0;
    while (at < total) {
      const view = reader.next();
      if (view === null) {
        await new Promise(setImmediate);
        continue;
      }
      const take = 1 + Math.floor(Math.random() * view.length);
      for (let i = 0; i < take; i++) if (view[i] !== ((at + i) & 255)) wrong++;
      reader.skip(take);
      at += take;
    }
    expect(wrong).toBe(0);
    expect(await exit).toEqual([0]);
  });
});

const open: Stream[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

function pair(bytes = RING_BYTES) {
  const memory = createRing(bytes);
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [
    new RingStream(memory, port1, 0, "inproc://x"),
    new RingStream(memory, port2, 1, "inproc://x"),
  ];
  open.push(near, far);
  return { memory, near, far, port1, heard: new Recorder(), farHeard: new Recorder() };
}

function frame(body: Buffer, flags = 0): Buffer {
  const header = Buffer.alloc(body.length > 255 ? 9 : 2);
  header[0] = flags | (body.length > 255 ? 2 : 0);
  if (body.length > 255) header.writeBigUInt64BE(BigInt(body.length), 1);
  else header[1] = body.length;
  return Buffer.concat([header, body]);
}

/** Both sides started; the near one in frame mode. */
function framed(bytes?: number) {
  const rig = pair(bytes);
  rig.near.start(rig.heard);
  rig.near.startFrames(WIDE, Buffer.alloc(0));
  rig.far.start(rig.farHeard);
  return rig;
}

describe("a stream over rings", () => {
  it("gives octets in byte mode, in memory that is not shared", async () => {
    const { near, far, heard, farHeard } = pair();
    near.start(heard);
    far.start(farHeard);
    expect(far.write([Buffer.from("ab"), Buffer.from("cd")])).toBe(0);
    expect(heard.bytes).toEqual([]); // never from inside a call
    await until(() => Buffer.concat(heard.bytes).length === 4, "octets");
    expect(Buffer.concat(heard.bytes).toString()).toBe("abcd");
    for (const chunk of heard.bytes) expect(chunk.buffer).toBeInstanceOf(ArrayBuffer);
    expect([near.remoteAddress, near.localAddress, near.engine]).toEqual([
      "inproc://x",
      "inproc://x",
      "portable",
    ]);
  });

  it("decodes leftovers first, then frames of all sizes, none of them in shared memory", async () => {
    const { near, far, heard, farHeard } = pair();
    near.start(heard);
    far.start(farHeard);
    const bodies = [0, 1, 255, 256, 16_383, 16_384, 16_385, 100_000, 3_000_000].map((size) =>
      octets(size, size),
    );
    near.startFrames(WIDE, frame(Buffer.from("left"), 1));
    const stream = bodies.map((body, i) => frame(body, i % 2));
    // One write whose segments cut frames anywhere.
    const whole = Buffer.concat(stream);
    const segments: Buffer[] = [];
    for (let at = 0, size = 1; at < whole.length; at += size, size = 1 + ((size * 7) % 200_000)) {
      segments.push(whole.subarray(at, at + size));
    }
    expect(far.write(segments)).toBeGreaterThan(0);
    await until(() => farHeard.drains === 1, "drain");
    await until(() => heard.frames.length === bodies.length + 1, "frames");
    expect(heard.frames[0].body.toString()).toBe("left");
    for (const [i, body] of bodies.entries()) {
      const got = heard.frames[i + 1];
      expect([got.flags, got.body.length, got.body.equals(body)]).toEqual([i % 2, body.length, true]);
      expect(got.body.buffer).toBeInstanceOf(ArrayBuffer);
    }
  });

  it("a reader that pauses fills the ring; the writer is told when all is taken", async () => {
    const { near, far, heard, farHeard } = framed();
    near.pause();
    const body = octets(3 * RING_BYTES);
    const pending = far.write([frame(body)]);
    expect(pending).toBeGreaterThan(2 * RING_BYTES);
    await turns(50);
    expect([heard.frames.length, farHeard.drains]).toEqual([0, 0]);
    near.resume();
    await until(() => farHeard.drains === 1, "drain");
    await until(() => heard.frames.length === 1, "frame");
    expect(heard.frames[0].body.equals(body)).toBe(true);
  });

  it("delivers nothing after pause() in a handler but the chunk under way", async () => {
    const { near, far, heard } = framed();
    heard.onFrame = () => near.pause();
    for (let i = 0; i < 10; i++) far.write([frame(Buffer.from([i]))]);
    for (let i = 1; i <= 10; i++) {
      await until(() => heard.frames.length === i, "a frame");
      await turns(5);
      expect(heard.frames.length).toBe(i);
      near.resume();
    }
    expect(heard.frames.map(({ body }) => body[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("what was written before an orderly close arrives, also at a reader that paused; then the end", async () => {
    const { near, far, heard } = framed();
    near.pause();
    far.write([frame(octets(50_000))]);
    far.close();
    await turns(50);
    expect(heard.ends).toEqual([]);
    near.resume();
    await until(() => heard.ends.length === 1, "the end");
    expect(heard.frames[0].body.equals(octets(50_000))).toBe(true);
    expect(heard.ends).toEqual([{ error: undefined, fault: 0, pending: 0, octets: 0 }]);
  });

  it("a port that closes without a word means a dead thread; what it had not taken is told", async () => {
    const { near, port1, farHeard, far } = pair();
    far.start(farHeard);
    near.start(new Recorder());
    near.pause();
    const pending = far.write([octets(2 * RING_BYTES)]);
    expect(pending).toBeGreaterThan(RING_BYTES);
    port1.close();
    await until(() => farHeard.ends.length === 1, "the end");
    expect(farHeard.ends).toEqual([{ error: "ECONNRESET", fault: 0, pending, octets: 0 }]);
    expect(farHeard.drains).toBe(0);
    await turns(20);
    expect(farHeard.ends.length).toBe(1);
  });

  it("says nothing after our own close()", async () => {
    const { near, far, heard } = framed();
    far.write([frame(Buffer.from("x"))]);
    far.close();
    near.close();
    near.close();
    await turns(50);
    expect([heard.frames, heard.ends]).toEqual([[], []]);
  });

  it("ends with the decoder's fault", async () => {
    const { near, far, heard, farHeard } = pair();
    near.start(heard);
    far.start(farHeard);
    near.startFrames({ ...WIDE, maxFrameBytes: 10 }, Buffer.alloc(0));
    far.write([frame(Buffer.alloc(10)), frame(Buffer.alloc(11)), frame(Buffer.alloc(1))]);
    await until(() => heard.ends.length === 1, "the end");
    expect([heard.frames.length, heard.ends]).toEqual([
      1,
      [{ error: undefined, fault: 1, pending: 0, octets: 11 }],
    ]);
    await until(() => farHeard.ends.length === 1, "the end of the other side");
    expect(farHeard.ends[0].error).toBeUndefined();
  });

  it("goes on after a handler has thrown", async () => {
    const { near, far, heard } = framed();
    const errors: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => errors.push(error));
    try {
      heard.onFrame = () => {
        heard.onFrame = null;
        throw new Error("the application's");
      };
      far.write([frame(Buffer.from("a"))]);
      await until(() => errors.length === 1, "the exception");
      far.write([frame(Buffer.from("b"))]);
      await until(() => heard.frames.length === 2, "the next frame");
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of others) process.on("uncaughtException", listener);
    }
    near.close();
  });

  it("lets timers run while a writer never stops", async () => {
    const { near, far, heard, farHeard } = framed();
    const chunk = [frame(octets(RING_BYTES))];
    farHeard.onDrain = () => void far.write(chunk);
    far.write(chunk);
    let fired = 0;
    const timer = setInterval(() => fired++, 1);
    await until(() => fired >= 20 && heard.frames.length > 20, "timers between frames");
    clearInterval(timer);
    far.close();
    near.close();
  });
});
