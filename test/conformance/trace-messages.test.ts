import { SpanKind, trace } from "@opentelemetry/api";
import { beforeEach, describe, expect, it } from "vitest";
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
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../src/index.js";
import { contextOf, traceMessages } from "../../src/opentelemetry.js";
import { freePort, managed, texts, until, within } from "../support/helpers.js";
import { carries, exporter, inContext, numberOf, PLACES, provideTracing, traced } from "../support/traced.js";

provideTracing();

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
    const name = endpoint.includes("*") ? (await freePort()).replace("tcp:", `${transport}:`) : endpoint;
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
      expect(numberOf(got)).toBe(carries(other) ? n : 0);
      const between = await within(other.receive(), "between");
      expect(numberOf(between)).toBe(carries(other) ? 100 + n : 0);
    }
  }
});
