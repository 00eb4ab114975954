/**
 * Section R across worker threads: inproc names of the default context are those of the process. The test's own thread
 * runs src/, the workers run dist/.
 */
import { describe, expect, it } from "vitest";
import { Context, Publisher, Pull, Push, Reply, Request, type Socket, Subscriber } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, record, texts, turns } from "../support/helpers.js";
import { MessageCheck, MessageSource } from "../support/messages.mjs";
import { startThread, type Thread } from "../support/thread.js";

let names = 0;

const fresh = () => `inproc://threads-${names++}`;

const LONG = { timeout: 20_000 };

/** A socket of this thread or of another, with the few calls that the tests need. */
interface Anywhere {
  bind(endpoint: string): Promise<unknown>;
  connect(endpoint: string): Promise<unknown>;
  send(message: string | string[]): Promise<unknown>;
  receive(): Promise<string[]>;
  subscribe(topic: string): Promise<unknown>;
  waitForSubscribers(): Promise<unknown>;
}

const TYPES = { Publisher, Pull, Push, Reply, Request, Subscriber };

type TypeName = keyof typeof TYPES;

function here(type: TypeName): Anywhere {
  const socket = managed(new TYPES[type]() as Socket) as Socket & Record<string, CallableFunction>;
  return {
    bind: (endpoint) => socket.bind(endpoint),
    connect: async (endpoint) => socket.connect(endpoint),
    send: (message) => socket.send(message, LONG),
    receive: async () => texts(await socket.receive(LONG)),
    subscribe: async (topic) => socket.subscribe(topic),
    waitForSubscribers: () => socket.waitForSubscribers(1, LONG),
  };
}

async function there(thread: Thread, type: TypeName): Promise<Anywhere> {
  const name = `s${names++}`;
  await thread.ask("open", name, type);
  return {
    bind: (endpoint) => thread.ask("call", name, "bind", endpoint),
    connect: (endpoint) => thread.ask("call", name, "connect", endpoint),
    send: (message) => thread.ask("call", name, "send", message, LONG),
    receive: () => thread.ask("receive", name) as Promise<string[]>,
    subscribe: (topic) => thread.ask("call", name, "subscribe", topic),
    waitForSubscribers: () => thread.ask("call", name, "waitForSubscribers", 1, LONG),
  };
}

/** Where the two sockets of a pair are; the first binds. */
const PLACES: [string, (a: TypeName, b: TypeName) => Promise<[Anywhere, Anywhere]>][] = [
  ["main binds, a worker connects", async (a, b) => [here(a), await there(startThread(), b)]],
  ["a worker binds, main connects", async (a, b) => [await there(startThread(), a), here(b)]],
  ["between two workers", async (a, b) => Promise.all([there(startThread(), a), there(startThread(), b)])],
];

describe.each(PLACES)("inproc across threads: %s", (_place, make) => {
  for (const first of ["bind", "connect"] as const) {
    async function pair(a: TypeName, b: TypeName): Promise<[Anywhere, Anywhere]> {
      const endpoint = fresh();
      const [binder, connector] = await make(a, b);
      if (first === "connect") await connector.connect(endpoint);
      await binder.bind(endpoint);
      if (first === "bind") await connector.connect(endpoint);
      return [binder, connector];
    }

    it(`PUSH to PULL, ${first} first`, async () => {
      const [pull, push] = await pair("Pull", "Push");
      for (let i = 0; i < 20; i++) await push.send([`${i}`, "", "tail"]);
      for (let i = 0; i < 20; i++) expect(await pull.receive()).toEqual([`${i}`, "", "tail"]);
    });

    it(`PULL from PUSH, ${first} first`, async () => {
      const [push, pull] = await pair("Push", "Pull");
      for (let i = 0; i < 20; i++) await push.send(`${i}`);
      for (let i = 0; i < 20; i++) expect(await pull.receive()).toEqual([`${i}`]);
    });

    it(`REQ and REP, ${first} first`, async () => {
      const [reply, request] = await pair("Reply", "Request");
      for (let i = 0; i < 20; i++) {
        await request.send(["question", `${i}`]);
        expect(await reply.receive()).toEqual(["question", `${i}`]);
        await reply.send(`answer ${i}`);
        expect(await request.receive()).toEqual([`answer ${i}`]);
      }
    });

    it(`PUB to SUB with subscriptions, ${first} first`, async () => {
      const [publisher, subscriber] = await pair("Publisher", "Subscriber");
      await subscriber.subscribe("a");
      await publisher.waitForSubscribers();
      for (const topic of ["b1", "a1", "c", "a2"]) await publisher.send([topic, "body"]);
      expect(await subscriber.receive()).toEqual(["a1", "body"]);
      expect(await subscriber.receive()).toEqual(["a2", "body"]);
    });
  }
});

