/** A browser's WebSocket as a stream: what comes in, what waits, what goes out, and how it ends. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FrameFault, type StreamHandler } from "../../../src/transport/contract/transport.js";
import { offered, type ZwsProtocol } from "../../../src/transport/ws/protocols.js";
import { greetingOf } from "../../../src/transport/ws/zws.js";
import { PageStream } from "../../../src/web/page-stream.js";
import { FakeWebSocket } from "../../support/browser/fake-web-socket.js";
import { turns, until } from "../../support/helpers.js";

const [FULL, , PLAIN] = offered("NULL");
const LIMITS = { maxFrameBytes: 1000, maxCommandBytes: 500, maxMessageBytes: 1500, maxParts: 10 };
const KIB = 1024;

/** Records what a stream tells. */
class Teller implements StreamHandler {
  readonly bytes: Buffer[] = [];
  readonly frames: string[] = [];
  readonly ends: { error: string; fault: number; pending: number; size: number }[] = [];
  drains = 0;
  onFrame: (body: string) => void = () => {};

  onBytes(chunk: Buffer): void {
    this.bytes.push(Buffer.from(chunk));
  }
  onFrames(): void {
    throw new Error("a page's stream has no chunks of frames");
  }
  onLargeFrame(body: Buffer, flags: number): void {
    this.frames.push(`${flags} ${body}`);
    this.onFrame(String(body));
  }
  onDrain(): void {
    this.drains++;
  }
  onClose(error: Error | undefined, fault: FrameFault, pending: number, size: number): void {
    const { code } = (error ?? {}) as { code?: string };
    this.ends.push({
      error: error === undefined ? "none" : `${code}: ${error.message}`,
      fault,
      pending,
      size,
    });
  }
}

/** A stream whose handshake is over unless said otherwise. */
async function opened(options: object = {}, protocol: ZwsProtocol = FULL, handshake = false) {
  const socket = new FakeWebSocket();
  const stream = new PageStream(socket, "ws://host/", protocol, options);
  const teller = new Teller();
  onTestFinished(() => stream.close());
  stream.start(teller);
  await until(() => teller.bytes.length > 0, "the greeting");
  if (!handshake) stream.startFrames(LIMITS, Buffer.alloc(0));
  return { socket, stream, teller };
}

describe("what comes from the peer", () => {
  it("begins with the greeting that the sub-protocol stands for, and in the handshake is bytes of ZMTP", async () => {
    const { socket, teller } = await opened({}, FULL, true);
    socket.say(2, Buffer.from("\x05READY"));
    socket.say(0, Buffer.alloc(300, 7));
    expect(teller.bytes.map((bytes) => bytes.toString("hex"))).toEqual([
      greetingOf(FULL).toString("hex"),
      Buffer.from("\x04\x06\x05READY").toString("hex"),
      `02${"0".repeat(12)}012c${"07".repeat(300)}`,
    ]);
  });

  it("waits from the first moment until it is read", async () => {
    const socket = new FakeWebSocket();
    const stream = new PageStream(socket, "ws://host/", FULL, {});
    socket.say(2, Buffer.from("early"));
    const teller = new Teller();
    stream.start(teller);
    expect(teller.bytes).toEqual([]);
    await turns(3);
    expect(teller.bytes).toHaveLength(2);
    stream.close();
  });

  it("then is a frame for each message", async () => {
    const { socket, stream, teller } = await opened();
    socket.say(1, Buffer.from("a"));
    socket.say(0);
    socket.say(2, Buffer.from("command"));
    expect(teller.frames).toEqual(["1 a", "0 ", "4 command"]);
    expect(stream.received).toBe(2 + 1 + 8);
  });

  it("without commands begins with the peer's identity", async () => {
    const { socket, teller } = await opened({}, PLAIN, true);
    socket.say(0, Buffer.from("id"));
    expect(String(teller.bytes[1])).toMatch(/READY.*Identity.*id$/s);
    expect(teller.ends).toEqual([]);
  });

  it("keeps its order over any number of pauses, also those made while it is delivered", async () => {
    const { socket, stream, teller } = await opened();
    let count = 0;
    // Stops after each third frame, and goes on at once, in a moment, or not before the test says so.
    teller.onFrame = () => {
      if (++count % 3 !== 0) return;
      stream.pause();
      if (count % 2 === 0) stream.resume();
    };
    for (let i = 0; i < 100; i++) {
      socket.say(0, Buffer.from(String(i)));
      if (i % 10 === 9) stream.resume();
    }
    while (teller.frames.length < 100) stream.resume();
    expect(teller.frames).toEqual(Array.from({ length: 100 }, (_, i) => `0 ${i}`));
  });

  it("that waits when the stream is closed is dropped", async () => {
    const { socket, stream, teller } = await opened();
    stream.pause();
    for (const body of ["1", "2", "3"]) socket.say(0, Buffer.from(body));
    teller.onFrame = () => stream.close();
    stream.resume();
    expect([teller.frames, teller.ends, socket.closed]).toEqual([["0 1"], [], 1000]);
  });
});

