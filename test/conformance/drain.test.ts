/**
 * drain(): nothing that is on its way is lost while there is time, and afterwards the rest is counted. Its races have
 * tests of their own below.
 */
import { describe, expect, it } from "vitest";
import {
  Dealer,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
  ZmqError,
} from "../../src/index.js";
import {
  freePort,
  managed,
  rawConnected,
  rawListen,
  record,
  settled,
  standing,
  TRANSPORTS,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { pair, pushToRaw } from "../support/pairs.js";
import { message } from "../support/raw-peer.js";

/** Longer than any of these tests takes: only a failing one waits for it. */
const LONG = { timeout: 60_000 };
const ALL = { unread: 0, unsent: 0, open: 0 };

/** Takes messages one by one, and lets the loop turn with each in its hands. */
async function take(pull: Pull, into: string[], hold = 1): Promise<"ended"> {
  for await (const [part] of pull) {
    await turns(hold);
    into.push(String(part));
  }
  return "ended";
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

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
    const received = [pull.receive(), pull.receive()];
    const drained = pull.drain(LONG);
    await expect(Promise.all(received)).rejects.toMatchObject({ code: "EBADF" });
    await within(drained, "drain");
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
    await standing(() => pull.peers.length, "it has nothing else to wait for", -1);
    expect(await settled(drained)).toBe(false);
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
    await standing(() => pull.peers.length, "it has nothing else to wait for", -1);
    expect(await settled(drained)).toBe(false);
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
      await standing(() => pull.peers.length, "it has nothing else to wait for", -1);
      expect(await settled(drained)).toBe(false);
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
    const [router, dealer] = [managed(new Router()), managed(new Dealer())];
    dealer.connect(await router.bind(endpoint()));
    await Promise.all([dealer.connected(), router.connected()]);
    router.on("message", (parts: Buffer[]) => void router.send(parts));
    let drained = false;
    const draining = router.drain(LONG).then((result) => {
      drained = true;
      return result;
    });
    // Longer than a connection that brings nothing is kept.
    for (const until = Date.now() + 600; Date.now() < until; ) {
      expect(drained).toBe(false);
      await dealer.send("question");
      await within(dealer.receive(), "the answer");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
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
    const router = managed(new Router());
    const dealer = managed(new Dealer());
    dealer.connect(await router.bind(endpoint()));
    const loop = (async () => {
      for await (const [id, question] of router) {
        await new Promise((resolve) => setTimeout(resolve, 500)); // longer than a connection has to be quiet
        await router.send([id, `re ${question}`]);
      }
    })();
    await dealer.send("q");
    await until(() => router.stats.messagesReceived === 1, "it has the question");
    const drained = router.drain(LONG);
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
      const loop = take(subscriber as unknown as Pull, taken);
      const events = record(publisher);
      expect(await within(publisher.drain(LONG), "drain", 50_000)).toEqual(ALL);
      expect(events.names).not.toContain("drop");
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

describe("connections", () => {
  it("are half-closed: a peer finds our end, and what it then still says arrives", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    peer.socket.allowHalfOpen = true;
    await pull.connected();
    const taken: string[] = [];
    const loop = take(pull, taken);
    const drained = pull.drain(LONG);
    await within(peer.readToEnd(), "our end");
    expect(await settled(drained)).toBe(false);
    peer.write(message("last words"));
    peer.socket.end();
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(["last words"]);
  });

  it("a peer that dies in the middle takes only what it had not sent with it", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 2 }));
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await pull.connected();
    for (const number of numbers(50)) peer.write(message(number));
    await until(() => pull.stats.receiveQueue > 0, "the first is there");
    const taken: string[] = [];
    const drained = pull.drain(LONG);
    peer.write(message("x").subarray(0, 1)); // a message that will not end
    await until(() => peer.socket.writableLength === 0, "it is on its way");
    const loop = take(pull, taken, 3);
    peer.close();
    expect(await within(drained, "drain", 50_000)).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(numbers(50));
  });

  it("a peer that dies by a reset ends the wait, too", async () => {
    const { push, peer, listener } = await pushToRaw({ reconnectInterval: 10, linger: 0 });
    peer.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    const drained = push.drain(LONG);
    await listener.close(); // nobody is there any more
    peer.reset();
    const { unsent } = await within(drained, "drain");
    expect(unsent).toBeGreaterThan(0);
    expect(push.stats.droppedUnsent).toBe(unsent);
  });

  it("a peer that never ends, and never stops, ends with the time", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    peer.socket.allowHalfOpen = true;
    await pull.connected();
    const flood = setInterval(() => peer.socket.writableLength < 100_000 && peer.write(message("more")), 1);
    const taken: string[] = [];
    const loop = take(pull, taken);
    const { open, unsent } = await within(pull.drain({ timeout: 300 }), "drain");
    clearInterval(flood);
    expect({ open, unsent }).toEqual({ open: 1, unsent: 0 });
    await within(loop, "the loop");
  });

  it("a ROUTER that is never left alone stops reading, and answers what it has", async () => {
    const router = managed(new Router());
    const peer = await rawConnected(await router.bind("tcp://127.0.0.1:*"), { type: "DEALER" });
    await router.connected();
    const flood = setInterval(() => peer.socket.writableLength < 100_000 && peer.write(message("q")), 1);
    const loop = (async () => {
      for await (const [id, question] of router) await router.send([id, question]).catch(() => {});
    })();
    await until(() => router.stats.messagesSent > 10, "it answers");
    const { open, unsent } = await within(router.drain({ timeout: 2000 }), "drain");
    clearInterval(flood);
    expect({ open, unsent }).toEqual({ open: 0, unsent: 0 });
    await within(loop, "the loop");
  });

  it("a STREAM is half-closed as well", async () => {
    const stream = managed(new Stream({ notify: false }));
    const actual = await stream.bind("tcp://127.0.0.1:*");
    const { RawPeer } = await import("../support/raw-peer.js");
    const peer = await RawPeer.dial(actual);
    peer.socket.allowHalfOpen = true;
    await stream.connected();
    const chunks: string[] = [];
    const loop = (async () => {
      for await (const [, chunk] of stream) chunks.push(String(chunk));
    })();
    const drained = stream.drain(LONG);
    await within(peer.readToEnd(), "our end");
    peer.write(Buffer.from("last"));
    peer.socket.end();
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(loop, "the loop");
    expect(chunks.join("")).toContain("last");
    peer.close();
  });
});

