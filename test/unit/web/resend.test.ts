/** What a page's stream says was not sent, and whom it gives what was kept: with a WebSocket of the test. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { StreamHandler } from "../../../src/transport/contract/transport.js";
import { offered } from "../../../src/transport/ws/protocols.js";
import { OutgoingFrames } from "../../../src/web/outgoing-frames.js";
import { PageStream } from "../../../src/web/page-stream.js";
import type { WebSocketLike } from "../../../src/web/web-socket.js";
import { encodeGreeting } from "../../../src/wire/zmtp/greeting.js";

const GREETING = encodeGreeting("NULL", false);
const NO_LIMITS = { maxFrameBytes: 1e9, maxCommandBytes: 1e9, maxParts: 1e9, maxMessageBytes: 1e9 };

function frame(body: string | number): Buffer {
  const bytes = typeof body === "number" ? Buffer.alloc(body) : Buffer.from(body);
  if (bytes.length < 256) return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  const head = Buffer.alloc(9);
  head[0] = 2;
  head.writeBigUInt64BE(BigInt(bytes.length), 1);
  return Buffer.concat([head, bytes]);
}

describe("bytes that the browser still has, as bytes of ZMTP", () => {
  // Messages of 1, 4, 8 and 294 bytes, whose frames have 2, 5, 9 and 302.
  it.each([
    [0, 0],
    [1, 302],
    [294, 302],
    [295, 311],
    [302, 311],
    [303, 316],
    [306, 316],
    [307, 318],
    [9999, 318],
  ])("%i of them are %i", (buffered, behind) => {
    const outgoing = new OutgoingFrames(false, () => {});
    outgoing.push(GREETING);
    outgoing.begin();
    outgoing.push(Buffer.concat([frame(""), frame("abc"), frame("1234567")]));
    outgoing.push(frame(293));
    expect(outgoing.behind(buffered)).toBe(behind);
  });
});

function fake(): WebSocketLike & { sent: Uint8Array[]; arrive(text: string): void; bufferedAmount: number } {
  return {
    binaryType: "",
    protocol: "",
    readyState: 1,
    bufferedAmount: 0,
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    sent: [],
    send(data: Uint8Array) {
      this.sent.push(data);
    },
    close() {},
    arrive(text: string) {
      const { buffer } = new Uint8Array(Buffer.from(`\0${text}`));
      this.onmessage?.({ data: buffer });
    },
  };
}

it("whoever pauses and resumes while it is given a message gets each once, in order", async () => {
  const socket = fake();
  const stream = new PageStream(socket, "ws://test/", offered("NULL")[0], { receiveHighWaterMarkBytes: 0 });
  const got: string[] = [];
  const handler: Partial<StreamHandler> = {
    onBytes() {},
    onLargeFrame(body) {
      got.push(String(body));
      stream.pause();
      stream.resume();
    },
  };
  stream.start(handler as StreamHandler);
  await turn();
  await turn();
  stream.startFrames(NO_LIMITS, new Uint8Array());
  stream.pause();
  for (const text of ["1", "2", "3", "4"]) socket.arrive(text);
  expect(got).toEqual([]);
  stream.resume();
  socket.arrive("5");
  expect(got).toEqual(["1", "2", "3", "4", "5"]);
});
