/** Contexts of traces that go with messages: to whom, in which way, what of hostile ones. With OpenTelemetry's in-memory exporter. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import {
  context,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import {
  curveKeyPair,
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../src/index.js";
import { contextOf, traceMessages } from "../../src/opentelemetry.js";
import { childPath } from "../support/child.js";
import { bound, foreign } from "../support/foreign.js";
import {
  managed,
  rawConnected,
  rawDial,
  record,
  temporaryDirectory,
  texts,
  until,
  within,
} from "../support/helpers.js";
import { message as encoded } from "../support/raw-peer.js";

const exporter = new InMemorySpanExporter();
const isTraced = new Set<Socket>();
const traced = <T extends Socket>(socket: T): T => {
  isTraced.add(socket);
  return traceMessages(managed(socket));
};

beforeEach(() => {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
});
afterEach(() => {
  exporter.reset();
  trace.disable();
  context.disable();
  propagation.disable();
});

const spanContext = (n: number): SpanContext => ({
  traceId: n.toString(16).padStart(32, "0"),
  spanId: n.toString(16).padStart(16, "0"),
  traceFlags: TraceFlags.SAMPLED,
});
/** Does something in the context number n. */
const inContext = <T>(n: number, run: () => T): T =>
  context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext(n)), run);
/** The number of the context that came with a message; 0 for none. */
const numberOf = (message: object): number => {
  const found = trace.getSpanContext(contextOf(message, ROOT_CONTEXT));
  return found === undefined ? 0 : Number.parseInt(found.spanId, 16);
};

const PLACES: Record<string, (name: string) => string> = {
  tcp: () => "tcp://127.0.0.1:*",
  ws: () => "ws://127.0.0.1:*",
  ipc: (name) => `ipc://${temporaryDirectory()}/${name}`,
  inproc: (name) => `inproc://traced-${name}`,
};

