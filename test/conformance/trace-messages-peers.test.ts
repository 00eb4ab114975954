/** Contexts of traces from other processes and threads, beside libzmq, and from hostile or limited peers. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { Publisher, Pull, Push, type Socket, Stream, Subscriber } from "../../src/index.js";
import { contextOf, traceMessages } from "../../src/opentelemetry.js";
import { childPath } from "../support/child.js";
import { bound, foreign } from "../support/foreign.js";
import {
  freePort,
  managed,
  rawConnected,
  rawDial,
  record,
  texts,
  until,
  within,
} from "../support/helpers.js";
import { message as encoded } from "../support/raw-peer.js";
import { exporter, inContext, numberOf, provideTracing, traced } from "../support/traced.js";

provideTracing();

describe("from elsewhere", () => {
  const consumed = async (pull: Pull, ids: Promise<{ traceId: string; spanId: string }>) => {
    const message = await within(pull.receive(), "message");
    trace.getTracer("consumer").startSpan("process", { kind: SpanKind.CONSUMER }, contextOf(message)).end();
    const { traceId, spanId } = await within(ids, "ids");
    const [consumer] = exporter.getFinishedSpans();
    expect(texts(message)).toEqual(["an", "order"]);
    expect(consumer.spanContext().traceId).toBe(traceId);
    expect(consumer.parentSpanContext?.spanId).toBe(spanId);
  };

  it("from another process", async () => {
    const pull = traced(new Pull());
    const at = await pull.bind("tcp://127.0.0.1:*");
    const child = promisify(execFile)(process.execPath, [childPath("traced-producer.mjs"), at]);
    await consumed(
      pull,
      child.then(({ stdout }) => JSON.parse(stdout)),
    );
  });

  it("from another thread, sent before the name is bound there", async () => {
    const pull = traced(new Pull());
    const worker = new Worker(childPath("traced-producer.mjs"), { workerData: "inproc://traced-thread" });
    onTestFinished(async () => void (await worker.terminate()));
    const ids = once(worker, "message").then(([found]) => found);
    await within(ids, "sent");
    await pull.bind("inproc://traced-thread");
    await consumed(pull, ids);
  });
});

/** Binds what another socket has just left. */
async function boundAgain(socket: Pull | zmq.Pull, endpoint: string): Promise<void> {
  const tried = async (): Promise<boolean> => {
    try {
      await socket.bind(endpoint);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: "EADDRINUSE" });
      return false;
    }
  };
  await until(tried, "bound again");
}

describe("with libzmq", () => {
  it("libzmq sees nothing of it, and is understood", async () => {
    const [push, pull] = [traced(new Push()), traced(new Pull())];
    const [theirPull, theirPush] = [foreign(new zmq.Pull()), foreign(new zmq.Push())];
    push.connect(await bound(theirPull));
    pull.connect(await bound(theirPush));
    for (let n = 1; n < 50; n++) await inContext(n, () => push.send([`${n}`, Buffer.alloc(n * 1000)]));
    for (let n = 1; n < 50; n++) {
      const got = await within(theirPull.receive(), "message");
      expect([got.length, String(got[0]), got[1].length]).toEqual([2, `${n}`, n * 1000]);
    }
    await theirPush.send(["a", "b"]);
    const got = await within(pull.receive(), "message");
    expect([numberOf(got), texts(got)]).toEqual([0, ["a", "b"]]);
  });

  it("publishes to a libzmq SUB beside one of zwire", async () => {
    const publisher = traced(new Publisher());
    const subscriber = traced(new Subscriber());
    const theirs = foreign(new zmq.Subscriber());
    const at = await publisher.bind("tcp://127.0.0.1:*");
    subscriber.subscribe("");
    subscriber.connect(at);
    theirs.subscribe("");
    theirs.connect(at);
    await publisher.waitForSubscribers(2);
    for (let n = 1; n < 100; n++) await inContext(n, () => publisher.send(["t", Buffer.alloc(n * 50)]));
    for (let n = 1; n < 100; n++) {
      const got = await within(subscriber.receive(), "ours");
      expect([numberOf(got), got.length, got[1].length]).toEqual([n, 2, n * 50]);
      const seen = await within(theirs.receive(), "theirs");
      expect([seen.length, String(seen[0]), seen[1].length]).toEqual([2, "t", n * 50]);
    }
  });

  it("what is left of a connection goes to whoever takes its place", async () => {
    const push = traced(new Push());
    const at = await freePort();
    push.connect(at);
    const first = new Pull({ receiveHighWaterMark: 1 });
    traceMessages(first);
    await first.bind(at);
    await push.connected();
    // More than kernels hold.
    for (let n = 1; n <= 100; n++) await inContext(n, () => push.send([`${n}`, Buffer.alloc(200_000)]));
    expect(numberOf(await within(first.receive(), "first"))).toBe(1);
    await first.close();
    const theirs = foreign(new zmq.Pull({ receiveHighWaterMark: 1 }));
    await boundAgain(theirs, at);
    const [began] = await within(theirs.receive(), "theirs");
    let n = Number(began);
    for (const last = n + 10; n < last; ) {
      const got = await within(theirs.receive(), "theirs");
      expect([got.length, String(got[0]), got[1].length]).toEqual([2, `${++n}`, 200_000]);
    }
    theirs.close();
    const third = traced(new Pull());
    await boundAgain(third, at);
    let before = 0;
    for (let got = await within(third.receive(), "third"); ; got = await within(third.receive(), "third")) {
      const number = Number(got[0]);
      expect([got.length, got[1].length]).toEqual([2, 200_000]);
      expect(number).toBeGreaterThan(before);
      expect([0, number]).toContain(numberOf(got));
      before = number;
      if (number === 100) break;
    }
  });
});

