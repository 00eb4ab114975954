/** drain() with libzmq at the other end, in both directions of dialling: requests, questions and publications. */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { Publisher, Pull, Push, Reply, Request, Router, Subscriber } from "../../src/index.js";
import { ALL, answer, LONG, numbers, take } from "../support/draining.js";
import { ANY, bound, foreign, read, soon } from "../support/foreign.js";
import { managed, turns, until, within } from "../support/helpers.js";

describe("with libzmq", () => {
  it("what its PUSH had sent arrives, also when it is the one that bound", async () => {
    const push = foreign(new zmq.Push());
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    pull.connect(await bound(push));
    await pull.connected(soon);
    for (let i = 0; i < 1000; i++) await push.send(`${i}`);
    const taken: string[] = [];
    const loop = take(pull, taken, { every: 20 });
    await until(() => taken.length > 10, "it has begun");
    expect(await within(pull.drain(LONG), "drain", 50_000)).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(numbers(1000));
  });

  it("its PULL gets what our PUSH had accepted", async () => {
    const pull = foreign(new zmq.Pull({ receiveHighWaterMark: 5 }));
    const push = managed(new Push());
    push.connect(await bound(pull));
    for (let i = 0; i < 500; i++) await push.send([`${i}`, Buffer.alloc(2000)]);
    const drained = push.drain(LONG);
    for (let i = 0; i < 500; i++) expect(String((await pull.receive())[0])).toBe(`${i}`);
    expect(await within(drained, "drain")).toEqual(ALL);
  });

  it("its REQ and DEALER are answered by our REP and ROUTER", async () => {
    const request = foreign(new zmq.Request());
    const reply = managed(new Reply());
    request.connect(await reply.bind(ANY));
    await request.send("q");
    const answering = (async () => {
      for await (const [question] of reply) {
        await turns(5);
        await reply.send(`re ${question}`);
      }
    })();
    await until(() => reply.stats.messagesReceived === 1, "the question is there");
    const drained = reply.drain(LONG);
    expect(await read(request)).toEqual(["re q"]);
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(answering, "the loop");

    const dealer = foreign(new zmq.Dealer());
    const router = managed(new Router());
    dealer.connect(await router.bind(ANY));
    for (let i = 0; i < 100; i++) await dealer.send(`${i}`);
    const routing = answer(router);
    await until(() => router.stats.messagesReceived > 3, "it has begun");
    const routed = router.drain(LONG);
    for (let i = 0; i < 100; i++) expect(await read(dealer)).toEqual([`re ${i}`]);
    expect(await within(routed, "drain")).toEqual(ALL);
    await within(routing, "the loop");
  });

  it("our REQ gets its reply", async () => {
    const reply = foreign(new zmq.Reply());
    const request = managed(new Request());
    request.connect(await bound(reply));
    const replies = request.request("q");
    const [question] = await read(reply);
    const drained = request.drain(LONG);
    await turns(20);
    await reply.send(`re ${question}`);
    expect(String(await within(replies, "the reply"))).toBe("re q");
    expect(await within(drained, "drain")).toEqual(ALL);
  });

  it("our SUB reads out what its PUB has sent, and its SUB gets all of our PUB", async () => {
    const publisher = foreign(new zmq.XPublisher());
    const subscriber = managed(new Subscriber({ receiveHighWaterMark: 10 }));
    subscriber.subscribe("");
    subscriber.connect(await bound(publisher));
    await read(publisher); // the subscription
    for (let i = 0; i < 200; i++) await publisher.send(`${i}`);
    const taken: string[] = [];
    const loop = take(subscriber, taken, { hold: 0 });
    expect(await within(subscriber.drain(LONG), "drain", 50_000)).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(numbers(200));

    const ours = managed(new Publisher());
    const theirs = foreign(new zmq.Subscriber());
    theirs.subscribe("");
    theirs.connect(await ours.bind(ANY));
    await ours.waitForSubscribers(1);
    for (let i = 0; i < 200; i++) await ours.send(`${i}`);
    expect(await within(ours.drain(LONG), "drain")).toMatchObject({ unsent: 0 });
    for (let i = 0; i < 200; i++) expect(await read(theirs)).toEqual([`${i}`]);
  });
});