describe.each(Object.keys(PLACES))("traceMessages over %s", (transport) => {
  const place = PLACES[transport];
  let endpoint: string;
  beforeEach(() => {
    endpoint = place("one");
  });

  it("makes the consumer's span a child of the producer's", async () => {
    const [push, pull] = [traced(new Push()), traced(new Pull())];
    push.connect(await pull.bind(endpoint));
    const tracer = trace.getTracer("test");
    await tracer.startActiveSpan("publish", { kind: SpanKind.PRODUCER }, async (span) => {
      await push.send(["an", "order"]);
      span.end();
    });
    const message = await within(pull.receive(), "message");
    expect(texts(message)).toEqual(["an", "order"]);
    tracer.startSpan("process", { kind: SpanKind.CONSUMER }, contextOf(message)).end();
    const [producer, consumer] = exporter.getFinishedSpans();
    expect(consumer.parentSpanContext?.spanId).toBe(producer.spanContext().spanId);
    expect(consumer.spanContext().traceId).toBe(producer.spanContext().traceId);
  });

  it("gives each message its own context, or none, whatever its size and form", async () => {
    const [push, pull] = [traced(new Push()), traced(new Pull())];
    const body = Buffer.from("the same");
    const messages = [body, body, ["a", ""], Buffer.alloc(20_000, 1), ["", Buffer.alloc(100_000)], null];
    // Half of them before there is a connection.
    const name = endpoint.includes("*") ? (await freeEndpoint()).replace("tcp:", `${transport}:`) : endpoint;
    push.connect(name);
    for (let i = 0; i < 3; i++) await inContext(i, () => push.send(messages[i]));
    await pull.bind(name);
    for (let i = 3; i < 6; i++) await inContext(i, () => push.send(messages[i]));
    const many = Array.from({ length: 300 }, (_, i) => push.send(Array(20).fill(`${i}`)));
    await Promise.all(many);
    for (let i = 0; i < 6; i++) {
      const got = await within(pull.receive(), `message ${i}`);
      const parts = [messages[i]].flat().map((part) => Buffer.from(part ?? ""));
      expect(got.length).toBe(parts.length);
      expect(Buffer.concat(got).equals(Buffer.concat(parts))).toBe(true);
      expect(numberOf(got)).toBe(i);
    }
    for (let i = 0; i < 300; i++) {
      const got = await within(pull.receive(), "many");
      expect([got.length, String(got[19]), numberOf(got)]).toEqual([20, `${i}`, 0]);
    }
  });

  it("keeps the context of a send that waits for room or for a peer", async () => {
    const [push, pull] = [traced(new Push({ sendHighWaterMark: 1 })), traced(new Pull())];
    const sends = [1, 2, 3].map((n) => inContext(n, () => push.send(`${n}`)));
    push.connect(await pull.bind(endpoint));
    const got = [await pull.receive(), await pull.receive(), await within(pull.receive(), "messages")];
    expect(got.map((message) => [numberOf(message), String(message[0])]).sort()).toEqual([
      [1, "1"],
      [2, "2"],
      [3, "3"],
    ]);
    await Promise.all(sends);
  });

  it("sends what waited already when it was asked for", async () => {
    const [push, pull] = [managed(new Push()), traced(new Pull())];
    const sends = ["1", ["2", "3"]].map((message) => push.send(message));
    traceMessages(push);
    push.connect(await pull.bind(endpoint));
    await Promise.all(sends);
    const got = [await within(pull.receive(), "one"), await within(pull.receive(), "two")];
    expect(got.map(texts)).toEqual([["1"], ["2", "3"]]);
    expect(got.map(numberOf)).toEqual([0, 0]);
  });

  it("hands it on in requests and replies, behind envelopes", async () => {
    const [request, router, dealer, reply] = [new Request(), new Router(), new Dealer(), new Reply()].map(
      (socket) => traced(socket as Socket),
    ) as unknown as [Request, Router, Dealer, Reply];
    request.connect(await router.bind(endpoint));
    dealer.connect(await reply.bind(place("two")));
    const answer = inContext(1, () => request.request("question"));
    const asked = await within(router.receive(), "request");
    expect([numberOf(asked), String(asked.at(-1))]).toEqual([1, "question"]);
    await inContext(2, () => dealer.send(["id", "", "question"]));
    const served = await within(reply.receive(), "served");
    expect([numberOf(served), texts(served)]).toEqual([2, ["question"]]);
    await inContext(3, () => reply.send("answer"));
    const answered = await within(dealer.receive(), "answered");
    expect([numberOf(answered), texts(answered)]).toEqual([3, ["id", "", "answer"]]);
    await inContext(4, () => router.send([asked[0], "", "answer"]));
    const got = await within(answer, "answer");
    expect([numberOf(got), texts(got)]).toEqual([4, ["answer"]]);
  });

  it("sends nothing more to a socket that does not do the same", async () => {
    const [a, b] = [traced(new Pair()), managed(new Pair())];
    b.connect(await a.bind(endpoint));
    await inContext(1, () => a.send("one"));
    await b.send("two");
    const got = await within(b.receive(), "one");
    expect([numberOf(got), texts(got)]).toEqual([0, ["one"]]);
    const back = await within(a.receive(), "two");
    expect([numberOf(back), texts(back)]).toEqual([0, ["two"]]);
  });

  it("publishes to subscribers with and without, small and large", async () => {
    const publisher = traced(new Publisher());
    const [one, two, without, plain] = [
      traced(new Subscriber()),
      traced(new Subscriber()),
      managed(new Subscriber()),
      managed(new Subscriber()),
    ];
    const at = await publisher.bind(endpoint);
    for (const socket of [one, two, without, plain]) {
      socket.subscribe("topic");
      socket.connect(at);
    }
    await until(() => publisher.stats.peers === 4, "all are there");
    await publisher.waitForSubscribers(4);
    const sizes = [0, 100, 1000, 3000, 20_000, 100_000];
    for (const [i, size] of sizes.entries()) {
      for (let k = 0; k < 3; k++)
        await inContext(i + 1, () => publisher.send(["topic", Buffer.alloc(size, i)]));
      await publisher.send(["other", ""]);
    }
    for (const socket of [one, two, without, plain]) {
      for (const [i, size] of sizes.entries()) {
        for (let k = 0; k < 3; k++) {
          const got = await within(socket.receive(), `size ${size}`);
          expect([got.length, String(got[0]), got[1].length]).toEqual([2, "topic", size]);
          expect(numberOf(got)).toBe(socket === one || socket === two ? i + 1 : 0);
        }
      }
    }
  });

  it("goes through a proxy whose sockets both do so", async () => {
    const [publisher, subscriber] = [traced(new Publisher()), traced(new Subscriber())];
    const [front, back] = [traced(new XSubscriber()), traced(new XPublisher())];
    front.connect(await publisher.bind(endpoint));
    subscriber.subscribe("");
    subscriber.connect(await back.bind(place("two")));
    const running = new Proxy(front, back);
    const ended = running.run();
    await within(publisher.waitForSubscribers(1), "subscribed");
    await inContext(7, () => publisher.send(["a", "b"]));
    const got = await within(subscriber.receive(), "message");
    expect([numberOf(got), texts(got)]).toEqual([7, ["a", "b"]]);
    running.terminate();
    await ended;
  });

  it("works with conflate and conflatePerTopic", async () => {
    for (const conflate of [{ conflate: true }, { conflatePerTopic: true }]) {
      const at = place(Object.keys(conflate)[0]);
      const [publisher, subscriber] = [traced(new Publisher(conflate)), traced(new Subscriber(conflate))];
      const plain = managed(new Subscriber(conflate));
      const bound = await publisher.bind(at);
      for (const socket of [subscriber, plain]) {
        socket.subscribe("");
        socket.connect(bound);
      }
      await publisher.waitForSubscribers(2);
      for (let n = 1; n < 6; n++) await inContext(n, () => publisher.send("topic"));
      for (const [socket, last] of [
        [subscriber, 5],
        [plain, 0],
      ] as const) {
        let got = await within(socket.receive(), "message");
        while (last > 0 && numberOf(got) !== last) got = await within(socket.receive(), "the last one");
        expect([numberOf(got), texts(got)]).toEqual([last, ["topic"]]);
      }
    }
  });

  it("hides its announcement, and greets peers that announce it", async () => {
    const [a, b] = [traced(new Dealer({ helloMessage: Buffer.from("hello") })), traced(new Dealer())];
    b.connect(await a.bind(endpoint));
    expect(texts(await within(b.receive(), "hello"))).toEqual(["hello"]);
    expect([...b.peers[0].metadata.keys()].join()).not.toMatch(/trace/i);
    await a.send("after");
    expect(texts(await within(b.receive(), "after"))).toEqual(["after"]);
  });
});

