/** The stream of a connection with a cipher, over one that takes as much as a test says (E14, P8, F19). */
import { describe, expect, it } from "vitest";
import { systemRuntime } from "../../../src/base/runtime.js";
import { FrameDecoder } from "../../../src/engine/incoming/decoder.js";
import { Batch } from "../../../src/engine/outgoing/batch.js";
import { Unread } from "../../../src/engine/outgoing/unread.js";
import { newCrypto } from "../../../src/security/crypto/crypto.js";
import { SealedStream } from "../../../src/security/stream/sealed-stream.js";
import {
  FrameFault,
  type SharedMemory,
  type Stream,
  type StreamHandler,
} from "../../../src/transport/contract/transport.js";
import * as curve from "../../vectors/curve.js";
import { frame } from "../../vectors/frames.js";
import { octets, text, zeros } from "../../vectors/octets.js";

const crypto = await newCrypto(true);
const key = Buffer.from(
  crypto.curve.sharedKey(curve.SERVER_TRANSIENT.publicKey, curve.CLIENT_TRANSIENT.secretKey)!,
);
const clientKeys = { key, asServer: false, sent: { high: 0, low: 2 }, received: { high: 0, low: 1 } };
const serverKeys = { key, asServer: true, sent: { high: 0, low: 1 }, received: { high: 0, low: 2 } };
const LIMITS = { maxFrameBytes: 1e8, maxCommandBytes: 1e6, maxParts: 1000, maxMessageBytes: 1e8 };

/** Takes `room` bytes and no more. */
class FakeStream implements Stream {
  readonly received = 0;
  readonly partial = false;
  readonly unsent = 0;
  get untaken(): number {
    return this.#pending.length;
  }
  readonly engine = "portable";
  readonly remoteAddress = "tcp://127.0.0.1:1";
  readonly localAddress = "tcp://127.0.0.1:2";
  handler: StreamHandler | null = null;
  room = Number.POSITIVE_INFINITY;
  readonly taken: Buffer[] = [];
  #pending: Buffer = zeros(0);
  outerLimit = 0;
  closed = false;

