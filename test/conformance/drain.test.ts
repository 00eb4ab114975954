/** drain() over each transport: nothing that is on its way is lost while there is time, and afterwards the rest is counted. */
import { describe, expect, it } from "vitest";
import { Dealer, Publisher, Reply, Request, Router, Subscriber, XPublisher } from "../../src/index.js";
import { ALL, expectWaiting, LONG, numbers, take, unhurried } from "../support/draining.js";
import { gate, managed, record, standing, TRANSPORTS, turns, until, within } from "../support/helpers.js";
import { pair } from "../support/pairs.js";

describe.each(TRANSPORTS)("over $name", ({ endpoint }) => {
  it("a loop gets everything that has come, and ends as if the socket had been closed", async () => {
    const { push, pull } = await pair(endpoint(), {}, { receiveHighWaterMark: 10 });
    const events = record(pull);
    for (const number of numbers(200)) void push.send(number);
    const taken: string[] = [];
    const loop = take(pull, taken);
    await until(() => taken.length > 5, "it has begun");
    expect(await within(pull.drain(LONG), "drain", 50_000)).toEqual(ALL);
    expect(pull.closed).toBe(true);
    expect(await within(loop, "the loop")).toBe("ended");
    expect(taken).toEqual(numbers(200));
    expect(events.names.at(-1)).toBe("end");
  });

  it("receives that wait get what comes, and then EBADF", async () => {
    const { push, pull } = await pair(endpoint());
    const received = pull.receive();
    const rejected = expect(pull.receive()).rejects.toMatchObject({ code: "EBADF" });
    const drained = pull.drain(LONG);
    await push.send("late");
    expect(String(await within(received, "the message"))).toBe("late");
    await rejected;
    expect(await within(drained, "drain")).toEqual(ALL);
    expect(push.closed).toBe(false);
  });

  it('a "message" listener gets everything', async () => {
    const { push, pull } = await pair(endpoint(), {}, { receiveHighWaterMark: 10 });
    for (const number of numbers(100)) void push.send(number);
    const taken: string[] = [];
    pull.on("message", ([part]: Buffer[]) => taken.push(String(part)));
    await until(() => taken.length > 0, "it has begun");
    expect(await within(pull.drain(LONG), "drain", 50_000)).toEqual(ALL);
    expect(taken).toEqual(numbers(100));
  });

  it("it waits until a loop has finished with the message that it has", async () => {
    const { push, pull } = await pair(endpoint());
    let finish = (): void => {};
    const handling = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let begun = false;
    let done = false;
    const loop = (async () => {
      for await (const _ of pull) {
        begun = true;
        await handling;
        done = true;
      }
    })();
    await push.send("one");
    await until(() => begun, "it has begun");
    const drained = pull.drain(LONG);
    await expectWaiting(pull, drained);
    finish();
    expect(await within(drained, "drain")).toEqual(ALL);
    expect(done).toBe(true);
    await within(loop, "the loop");
  });

  it("so it does with a loop over messages(), and does not wait for loops that were left or have failed", async () => {
    const { push, pull } = await pair(endpoint());
    for (const number of numbers(3)) await push.send(number);
    for await (const _ of pull) break;
    for await (const _ of pull.messages()) break;
    pull.receiveTimeout = 1;
    const waits = (async () => {
      for await (const _ of pull) await turns(1);
    })();
    await expect(waits).rejects.toMatchObject({ code: "EAGAIN" });
    const steps = pull.messages();
    await push.send("in hand");
    await steps.next();
    const drained = pull.drain(LONG);
    await expectWaiting(pull, drained);
    expect(await steps.next()).toEqual({ value: undefined, done: true });
    expect(await within(drained, "drain")).toEqual(ALL);
  });

  it("it does not wait for an iterator that nobody has stepped", async () => {
    const { pull } = await pair(endpoint());
    const steps = pull[Symbol.asyncIterator]();
    expect(await within(pull.drain(LONG), "drain")).toEqual(ALL);
    expect(await steps.next()).toEqual({ value: undefined, done: true });
  });

  it("it waits for a message in hand after a step that timed out", async () => {
    for (const waits of [false, true]) {
      const { push, pull } = await pair(endpoint());
      const steps = pull[Symbol.asyncIterator]();
      pull.receiveTimeout = 1;
      await expect(steps.next()).rejects.toMatchObject({ code: "EAGAIN" });
      pull.receiveTimeout = -1;
      const early = waits ? steps.next() : undefined;
      await push.send("work");
      await until(() => waits || pull.stats.receiveQueue === 1, "it is there");
      expect(String((await (early ?? steps.next())).value)).toBe("work");
      const drained = pull.drain(LONG);
      await expectWaiting(pull, drained);
      expect(await steps.next()).toEqual({ value: undefined, done: true });
      expect(await within(drained, "drain")).toEqual(ALL);
    }
  });

  it("a REP does not wait for the answer to a requester that has gone", async () => {
    const [reply, request] = [managed(new Reply()), managed(new Request())];
    request.connect(await reply.bind(endpoint()));
    await request.send("question");
    await reply.receive();
    await request.close({ linger: 0 });
    await until(() => reply.peers.length === 0, "it has gone");
    expect(await within(reply.drain(LONG), "drain")).toEqual(ALL);
  });

  it("a ROUTER goes on while requests come", async () => {
    const { context, pass } = unhurried();
    const [router, dealer] = [managed(new Router({ context })), managed(new Dealer({ context }))];
    dealer.connect(await router.bind(endpoint()));
    await Promise.all([dealer.connected(), router.connected()]);
    router.on("message", (parts: Buffer[]) => void router.send(parts));
    let drained = false;
    const draining = router.drain(LONG).then((result) => {
      drained = true;
      return result;
    });
    // Together longer than a connection that brings nothing is kept.
    for (let i = 0; i < 8; i++) {
      pass(100);
      await dealer.send("question");
      await within(dealer.receive(), "the answer");
      await standing(() => router.peers.length, "it has looked again", -1);
      expect(drained).toBe(false);
    }
    pass(250);
    await standing(() => router.peers.length, "and again", -1);
    pass(250); // in case that the last question was seen only now
    expect(await within(draining, "drain")).toEqual(ALL);
  });

  it("a REP answers what it has received, one after the other", async () => {
    const reply = managed(new Reply());
    const actual = await reply.bind(endpoint());
    const dealers = [managed(new Dealer()), managed(new Dealer())];
    for (const dealer of dealers) {
      dealer.connect(actual);
      for (const number of numbers(20)) await dealer.send(["", number]);
    }
    await reply.connected({ count: 2 });
    const loop = (async () => {
      for await (const [question] of reply) {
        await turns(2);
        await reply.send(`re ${question}`);
      }
    })();
    const answers = Promise.all(
      dealers.map(async (dealer) => {
        const got: string[] = [];
        for (let i = 0; i < 20; i++) got.push(String((await dealer.receive({ timeout: 30_000 }))[1]));
        return got;
      }),
    );
    await until(() => reply.stats.messagesReceived > 3, "it has begun");
    expect(await within(reply.drain(LONG), "drain", 50_000)).toEqual(ALL);
    expect(await within(answers, "the answers")).toEqual([1, 2].map(() => numbers(20).map((n) => `re ${n}`)));
    await within(loop, "the loop");
  });

  it("a ROUTER answers, too, also when the answer takes its time", async () => {
    const { context, pass } = unhurried();
    const router = managed(new Router({ context }));
    const dealer = managed(new Dealer({ context }));
    dealer.connect(await router.bind(endpoint()));
    const [begun, ready] = [gate(), gate()];
    const loop = (async () => {
      for await (const [id, question] of router) {
        begun.open();
        await ready.opened;
        await router.send([id, `re ${question}`]);
      }
    })();
    await dealer.send("q");
    await within(begun.opened, "it has the question");
    const drained = router.drain(LONG);
    await standing(() => router.peers.length, "it has looked at the connection", -1);
    pass(500); // longer than a connection has to be quiet
    await expectWaiting(router, drained);
    ready.open();
    expect(String(await within(dealer.receive(), "the answer"))).toBe("re q");
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(loop, "the loop");
  });

  it("a REQ gets the reply that it waits for, and those to the requests behind it", async () => {
    const reply = managed(new Reply());
    const request = managed(new Request());
    request.connect(await reply.bind(endpoint()));
    const replies = Promise.all(["a", "b", "c"].map((one) => request.request(one)));
    const question = await reply.receive();
    const drained = request.drain(LONG);
    await turns(50);
    await reply.send(question);
    for (let i = 0; i < 2; i++) await reply.send(await reply.receive());
    expect((await within(replies, "the replies")).map(String)).toEqual(["a", "b", "c"]);
    expect(await within(drained, "drain")).toEqual(ALL);
  });

  it("a PUSH flushes what a slow PULL has not taken", async () => {
    const { push, pull } = await pair(endpoint(), {}, { receiveHighWaterMark: 10 });
    const body = "x".repeat(20_000);
    const sends = numbers(500).map((number) => push.send([number, body]));
    const drained = push.drain(LONG);
    const taken: string[] = [];
    for (let i = 0; i < 500; i++) taken.push(String((await pull.receive({ timeout: 30_000 }))[0]));
    expect(taken).toEqual(numbers(500));
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(Promise.all(sends), "the sends");
  });

  it("PUB and XPUB flush, and nobody has to read subscriptions; SUB reads out", async () => {
    for (const publisher of [
      managed(new Publisher({ sendHighWaterMark: 0 })),
      managed(new XPublisher({ sendHighWaterMark: 0 })),
    ]) {
      const subscriber = managed(new Subscriber({ receiveHighWaterMark: 10 }));
      subscriber.subscribe("");
      subscriber.connect(await publisher.bind(endpoint()));
      if (publisher instanceof Publisher) await publisher.waitForSubscribers(1);
      else await until(() => publisher.stats.receiveQueue === 1, "the subscription is there");
      for (const number of numbers(300)) await publisher.send(number);
      const taken: string[] = [];
      const loop = take(subscriber, taken);
      const drops: object[] = [];
      (publisher as Publisher).on("drop", (event) => drops.push(event));
      expect(await within(publisher.drain(LONG), "drain", 50_000)).toEqual(ALL);
      expect(drops).toEqual([]);
      expect(await within(subscriber.drain(LONG), "drain", 50_000)).toEqual(ALL);
      await within(loop, "the loop");
      expect(taken).toEqual(numbers(300));
    }
  });

  it("when the time is over, what nobody has read is counted, also what is not yet in the socket's queue", async () => {
    const { push, pull } = await pair(endpoint(), { sendHighWaterMark: 0 }, { receiveHighWaterMark: 10 });
    const dropped: number[] = [];
    pull.on("drop", ({ unread }) => dropped.push(unread));
    const sends = numbers(500).map((number) => push.send(number));
    await until(() => pull.stats.receiveQueue >= 10, "the queue is full");
    await pull.receive();
    const { unread, unsent } = await within(pull.drain({ timeout: 300 }), "drain");
    // What the peer had not sent it keeps, and sends to who binds next.
    await push.drain({ timeout: 0 }).then(({ unsent: kept }) => expect(unread + kept).toBe(499));
    expect(unsent).toBe(0);
    expect(dropped.reduce((sum, one) => sum + one, 0)).toBe(unread);
    expect(pull.stats).toMatchObject({ droppedUnread: unread, messagesReceived: 1 });
    await Promise.allSettled(sends);
  });
});