describe("a hostile peer", () => {
  const cases: [string, (socket: FakeWebSocket) => void, RegExp, ZwsProtocol?][] = [
    ["a message of text", (socket) => socket.onmessage?.({ data: "text" }), /a message of text/],
    ["an empty message", (socket) => socket.say(), /an empty message/],
    ["no identity first", (socket) => socket.say(1, Buffer.from("x")), /must be an identity/, PLAIN],
    ["an empty message for an identity", (socket) => socket.say(), /must be an identity/, PLAIN],
  ];
  it.each(cases)(
    "%s ends the connection, with a reason and a code",
    async (_, act, reason, protocol = FULL) => {
      const { socket, teller } = await opened({}, protocol, protocol === PLAIN);
      act(socket);
      expect(teller.ends).toMatchObject([{ error: expect.stringMatching(reason), fault: FrameFault.none }]);
      expect(teller.ends[0].error).toMatch(/^websocket: /);
      expect(socket.closed).toBe(3002);
      socket.onmessage?.({ data: new ArrayBuffer(3) });
      expect(teller.frames).toEqual([]);
    },
  );

  it("a part above the limit, and a message above it in parts, is a fault with its size", async () => {
    const one = await opened();
    one.socket.say(0, Buffer.alloc(1001));
    expect(one.teller.ends).toMatchObject([{ error: "none", size: 1001 }]);
    expect(one.teller.ends[0].fault).not.toBe(FrameFault.none);
    expect(one.socket.closed).toBe(3009);
    const two = await opened();
    two.socket.say(1, Buffer.alloc(900));
    two.socket.say(0, Buffer.alloc(900));
    expect(two.teller.ends).toHaveLength(1);
    expect(two.teller.frames).toHaveLength(1);
    const parts = await opened();
    for (let i = 0; i < 11; i++) parts.socket.say(1);
    expect(parts.teller.ends).toHaveLength(1);
  });

  it("what nobody reads is kept up to the byte mark, which is read afresh; then the connection ends", async () => {
    const limits = { receiveHighWaterMarkBytes: 10_000 };
    const { socket, stream, teller } = await opened(limits);
    stream.pause();
    for (let i = 0; i < 8; i++) socket.say(0, Buffer.alloc(999));
    expect(teller.ends).toEqual([]);
    limits.receiveHighWaterMarkBytes = 5000;
    socket.say(0);
    expect(teller.ends).toMatchObject([
      { error: expect.stringMatching(/^ENOBUFS: .*more than 5000 bytes arrived that nobody has received/) },
    ]);
    expect(socket.closed).toBe(3009);
  });

  it("a million empty messages count, too", async () => {
    const { socket, stream, teller } = await opened({ receiveHighWaterMarkBytes: 1_000_000 });
    stream.pause();
    let count = 0;
    while (teller.ends.length === 0 && count < 1_000_000) {
      socket.say(0);
      count++;
    }
    expect(count).toBeLessThan(10_000);
  });

  it("without a byte mark, what is kept has no limit", async () => {
    const { socket, stream, teller } = await opened({ receiveHighWaterMarkBytes: 0 });
    stream.pause();
    for (let i = 0; i < 1000; i++) socket.say(0, Buffer.alloc(900));
    expect(teller.ends).toEqual([]);
  });
});