describe("new peers", () => {
  it("bind() and connect() are refused, and what is bound is free", async () => {
    const pull = managed(new Pull());
    const other = managed(new Pull());
    const actual = await pull.bind("tcp://127.0.0.1:*");
    let finish = (): void => {};
    const peer = await rawConnected(actual, { type: "PUSH" });
    peer.socket.allowHalfOpen = true;
    await pull.connected();
    const drained = pull.drain(LONG);
    await within(peer.readToEnd(), "our end");
    await expect(pull.bind("tcp://127.0.0.1:*")).rejects.toMatchObject({ code: "EBADF" });
    expect(() => pull.connect(actual)).toThrow(/EBADF|drained/);
    expect(() => pull.connect(actual)).toThrow(ZmqError);
    await other.bind(actual);
    finish = () => peer.close();
    finish();
    await within(drained, "drain");
  });

  it("a bind that is under way comes to nothing", async () => {
    const pull = managed(new Pull());
    const endpoint = await freePort();
    const bound = pull.bind(endpoint);
    const drained = pull.drain(LONG);
    await expect(bound).rejects.toMatchObject({ code: "EBADF" });
    expect(await within(drained, "drain")).toEqual(ALL);
    await managed(new Pull()).bind(endpoint);
  });

  it("while it is connecting it stops, also in the middle of a handshake", async () => {
    const listener = await rawListen();
    const pull = managed(new Pull());
    pull.connect(listener.endpoint);
    pull.connect(await freePort());
    const peer = await listener.accept();
    await peer.read(10); // half of the greeting
    expect(await within(pull.drain(LONG), "drain")).toEqual(ALL);
    await within(peer.closed(), "the handshake");
  });

  it("a peer that is in the middle of its handshake with us is turned away", async () => {
    const pull = managed(new Pull());
    const { rawDial } = await import("../support/helpers.js");
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    await peer.read(10); // half of the greeting
    expect(await within(pull.drain(LONG), "drain")).toEqual(ALL);
    await within(peer.closed(), "the handshake");
  });
});

describe("sends", () => {
  it("that wait, with nobody who could come, are rejected at once", async () => {
    const push = managed(new Push());
    await push.bind("tcp://127.0.0.1:*");
    const sends = [push.send("a"), push.send("b")];
    expect(await within(push.drain({ timeout: -1 }), "drain")).toEqual(ALL);
    for (const sent of sends) await expect(sent).rejects.toMatchObject({ code: "EBADF" });
  });

  it("what waits for a peer that is not there is sent when it comes, as with linger", async () => {
    const endpoint = await freePort();
    const push = managed(new Push({ reconnectInterval: 10 }));
    push.connect(endpoint);
    for (const number of numbers(10)) await push.send(number);
    const drained = push.drain(LONG);
    await turns(20);
    expect(await settled(drained)).toBe(false);
    const pull = managed(new Pull());
    await pull.bind(endpoint);
    for (const number of numbers(10)) expect(String(await pull.receive({ timeout: 20_000 }))).toBe(number);
    expect(await within(drained, "drain")).toEqual(ALL);
  });

  it.each([0, -1])(
    "a peer that disconnectPeer() lets linger has the time it was given, linger %d",
    async (linger) => {
      const pull = managed(new Pull({ receiveHighWaterMark: 5 }));
      const push = managed(new Push({ linger }));
      push.connect(await pull.bind("tcp://127.0.0.1:*"));
      await push.connected();
      for (let i = 0; i < 400; i++) await push.send(Buffer.alloc(50_000));
      expect(push.disconnectPeer(push.peerStats[0], { linger: 50_000 })).toBe(true);
      const drained = push.drain(LONG);
      await turns(20);
      expect(await settled(drained)).toBe(false);
      for (let i = 0; i < 400; i++) await within(pull.receive(), `message ${i}`);
      expect(await within(drained, "drain")).toEqual(ALL);
      expect(push.stats.droppedUnsent).toBe(0);
    },
  );

  it("no longer than linger says, and no longer than there is time", async () => {
    for (const [linger, timeout] of [
      [0, 60_000],
      [30, 60_000],
      [-1, 30],
    ]) {
      const push = managed(new Push({ reconnectInterval: 10, linger }));
      push.connect(await freePort());
      for (const number of numbers(7)) await push.send(number);
      expect(await within(push.drain({ timeout }), "drain")).toEqual({ unread: 0, unsent: 7, open: 0 });
      expect(push.stats.droppedUnsent).toBe(7);
    }
  });

  it("a peer that is there and does not read is waited for until the end of the time", async () => {
    const { push, peer } = await pushToRaw({ linger: 0 });
    peer.pause();
    while (push.trySend(Buffer.alloc(100_000)));
    const unsent = await standing(() => push.stats.outboundQueue, "the kernel has its share");
    const refused = expect(push.send("never")).rejects.toMatchObject({ code: "EBADF" });
    const drained = await within(push.drain({ timeout: 100 }), "drain");
    expect(drained).toMatchObject({ unread: 0, unsent });
    await refused;
  });
});