  start(handler: StreamHandler): void {
    this.handler = handler;
  }
  startFrames(limits: { maxFrameBytes: number }, leftover: Uint8Array): void {
    this.outerLimit = limits.maxFrameBytes;
    this.receive(Buffer.from(leftover));
  }
  receive(chunk: Buffer): void {
    const wide = { maxFrameBytes: 1e9, maxCommandBytes: 1e9, maxParts: 1e9, maxMessageBytes: 1e9 };
    if (chunk.length > 0) new FrameDecoder(wide, this.handler!).push(chunk);
  }
  write(segments: readonly Uint8Array[]): number {
    if (this.#pending.length > 0) throw new Error("a write while one is pending");
    this.#pending = Buffer.concat(segments);
    this.#take();
    return this.#pending.length;
  }
  #take(): void {
    const take = Math.min(this.room, this.#pending.length);
    this.taken.push(this.#pending.subarray(0, take));
    this.#pending = this.#pending.subarray(take);
    this.room -= take;
  }
  /** Room for more; as many turns as it takes. */
  drain(room: number): void {
    this.room = room;
    while (this.#pending.length > 0 && this.room > 0) {
      this.#take();
      if (this.#pending.length === 0) this.handler!.onDrain();
    }
  }
  /** @param unread bytes that lie in memory, which the peer has not read */
  break(unread = 0): void {
    this.handler!.onClose(undefined, FrameFault.none, this.#pending.length + unread, 0);
  }
  /** What the peer has read of the memory. */
  passed = 0;
  get memory(): SharedMemory {
    const of = this;
    return {
      get written() {
        return of.taken.reduce((sum, { length }) => sum + length, 0);
      },
      get passed() {
        return of.passed;
      },
      unread: (_, behind) => behind,
      extent: (_, bytes) => bytes,
    };
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.closed = true;
  }
  ref(): void {}
  unref(): void {}
}

class Handler implements StreamHandler {
  readonly frames: [number, Buffer][] = [];
  drains = 0;
  end: { error: Error | undefined; fault: FrameFault; pending: number; octets: number } | undefined;
  onBytes(): void {}
  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    for (let i = 0; i < count * 3; i += 3) {
      this.frames.push([table[i + 2], chunk.subarray(table[i], table[i] + table[i + 1])]);
    }
  }
  onLargeFrame(body: Buffer, flags: number): void {
    this.frames.push([flags, body]);
  }
  onDrain(): void {
    this.drains++;
  }
  onClose(error: Error | undefined, fault: FrameFault, pending: number, count: number): void {
    this.end = { error, fault, pending, octets: count };
  }
}

function sealed(keys: typeof clientKeys, handshake: Uint8Array[] = [], limits = LIMITS) {
  const inner = new FakeStream();
  const stream = new SealedStream(inner, systemRuntime);
  const handler = new Handler();
  stream.start(handler);
  stream.secure(crypto, keys, handshake);
  stream.startFrames(limits, zeros(0));
  return { inner, stream, handler };
}

/** What the other side gets of the bytes that were taken. */
function received(taken: readonly Buffer[]): [number, Buffer][] {
  const { inner, handler } = sealed(serverKeys);
  inner.receive(Buffer.concat(taken));
  return handler.frames;
}

/** Messages of 1 to 3 parts; with their text for comparison. */
function batchOf(count: number): { batch: Batch; parts: string[][] } {
  const batch = new Batch();
  const parts: string[][] = [];
  for (let i = 0; i < count; i++) {
    const message = Array.from({ length: 1 + (i % 3) }, (_, j) => `${i}.${j}`.padEnd((i * 37) % 700, "."));
    if (i % 17 === 0) message.push("large".padEnd(20_000, `${i}`));
    parts.push(message);
    batch.append(message.length === 1 ? text(message[0]) : message.map(text));
  }
  return { batch, parts };
}

function messages(frames: readonly [number, Buffer][]): string[][] {
  const whole: string[][] = [];
  let parts: string[] = [];
  for (const [flags, body] of frames) {
    parts.push(body.toString("latin1"));
    if ((flags & 1) === 0) {
      whole.push(parts);
      parts = [];
    }
  }
  return whole;
}

function plainMessages(segments: readonly Uint8Array[]): string[][] {
  const frames: [number, Buffer][] = [];
  const wide = { maxFrameBytes: 1e9, maxCommandBytes: 1e9, maxParts: 1e9, maxMessageBytes: 1e9 };
  new FrameDecoder(wide, {
    onFrames: (chunk, table, count) => {
      for (let i = 0; i < count * 3; i += 3) {
        frames.push([table[i + 2], chunk.subarray(table[i], table[i] + table[i + 1])]);
      }
    },
    onLargeFrame: (body, flags) => frames.push([flags, body]),
  }).push(Buffer.concat(segments));
  return messages(frames);
}

describe("writing", () => {
  it("everything arrives, however little is taken at a time, with one drain for the session (P8)", () => {
    const { inner, stream, handler } = sealed(clientKeys);
    const { batch, parts } = batchOf(300);
    inner.room = 1000;
    expect(stream.write(batch.seal())).toBeGreaterThan(0);
    for (let i = 0; i < 10_000 && handler.drains === 0; i++) inner.drain(5000);
    expect(handler.drains).toBe(1);
    expect(messages(received(inner.taken))).toEqual(parts);
  });

  it("lets others have their turn while it seals a large batch that leaves at once", async () => {
    const { inner, stream, handler } = sealed(clientKeys);
    const batch = new Batch();
    const parts = Array.from({ length: 6 }, (_, i) => Buffer.alloc(2 * 1024 * 1024, `${i} `));
    for (const part of parts)
      for (let at = 0; at < part.length; at += 65536) batch.append(part.subarray(at, at + 65536));
    expect(stream.write(batch.seal())).toBeGreaterThan(0);
    const [first, drains] = [Buffer.concat(inner.taken).length, handler.drains];
    expect(first).toBeLessThan(6 * 1024 * 1024);
    expect(drains).toBe(0);
    for (let i = 0; i < 20 && handler.drains === 0; i++)
      await new Promise((resolve) => setImmediate(resolve));
    expect(handler.drains).toBe(1);
    const bodies = received(inner.taken).map(([, body]) => body);
    expect(Buffer.concat(bodies).equals(Buffer.concat(parts))).toBe(true);
  });

  it("does not go on with a large batch when it has been closed meanwhile", async () => {
    const { inner, stream, handler } = sealed(clientKeys);
    const batch = new Batch();
    for (let i = 0; i < 200; i++) batch.append(zeros(65536));
    stream.write(batch.seal());
    stream.close();
    const { length } = inner.taken;
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(inner.taken.length).toBe(length);
    expect(handler.drains).toBe(0);
  });

  it("what is left of the handshake goes first, and unsealed", () => {
    const inner = new FakeStream();
    const stream = new SealedStream(inner, systemRuntime);
    const handler = new Handler();
    stream.start(handler);
    inner.room = 3;
    expect(stream.write([text("greeting")])).toBe(5);
    stream.secure(crypto, clientKeys, [text("ready")]);
    inner.drain(7);
    expect(handler.drains).toBe(0);
    inner.drain(100);
    expect(Buffer.concat(inner.taken).toString()).toBe("greetingready");
    expect(handler.drains).toBe(1);
    expect(stream.write([frame(0, text("x"))])).toBe(0);
    expect(inner.taken.at(-1)).toEqual(frame(0, curve.message(false, 3n, 0, text("x"))));
  });

  it("a batch that breaks off anywhere: nothing is lost, nothing comes twice (E14, G3)", () => {
    const whole = sealed(clientKeys);
    whole.stream.write(batchOf(60).batch.seal());
    const total = Buffer.concat(whole.inner.taken).length;
    for (let cut = 0; cut < total; cut += 397) {
      const { inner, stream, handler } = sealed(clientKeys);
      const { batch, parts } = batchOf(60);
      const ping = frame(4, "04", text("PING"), "0000"); // goes before the batch in the same write (F19)
      inner.room = cut;
      expect(stream.write([ping, ...batch.seal()])).toBeGreaterThan(0);
      const { untaken } = stream;
      inner.break();
      expect(untaken).toBe(handler.end!.pending);
      batch.dropTaken(handler.end!.pending);
      const arrived = received(inner.taken).filter(([flags]) => flags !== 4);
      const again = plainMessages(batch.seal());
      expect([...messages(arrived), ...again], `cut at ${cut}`).toEqual(parts);
      expect(again.length).toBe(batch.messages);
    }
  });

  it("memory: what the peer had not read comes again, and nothing twice, also of a write of many chunks", () => {
    const sizes = [60, 700, 60];
    const all = sizes.flatMap((count) => batchOf(count).parts);
    const whole = sealed(clientKeys);
    for (const count of sizes) whole.stream.write(batchOf(count).batch.seal());
    const total = Buffer.concat(whole.inner.taken).length;
    expect(total).toBeGreaterThan(3 * 256 * 1024); // the size of a chunk
    for (let written = 20_011; written <= total; written += 97_003) {
      for (let passed = 0; passed <= written; passed += 160_007) {
        const { inner, stream, handler } = sealed(clientKeys);
        inner.handler!.onMemory!();
        const unread = new Unread(stream.memory!);
        inner.room = written;
        const batches = sizes.map((count) => batchOf(count).batch);
        let begun = 0;
        while (begun < batches.length && stream.write(batches[begun].seal()) === 0)
          unread.add(batches[begun++]);
        expect(unread.takeRead()).toEqual([]);
        inner.passed = passed;
        inner.break(written - passed);
        for (const [batch, untaken] of unread.reclaim(true)) batch.dropTaken(untaken);
        if (begun < batches.length) batches[begun].dropTaken(handler.end!.pending);
        const bytes = Buffer.concat(inner.taken).subarray(0, passed);
        const again = batches.flatMap((batch) => plainMessages(batch.seal()));
        expect([...messages(received([bytes])), ...again], `${passed} of ${written}`).toEqual(all);
      }
    }
  });

  it("a write that the kernel took whole is not told as pending", () => {
    const { inner, stream, handler } = sealed(clientKeys);
    expect(stream.write(batchOf(10).batch.seal())).toBe(0);
    inner.break();
    expect(handler.end).toMatchObject({ error: undefined, pending: 0 });
  });

  it("when the nonces are used up the connection ends, with what could not be sealed as pending (P12)", async () => {
    const { inner, stream, handler } = sealed({ ...clientKeys, sent: { high: 0xffffffff, low: 0xfffffffe } });
    const segments = [frame(0, text("one")), frame(0, text("two"))];
    expect(stream.write(segments)).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handler.end).toMatchObject({ error: { code: "nonce-exhausted" }, pending: 5 });
    expect(inner.closed).toBe(true);
    expect(Buffer.concat(inner.taken)).toEqual(
      frame(0, curve.message(false, 2n ** 64n - 1n, 0, text("one"))),
    );
  });
});

describe("reading", () => {
  const good = frame(0, curve.message(false, 3n, 0, text("good")));

  it.each([
    ["P14", "cryptographic", frame(0, curve.message(true, 4n, 0, text("bad")))],
    ["P13", "invalid-sequence", good],
    ["P14", "malformed-message", frame(4, "05", text("ERROR"), "00")],
    ["P14 large", "cryptographic", frame(0, curve.message(true, 4n, 0, zeros(20_000)))],
  ])("%s %s ends the connection behind what was good, and nothing follows", (_, code, bad) => {
    const { inner, handler } = sealed(serverKeys);
    inner.receive(octets(good, bad, frame(0, curve.message(false, 9n, 0, text("later")))));
    expect(handler.frames).toEqual([[0, text("good")]]);
    expect(handler.end?.error).toMatchObject({ code });
    expect(inner.closed).toBe(true);
    inner.receive(frame(0, curve.message(false, 10n, 0, text("later"))));
    expect(handler.frames.length).toBe(1);
  });

  it("the outer limit has room for the box, and a fault tells the frame inside (E4, E15)", () => {
    const limits = { ...LIMITS, maxFrameBytes: 1000, maxCommandBytes: 1000, maxMessageBytes: 800 };
    const { inner, handler } = sealed(serverKeys, [], limits);
    expect(inner.outerLimit).toBe(1033);
    inner.handler!.onClose(undefined, FrameFault.frameTooLarge, 0, 1034);
    expect(handler.end).toMatchObject({ fault: FrameFault.frameTooLarge, octets: 1001 });
  });

  it("a limit on messages below the one on parts bounds the outer frame too (E4)", () => {
    const limits = { ...LIMITS, maxCommandBytes: 100, maxMessageBytes: 800 };
    const { inner, handler } = sealed(serverKeys, [], limits);
    expect(inner.outerLimit).toBe(833);
    inner.handler!.onClose(undefined, FrameFault.commandTooLarge, 0, 834);
    expect(handler.end).toMatchObject({ fault: FrameFault.messageTooLarge, octets: 801 });
  });

  it("parts inside are counted, which the outer frames do not show (E4)", () => {
    const { inner, handler } = sealed(serverKeys, [], { ...LIMITS, maxParts: 2 });
    inner.receive(octets(...[3n, 4n, 5n].map((n) => frame(0, curve.message(false, n, 1, text("x"))))));
    expect(handler.end).toMatchObject({ fault: FrameFault.tooManyParts, octets: 3 });
  });
});