async function freeEndpoint(): Promise<string> {
  const pull = new Pull();
  const endpoint = await pull.bind("tcp://127.0.0.1:*");
  await pull.close();
  return endpoint;
}

it("goes through CURVE", async () => {
  const keys = curveKeyPair();
  const pull = traced(
    new Pull({ curveServer: true, curveSecretKey: keys.secretKey, authenticate: () => true }),
  );
  const client = curveKeyPair();
  const push = traced(
    new Push({
      curveServerKey: keys.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    }),
  );
  push.connect(await pull.bind("tcp://127.0.0.1:*"));
  for (const n of [1, 0, 2]) await inContext(n, () => push.send([`${n}`, Buffer.alloc(30_000)]));
  for (const n of [1, 0, 2]) {
    const got = await within(pull.receive(), "message");
    expect([numberOf(got), String(got[0]), got.length]).toEqual([n, `${n}`, 2]);
  }
});

it("passes loans, to sockets with and without it", async () => {
  for (const other of [traced(new Pull()), managed(new Pull())]) {
    const push = traced(new Push());
    push.connect(await other.bind(PLACES.ipc("loans")));
    for (let n = 1; n < 20; n++) {
      const loan = push.loan(50_000);
      loan.fill(n);
      await inContext(n, () => push.send(["loan", loan]));
      await inContext(100 + n, () => push.send("between"));
    }
    for (let n = 1; n < 20; n++) {
      const got = await within(n % 2 ? other.receive() : other.borrow(), "loan");
      expect([got.length, got[1].length, got[1][49_999]]).toEqual([2, 50_000, n]);
      expect(numberOf(got)).toBe(isTraced.has(other) ? n : 0);
      const between = await within(other.receive(), "between");
      expect(numberOf(between)).toBe(isTraced.has(other) ? 100 + n : 0);
    }
  }
});

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
    const at = await freeEndpoint();
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
    await until(
      () =>
        theirs.bind(at).then(
          () => true,
          () => false,
        ),
      "bound",
    );
    const [began] = await within(theirs.receive(), "theirs");
    let n = Number(began);
    for (const last = n + 10; n < last; ) {
      const got = await within(theirs.receive(), "theirs");
      expect([got.length, String(got[0]), got[1].length]).toEqual([2, `${++n}`, 200_000]);
    }
    theirs.close();
    const third = traced(new Pull());
    await until(
      () =>
        third.bind(at).then(
          () => true,
          () => false,
        ),
      "bound again",
    );
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