describe("calls", () => {
  it("drain() twice gives the same result, and after close() it waits for that", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await pull.connected();
    peer.write(message("unread"));
    await until(() => pull.stats.receiveQueue === 1, "it is there");
    const drains = [pull.drain({ timeout: 50 }), pull.drain(LONG)];
    const [first, second] = await within(Promise.all(drains), "drain");
    expect(first).toEqual({ unread: 1, unsent: 0, open: 0 });
    expect(second).toBe(first);
    expect(await pull.drain(LONG)).toBe(first);
    await pull.close();

    const other = managed(new Pull());
    void other.close();
    expect(await within(other.drain(LONG), "drain")).toEqual(ALL);
  });

  it("close() cuts it short, and both tell the same", async () => {
    const { push, pull } = await pair("tcp://127.0.0.1:*");
    for (const number of numbers(20)) await push.send(number);
    await until(() => pull.stats.receiveQueue === 20, "all are there");
    const drained = pull.drain({ timeout: -1 });
    await turns(10);
    await within(pull.close(), "close");
    expect(await within(drained, "drain")).toMatchObject({ unread: 20, unsent: 0 });
    expect(pull.stats.droppedUnread).toBe(20);
  });

  it("an abort closes the socket, counts, and rejects with its reason", async () => {
    const { push, pull } = await pair("tcp://127.0.0.1:*");
    const dropped: number[] = [];
    pull.on("drop", ({ unread }) => dropped.push(unread));
    for (const number of numbers(20)) await push.send(number);
    await until(() => pull.stats.receiveQueue === 20, "all are there");
    const abort = new AbortController();
    const drained = pull.drain({ timeout: -1, signal: abort.signal });
    await turns(10);
    abort.abort(new Error("enough"));
    await expect(within(drained, "drain")).rejects.toThrow("enough");
    expect(pull.closed).toBe(true);
    expect(dropped).toEqual([20]);
  });

  it("with a signal that is aborted already nothing happens", async () => {
    const pull = managed(new Pull());
    await pull.bind("tcp://127.0.0.1:*");
    await expect(pull.drain({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
    expect(pull.closed).toBe(false);
    await pull.bind("tcp://127.0.0.1:*");
  });

  it("wrong options are refused", () => {
    const pull = managed(new Pull());
    expect(() => pull.drain({ timeout: -2 })).toThrow(RangeError);
    expect(() => pull.drain({ timeout: "1" as unknown as number })).toThrow(TypeError);
    expect(() => pull.drain(5 as never)).toThrow(TypeError);
    expect(pull.closed).toBe(false);
  });

  it("a socket without endpoints, an empty one, and one that only sends drain at once", async () => {
    for (const socket of [new Pull(), new Push(), new Router(), new Publisher(), new Request(), new Reply()])
      expect(await within(managed(socket).drain(LONG), "drain")).toEqual(ALL);
  });

  it("from inside its own loop it waits for the loop to be left", async () => {
    const { push, pull } = await pair("tcp://127.0.0.1:*");
    await push.send("stop");
    let drained: Promise<unknown> | undefined;
    for await (const _ of pull) drained ??= pull.drain(LONG);
    expect(await within(drained as Promise<unknown>, "drain")).toEqual(ALL);
  });

  it("await using closes what is drained already", async () => {
    const { push } = await pair("tcp://127.0.0.1:*");
    const socket = managed(new Pull());
    push.connect(await socket.bind("tcp://127.0.0.1:*"));
    await socket.connected();
    const taken: string[] = [];
    await (async () => {
      const drained = socket.drain(LONG);
      await take(socket, taken);
      await socket[Symbol.asyncDispose]();
      expect(await drained).toEqual(ALL);
    })();
    expect(socket.closed).toBe(true);
  });
});
