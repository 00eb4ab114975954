/**
 * Section R across worker threads: inproc names of the default context are those of the process. The test's own thread
 * runs src/, the workers run dist/.
 */
import { describe, expect, it } from "vitest";
import { Context, Publisher, Pull, Push, Reply, Request, type Socket, Subscriber } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, record, settled, texts, turns, until } from "../support/helpers.js";
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
    /** More than `passed` are sent, its queue is full, a send waits, and that stays so while both threads run. */
    const held = async (passed: number): Promise<number> => {
      for (let stays = 0; ; ) {
        const { sendQueue, outboundQueue, messagesSent } = await stats();
        stays = sendQueue === 1 && outboundQueue === 10 && messagesSent > passed ? stays + 1 : 0;
        if (stays === 100) return messagesSent;
      }
    };
    // 10 and 10, a ring of 512 KiB that is at least half full, and what had been read when the mark was seen.
    expect(await held(20 + 20)).toBeLessThan(20 + 48 + 30);
    for (let i = 0; i < 300; i++) await pull.receive(LONG);
    expect(await held(300 + 20 + 20)).toBeLessThan(300 + 20 + 48 + 30);
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

describe("inproc names across threads", () => {
  it("EADDRINUSE while another thread has the name, and not after unbind, close or its death (R21)", async () => {
    const endpoint = fresh();
    const [one, two] = [startThread(), startThread()];
    await one.ask("open", "a", "Pull");
    await two.ask("open", "b", "Pull");
    await one.ask("call", "a", "bind", endpoint);
    const pull = managed(new Pull());
    const events = record(pull);
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE", address: endpoint });
    expect(events.of("bind:error")).toHaveLength(1);
    await expect(two.ask("call", "b", "bind", endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });

    await one.ask("call", "a", "unbind", endpoint);
    await two.ask("call", "b", "bind", endpoint);
    await expect(one.ask("call", "a", "bind", endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await two.ask("call", "b", "close");

    await one.ask("call", "a", "bind", endpoint);
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await one.worker.terminate();
    await pull.bind(endpoint);
  });

  it("of many threads that bind a name at once, one gets it (R21)", async () => {
    const threads = [0, 1, 2, 3].map(() => startThread());
    await Promise.all(threads.map((thread) => thread.ask("open", "p", "Pull")));
    for (let round = 0; round < 10; round++) {
      const endpoint = fresh();
      const pull = managed(new Pull());
      const outcomes = await Promise.allSettled([
        ...threads.map((thread) => thread.ask("call", "p", "bind", endpoint)),
        pull.bind(endpoint),
      ]);
      const codes = outcomes.map((one) => (one.status === "fulfilled" ? "bound" : one.reason.code)).sort();
      expect(codes).toEqual(["EADDRINUSE", "EADDRINUSE", "EADDRINUSE", "EADDRINUSE", "bound"]);
    }
  }, 300_000);

  it("a bind in another thread waits for none that is blocked for long, and still sees its names later (R21)", async () => {
    const [endpoint, other] = [fresh(), fresh()];
    const thread = startThread();
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    const blocked = thread.ask("block", 1500);
    await managed(new Pull()).bind(other);
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await blocked;
  });

  it("closing a socket while its bind waits for other threads rejects with EBADF and frees the name", async () => {
    const endpoint = fresh();
    const thread = startThread();
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    const pull = new Pull();
    const bound = pull.bind(endpoint);
    await pull.close();
    await expect(bound).rejects.toMatchObject({ code: /EBADF|EADDRINUSE/ });
    await thread.ask("call", "p", "unbind", endpoint);
    await managed(new Pull()).bind(endpoint);
  });

  it.each(["bind", "connect"])(
    "works between workers of a main thread without zwire, which only their sockets keep alive (%s first)",
    async (first) => {
      const child = startChild("inproc-threads.mjs", ["service", first]);
      const { code, signal, stderr, stdout } = await child.ended;
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
      expect(stdout).toContain('"asked"');
      expect(child.lines.at(-1)).toEqual({ codes: [0, 0] });
    },
  );

  it("holds between workers of a main thread without zwire (R21)", async () => {
    const child = startChild("inproc-threads.mjs", ["bind"]);
    const { code, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(child.lines.at(-1)).toEqual({ outcomes: ["EADDRINUSE", "EADDRINUSE", "EADDRINUSE", "bound"] });
  });
});

describe("the end of a thread is the end of its peers", () => {
  /** How a thread can end. */
  const DEATHS: [string, (thread: Thread) => Promise<unknown>][] = [
    ["terminate()", (thread) => thread.worker.terminate()],
    ["process.exit()", (thread) => thread.ask("exit").then(() => thread.ended)],
    ["an uncaught error", (thread) => thread.ask("fail").then(() => thread.ended)],
  ];

  it.each(DEATHS)("%s of the binder: its peer is told, and what is sent then waits", async (_how, die) => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    const push = managed(new Push());
    const events = record(push);
    push.connect(endpoint);
    await push.connected(LONG);
    await push.send("x");
    await die(thread);
    const { error } = await events.next("disconnect");
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(push.peers).toHaveLength(0);
    expect(push.trySend("y")).toBe(false);
    await expect(push.send("y", { timeout: 30 })).rejects.toMatchObject({ code: "EAGAIN" });
    // R22: no reconnect, though the name is bound again; a new connect() finds it.
    const pull = managed(new Pull());
    await pull.bind(endpoint);
    await turns(20);
    expect(push.peers).toHaveLength(0);
    push.connect(endpoint);
    await push.send("z", LONG);
    expect(texts(await pull.receive(LONG))).toEqual(["z"]);
  });

  it.each(DEATHS)(
    "%s of the connector: what it had sent arrives, then its peer is told",
    async (_how, die) => {
      const [thread, endpoint] = [startThread(), fresh()];
      const pull = managed(new Pull());
      const events = record(pull);
      await pull.bind(endpoint);
      await thread.ask("open", "p", "Push");
      await thread.ask("call", "p", "connect", endpoint);
      await pull.connected(LONG);
      await thread.ask("call", "p", "send", "last words");
      await die(thread);
      await events.next("disconnect");
      expect(texts(await pull.receive(LONG))).toEqual(["last words"]);
      expect(pull.peers).toHaveLength(0);
    },
  );

  it("unbind parts the connector without an error, and it does not come back (R22)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    const push = managed(new Push());
    const events = record(push);
    push.connect(endpoint);
    await push.connected(LONG);
    await thread.ask("call", "p", "unbind", endpoint);
    expect((await events.next("disconnect")).error).toBeUndefined();
    await thread.ask("call", "p", "bind", endpoint);
    await turns(50);
    expect(push.peers).toHaveLength(0);
  });

  it("disconnect flushes what was sent and parts the two (S13)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    const push = managed(new Push({ linger: 30_000 }));
    push.connect(endpoint);
    for (let i = 0; i < 500; i++) await push.send(`${i}`);
    push.disconnect(endpoint);
    for (let i = 0; i < 500; i++) expect(await thread.ask("receive", "p")).toEqual([`${i}`]);
    await until(() => push.peers.length === 0, "parted");
    await expect(push.send("y", { timeout: 30 })).rejects.toMatchObject({ code: "EAGAIN" });
    expect(() => push.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("close() with linger delivers what the other thread has not read (S9)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "p", "Pull", { receiveHighWaterMark: 10 });
    await thread.ask("call", "p", "bind", endpoint);
    const push = new Push({ linger: 20_000, sendHighWaterMark: 0 });
    push.connect(endpoint);
    const body = Buffer.alloc(10_000);
    for (let i = 0; i < 300; i++) await push.send([`${i}`, body]);
    const closing = push.close();
    expect(await settled(closing)).toBe(false);
    for (let i = 0; i < 300; i++) expect(((await thread.ask("receive", "p")) as string[])[0]).toBe(`${i}`);
    await closing;
  });

  it("a connector that closes before any bind still delivers what it had queued, while it lingers (R23)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    const push = managed(new Push({ linger: 20_000 }));
    push.connect(endpoint);
    await push.send("left behind");
    const closing = push.close();
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    expect(await thread.ask("receive", "p")).toEqual(["left behind"]);
    await closing;
  });

  it("20 rounds of terminate() in mid-traffic: every end is told, and no ring stays", async () => {
    const endpoint = fresh();
    const pull = managed(new Pull());
    const events = record(pull);
    await pull.bind(endpoint);
    let received = 0;
    void (async () => {
      for await (const _ of pull) received++;
    })().catch(() => {});
    const sink = managed(new Push());
    const collect = globalThis.gc as () => void;
    let base = 0;
    for (let round = 0; round < 20; round++) {
      const thread = startThread();
      const inbound = fresh();
      await thread.ask("open", "in", "Pull");
      await thread.ask("call", "in", "bind", inbound);
      await thread.ask("drain", "in");
      await thread.ask("open", "out", "Push");
      await thread.ask("call", "out", "connect", endpoint);
      await thread.ask("flood", "out", round % 2 === 0 ? 100 : 100_000);
      sink.connect(inbound);
      const sends = sink.send(Buffer.alloc(round % 2 === 0 ? 1_000_000 : 10), LONG);
      const until100 = received + 100;
      await until(() => received > until100, "traffic");
      await sends;
      await thread.worker.terminate();
      await events.next("disconnect", round + 1);
      await until(() => sink.peers.length === 0, "the sink's end");
      sink.disconnect(inbound);
      if (round === 5) {
        collect();
        base = process.memoryUsage().arrayBuffers;
      }
    }
    expect(pull.peers).toHaveLength(0);
    // SharedArrayBuffers count as arrayBuffers: two rings of 512 KiB for each of two connections would add 28 MiB.
    await until(() => {
      collect();
      return process.memoryUsage().arrayBuffers - base < 8 * 1024 ** 2;
    }, "the rings' memory back");
  });
});

it("without postMessageToThread, inproc stays within the thread", async () => {
  const child = startChild("inproc-threads.mjs", ["without"]);
  const { code, stderr } = await child.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(child.lines).toEqual([{ received: "x", peers: 0 }, { event: "closed" }]);
});

describe("a program with inproc across threads exits by itself", () => {
  it.each([
    ["closes", "closes all its sockets"],
    ["unref", "unref()ed its open sockets, in the main thread and in a worker"],
    ["alone", "has names in the main thread only, open ones, and no workers"],
  ])("%s: %s", async (scenario) => {
    const { code, signal, stderr, stdout } = await startChild("inproc-threads.mjs", [scenario]).ended;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(stdout).toMatch(/closed|unref|open/);
  });
});