describe("what goes out", () => {
  /** A whole write: our greeting, and one frame. */
  const greeting = Buffer.alloc(64);
  const frame = (body: Buffer) => Buffer.concat([Buffer.of(0, body.length), body]);

  it("is taken while the browser has little of it waiting", async () => {
    const { socket, stream } = await opened();
    expect(stream.write([greeting, frame(Buffer.from("a"))])).toBe(0);
    expect(socket.sent.map(String)).toEqual(["\0a"]);
    expect([stream.unsent, stream.untaken]).toEqual([0, 0]);
  });

  it("waits while the browser has more, and is told when it has not", async () => {
    const { socket, stream, teller } = await opened();
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    socket.bufferedAmount = 300 * KIB;
    expect(stream.write([greeting, frame(Buffer.from("abc"))])).toBe(300 * KIB);
    expect(stream.unsent).toBe(300 * KIB);
    // Of this write, the frames.
    expect(stream.untaken).toBe(5);
    socket.bufferedAmount = 100 * KIB;
    vi.advanceTimersByTime(1000);
    expect(teller.drains).toBe(0);
    socket.bufferedAmount = 10 * KIB;
    vi.advanceTimersByTime(4);
    expect(teller.drains).toBe(1);
    expect([stream.unsent, stream.untaken]).toEqual([0, 0]);
  });

  it("is not given to a WebSocket that is closing, which would drop it", async () => {
    const { socket, stream, teller } = await opened();
    socket.readyState = 2;
    const write = [greeting, frame(Buffer.from("kept"))];
    expect(stream.write(write)).toBe(64 + 6);
    expect(socket.sent).toEqual([]);
    socket.end(1006);
    expect(teller.ends).toMatchObject([
      { pending: 64 + 6, error: expect.stringMatching(/^ECONNRESET: .*1006/) },
    ]);
  });

  it("that waited when the connection broke is told as not sent", async () => {
    const { socket, stream, teller } = await opened();
    socket.bufferedAmount = 300 * KIB;
    stream.write([greeting, frame(Buffer.alloc(100))]);
    socket.end(1006);
    expect(teller.ends).toMatchObject([{ pending: 102 }]);
  });
});

describe("the end", () => {
  it.each([1000, 1001, 1005])("with code %d is in order", async (code) => {
    const { socket, teller } = await opened();
    socket.end(code);
    expect(teller.ends).toMatchObject([{ error: "none", pending: 0 }]);
  });

  it.each([1002, 1006, 1011, 3009])("with code %d is a loss that names code and reason", async (code) => {
    const { socket, teller } = await opened();
    socket.end(code, "because");
    expect(teller.ends[0].error).toBe(
      `ECONNRESET: the connection was lost: WebSocket close code ${code}, "because"`,
    );
  });

  it("comes after all that came before it has been read", async () => {
    const { socket, stream, teller } = await opened();
    stream.pause();
    socket.say(0, Buffer.from("last"));
    socket.end(1000);
    expect(teller.ends).toEqual([]);
    stream.resume();
    expect([teller.frames, teller.ends.length]).toEqual([["0 last"], 1]);
  });

  it("before it was read at all is told when it is", async () => {
    const socket = new FakeWebSocket();
    const stream = new PageStream(socket, "ws://host/", FULL, {});
    socket.end(1000);
    const teller = new Teller();
    stream.start(teller);
    await until(() => teller.ends.length === 1, "the end");
  });

  it("after close() is silence", async () => {
    const { socket, stream, teller } = await opened();
    stream.close();
    stream.close();
    socket.say(0, Buffer.from("x"));
    socket.end(1006);
    await turns(3);
    expect([teller.frames, teller.ends, socket.closed]).toEqual([[], [], 1000]);
  });
});