describe("hostile and limited peers", () => {
  const announcing = { type: "PUSH", properties: [["X-zwire-trace", "1"]] } as const;
  const parent = "00-0000000000000000000000000000000a-000000000000000a-01";

  it("delivers a message whose context is not valid, without one", async () => {
    const pull = traced(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), announcing);
    const bad = [
      "",
      "x",
      parent.toUpperCase(),
      `${parent}-more`,
      `${parent}\n`,
      `${parent}\na=1\nb`,
      `${parent}\nn\u0000l=1`,
      `${parent}\n${"x".repeat(513)}`,
      parent.replace("000a-0000", "0000-0000"),
      parent.replace(/^00/, "ff"),
      Buffer.alloc(569, "a"),
      Buffer.alloc(100_000, 255),
    ];
    for (const each of bad) {
      peer.write(encoded(each, "body"));
      const got = await within(pull.receive(), "message");
      expect([texts(got), numberOf(got)]).toEqual([["body"], 0]);
    }
    peer.write(encoded(parent, "body"), encoded(`${parent}\nvendor=1`, "body"));
    expect(numberOf(await within(pull.receive(), "good"))).toBe(10);
    const state = trace.getSpanContext(
      contextOf(await within(pull.receive(), "good"), ROOT_CONTEXT),
    )?.traceState;
    expect(state?.get("vendor")).toBe("1");
  });

  it("ends the connection of a peer that leaves the part out", async () => {
    const pull = traced(new Pull());
    const events = record(pull);
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), announcing);
    peer.write(encoded(parent, "good"), encoded("bad"), encoded(parent, "after"));
    await within(peer.closed(), "closed");
    expect(texts(await within(pull.receive(), "good"))).toEqual(["good"]);
    const { error } = await events.next("disconnect");
    expect(error).toMatchObject({ name: "ProtocolError", code: "trace-part-missing" });
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("does not count the part against maxMessageParts and maxMultipartSize", async () => {
    const pull = traced(new Pull({ maxMessageParts: 2, maxMultipartSize: 100 }));
    const push = traced(new Push());
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await inContext(1, () => push.send(["a".repeat(50), "b".repeat(50)]));
    const got = await within(pull.receive(), "message");
    expect([numberOf(got), got.length]).toEqual([1, 2]);
  });

  it("announces nothing with a maxMessageSize that a context would not pass", async () => {
    const pull = traced(new Pull({ maxMessageSize: 100 }));
    const push = traced(new Push());
    const at = await pull.bind("tcp://127.0.0.1:*");
    push.connect(at);
    await inContext(1, () => push.send("a"));
    const got = await within(pull.receive(), "message");
    expect([numberOf(got), texts(got)]).toEqual([0, ["a"]]);
    const peer = await rawDial(at);
    const { properties } = await peer.handshake({ ...announcing });
    expect([...properties.keys()].join()).not.toMatch(/trace/i);
  });

  it("announces nothing on other sockets", async () => {
    const pull = managed(new Pull());
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    const { properties } = await peer.handshake({ ...announcing });
    expect([...properties.keys()].join()).not.toMatch(/trace/i);
  });
});

it("is refused where it is too late or has no sense", async () => {
  const pull = managed(new Pull());
  await pull.bind("inproc://late");
  expect(() => traceMessages(pull)).toThrow("the socket has endpoints already");
  expect(() => traceMessages(managed(new Stream()))).toThrow("a Stream has no messages");
  expect(() => traceMessages(null as unknown as Socket)).toThrow(
    "socket must be a socket of zwire; got null",
  );
  expect(() => contextOf("text" as unknown as object)).toThrow("got string");
  const push = traced(new Push());
  expect(traceMessages(push)).toBe(push);
  await push.close();
  expect(() => traceMessages(push)).toThrow("Socket is closed");
});