describe("inproc across threads", () => {
  it("what a connector sent before the bind arrives, up to its sendHighWaterMark (R20)", async () => {
    const endpoint = fresh();
    const push = managed(new Push({ sendHighWaterMark: 7 }));
    push.connect(endpoint);
    let taken = 0;
    while (push.trySend(`${taken}`)) taken++;
    expect(taken).toBe(7);
    const late = push.send("7", LONG);
    const pull = await there(startThread(), "Pull");
    await pull.bind(endpoint);
    for (let i = 0; i < 8; i++) expect(await pull.receive()).toEqual([`${i}`]);
    await late;
  });

  it("a request queued before the bind gets its reply (R20)", async () => {
    const endpoint = fresh();
    const request = managed(new Request());
    request.connect(endpoint);
    const answer = request.request("early", LONG);
    await turns(5);
    const reply = await there(startThread(), "Reply");
    await reply.bind(endpoint);
    expect(await reply.receive()).toEqual(["early"]);
    await reply.send("late");
    expect(texts(await answer)).toEqual(["late"]);
  });

  it("routing id and socket type reach the binder (R22)", async () => {
    const thread = startThread();
    const endpoint = fresh();
    const reply = managed(new Reply());
    await reply.bind(endpoint);
    await thread.ask("open", "r", "Request", { routingId: "name" });
    await thread.ask("call", "r", "connect", endpoint);
    await reply.connected(LONG);
    const [peer] = reply.peers;
    expect([peer.socketType, peer.routingId.toString(), peer.address]).toEqual(["REQ", "name", endpoint]);
  });

  it("a binder of the same thread is joined by reference, and nobody else", async () => {
    const endpoint = fresh();
    const thread = startThread();
    await thread.ask("open", "c", "Push");
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    await pull.bind(endpoint);
    push.connect(endpoint);
    const body = Buffer.from("shared");
    await push.send(body);
    expect((await pull.receive(LONG))[0].buffer).toBe(body.buffer);
    await thread.ask("call", "c", "connect", endpoint);
    await pull.connected({ count: 2, ...LONG });
    expect(push.peers).toHaveLength(1);
  });

  it("incompatible types do not join (C8)", async () => {
    const endpoint = fresh();
    const pull = managed(new Pull());
    const events = record(pull);
    await pull.bind(endpoint);
    const publisher = await there(startThread(), "Publisher");
    await publisher.connect(endpoint);
    await events.next("handshake:error:protocol");
    await turns(50);
    expect(events.of("handshake:error:protocol")).toHaveLength(1); // it is not tried again
    expect(pull.peers).toHaveLength(0);
  });

  it("names of a context that is not the default one stay in their thread (R21)", async () => {
    const endpoint = fresh();
    const own = managed(new Pull({ context: new Context() } as object));
    await own.bind(endpoint);
    const pull = await there(startThread(), "Pull");
    await pull.bind(endpoint);
    const push = managed(new Push());
    push.connect(endpoint);
    await push.send("x", LONG);
    expect(await pull.receive()).toEqual(["x"]);
    expect(own.tryReceive()).toBeUndefined();
  });

  it("100,000 messages of 0 octets to 16 MiB, with many parts, arrive whole and in order, both ways", async () => {
    const count = 100_000;
    const [thread, endpoint, back] = [startThread(), fresh(), fresh()];
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    await pull.bind(endpoint);
    await push.bind(back);
    await thread.ask("open", "push", "Push");
    await thread.ask("call", "push", "connect", endpoint);
    await thread.ask("open", "pull", "Pull");
    await thread.ask("call", "pull", "connect", back);
    const sent = thread.ask("sendAll", "push", 1, count);
    const verdict = thread.ask("receiveAll", "pull", 2, count);
    const sending = (async () => {
      const source = new MessageSource(2, count);
      for (let i = 0; i < count; i++) await push.send(source.next());
    })();
    const check = new MessageCheck(1, count);
    while (!check.complete) check.take(await pull.receive(LONG));
    expect(check.mismatch).toBeNull();
    await Promise.all([sent, sending]);
    expect(await verdict).toBeNull();
  });

  it("back-pressure: a PULL that does not read holds the PUSH at the marks and one ring", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    await pull.bind(endpoint);
    await thread.ask("open", "push", "Push", { sendHighWaterMark: 10 });
    await thread.ask("call", "push", "connect", endpoint);
    await thread.ask("flood", "push", 10_000);
    const stats = () => thread.ask("get", "push", "stats") as Promise<Record<string, number>>;
    /**
     * More than `passed` are sent, a send waits, and that stays so while both threads run. A queue that was full is so
     * until half of it is free (G8): it comes to rest anywhere above.
     */
    const held = async (passed: number): Promise<number> => {
      for (let stays = 0; ; ) {
        const { sendQueue, outboundQueue, messagesSent } = await stats();
        stays = sendQueue === 1 && outboundQueue > 5 && messagesSent > passed ? stays + 1 : 0;
        if (stays === 100) return messagesSent;
      }
    };
    // 10 and 10, a ring of 512 KiB, and what had been read when the mark was seen.
    expect(await held(20 + 20)).toBeLessThan(20 + 48 + 30);
    for (let i = 0; i < 300; i++) await pull.receive(LONG);
    // The ring, too, has been full, and is so until half of it is free.
    expect(await held(300 + 26)).toBeLessThan(300 + 20 + 48 + 30);
  });

  it("a request that times out drops the connection, and the next one gets its own answer (H7)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "r", "Reply");
    await thread.ask("call", "r", "bind", endpoint);
    const request = managed(new Request());
    request.connect(endpoint);
    const events = record(request);
    await expect(request.request("one", { timeout: 100 })).rejects.toMatchObject({ code: "EAGAIN" });
    await events.next("disconnect");
    expect(await thread.ask("receive", "r")).toEqual(["one"]);
    await thread.ask("call", "r", "send", "late");
    const answer = request.request("two", LONG);
    expect(await thread.ask("receive", "r")).toEqual(["two"]);
    await thread.ask("call", "r", "send", "in time");
    expect(texts(await answer)).toEqual(["in time"]);
  });

  it("what an event listener throws while a connection comes in is an uncaught exception", async () => {
    const child = startChild("inproc-threads.mjs", ["throws"]);
    const { code, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(child.lines).toEqual([{ caught: "from a listener" }]);
  });

  it("wakes up for one message at a time", async () => {
    const [reply, request] = [await there(startThread(), "Reply"), managed(new Request())];
    const endpoint = fresh();
    await reply.bind(endpoint);
    request.connect(endpoint);
    for (let i = 0; i < 300; i++) {
      const answer = request.request(`${i}`, LONG);
      expect(await reply.receive()).toEqual([`${i}`]);
      await reply.send(`${i}`);
      expect(texts(await answer)).toEqual([`${i}`]);
    }
  });
});
