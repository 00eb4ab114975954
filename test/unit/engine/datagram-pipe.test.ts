/** The pipe of a udp endpoint, where the system does not take every datagram at once (N13, N14). */
import { describe, expect, it } from "vitest";
import { EventLoop } from "../../../src/base/deadline.js";
import { flushed } from "../../../src/connect/linger.js";
import { Budget } from "../../../src/engine/budget.js";
import { DatagramPipe } from "../../../src/engine/datagrams/datagram-pipe.js";
import { GROUP_FORM } from "../../../src/engine/datagrams/form.js";
import { ManualLoop } from "../../support/manual-loop.js";

const LIMITS = {
  sendHighWaterMark: 4,
  sendHighWaterMarkBytes: 0,
  receiveHighWaterMark: 4,
  receiveHighWaterMarkBytes: 0,
  conflate: false,
  maxResends: 0,
  maxMessageSize: -1,
  maxQueuedBytes: 0,
};

/** A pipe, and a system that takes a datagram only when it is told to. */
function stuck(limits: Partial<typeof LIMITS> = {}) {
  const all = { ...LIMITS, ...limits };
  const seen = { writable: 0, sent: [] as string[], takes: false };
  const owner = {
    received: new Budget(all),
    unsent: new Budget(all),
    borrows: false,
    carries: false,
    topics: null,
    pipeHeldBack() {},
    pipeReadable() {},
    pipeWritable() {
      seen.writable++;
    },
    pipeSharesMemory() {},
    pipeSubscription() {},
  };
  const pipe = new DatagramPipe(owner, all, { add() {} }, GROUP_FORM);
  pipe.link({
    send({ bytes }) {
      seen.sent.push(Buffer.from(bytes.subarray(2)).toString());
      return seen.takes;
    },
  });
  const send = (text: string) => pipe.trySend([Buffer.from("g"), Buffer.from(text)]);
  return { pipe, owner, seen, send, limits: all };
}

describe("a datagram pipe whose system is slow", () => {
  it("gives it one at a time, in order, and has room again at half of its mark", () => {
    const { pipe, owner, seen, send } = stuck();
    expect(["0", "1", "2", "3", "no"].map(send)).toEqual([true, true, true, true, false]);
    expect([seen.sent, pipe.outboundLength, pipe.room, owner.unsent.held]).toEqual([["0"], 4, 0, 9]);
    expect(pipe.reached).toEqual({ limit: "sendHighWaterMark", value: 4 });
    pipe.drained();
    pipe.drained();
    expect([seen.sent, seen.writable]).toEqual([["0", "1", "2"], 0]);
    pipe.drained();
    expect([seen.sent, seen.writable, pipe.outboundLength]).toEqual([["0", "1", "2", "3"], 1, 1]);
    seen.takes = true;
    pipe.drained();
    expect([pipe.outboundLength, owner.unsent.held, send("4"), seen.sent.at(-1)]).toEqual([0, 0, true, "4"]);
  });

  it("obeys marks in bytes, and a mark that is raised", () => {
    const { pipe, seen, send, limits } = stuck({ sendHighWaterMark: 0, sendHighWaterMarkBytes: 20 });
    expect(["first", "0".repeat(18), "no"].map(send)).toEqual([true, true, false]);
    expect(pipe.reached).toEqual({ limit: "sendHighWaterMarkBytes", value: 20 });
    limits.sendHighWaterMarkBytes = 30;
    pipe.limitsChanged();
    expect([seen.writable, send("yes")]).toEqual([1, true]);
    expect(pipe.roomBytes).toBe(30 - 25);
  });

  it("drops the oldest that wait, never the one that the system has", () => {
    const { pipe, owner, seen, send } = stuck();
    for (const text of ["0", "1", "2", "3"]) send(text);
    expect(pipe.dropOldest()).toBe(1);
    expect(send("4")).toBe(true);
    seen.takes = true;
    pipe.drained();
    expect([seen.sent, owner.unsent.held]).toEqual([["0", "2", "3", "4"], 0]);
  });

  it("lingers until the system has the last one, or drops what is left", async () => {
    const { pipe, owner, seen, send } = stuck();
    for (const text of ["0", "1"]) send(text);
    let done = false;
    const flushing = flushed([pipe], -1, new EventLoop(new ManualLoop())).then(() => {
      done = true;
    });
    pipe.drained();
    await Promise.resolve();
    expect([seen.sent, done]).toEqual([["0", "1"], false]);
    pipe.drained();
    await flushing;
    send("2");
    send("3");
    expect([pipe.discardOutbound(), owner.unsent.held]).toEqual([1, 0]);
  });
});
