/**
 * Borrowed messages: the memory of large parts is used again when a message is given back, on every transport and both
 * engines, and never before.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Publisher, Pull, Reply, Request, Router, Subscriber } from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { startChild } from "../support/child.js";
import { managed, TRANSPORTS, turns, until } from "../support/helpers.js";
import { pair } from "../support/pairs.js";

const KIB = 1024;
const ipc = TRANSPORTS[1].endpoint;
const authority = new Authority();
const { cert, key } = authority.issue();
const WAYS = [
  ["tcp", () => "tcp://127.0.0.1:*", {}],
  ["tls+tcp", () => "tls+tcp://127.0.0.1:*", { tls: { cert, key, ca: authority.cert } }],
  ["ipc, by the socket", ipc, { sharedMemory: false }],
  ["ipc, by shared memory", ipc, {}],
] as const;

const filled = (size: number, i: number): Buffer => Buffer.alloc(size, i + 1);

describe.each(WAYS)("a borrowed message over %s", (_, endpoint, options) => {
  it("is a message, and its memory is used again when it is given back", async () => {
    const { push, pull } = await pair(endpoint(), options, options);
    const memories = new Set<ArrayBufferLike>();
    for (let i = 0; i < 40; i++) {
      const sent = push.send(["head", filled(100_000, i)]);
      const message = await pull.borrow();
      await sent;
      expect(message).toHaveLength(2);
      expect(String(message[0])).toBe("head");
      expect(message[1].equals(filled(100_000, i))).toBe(true);
      expect(message.map((part) => part.length)).toEqual([4, 100_000]);
      memories.add(message[1].buffer);
      message.release();
    }
    // The first ones arrived before the connection knew that messages are borrowed.
    expect(memories.size).toBeLessThan(10);
  });

  it("keeps its memory until then, and a received one for ever", async () => {
    const { push, pull } = await pair(endpoint(), options, options);
    const borrowed: Buffer[] = [];
    const received: Buffer[] = [];
    for (let i = 0; i < 30; i++) {
      const sent = push.send(filled(50_000, i));
      if (i % 3 === 0) {
        const message = await pull.borrow();
        message.release();
      } else if (i % 3 === 1) borrowed.push((await pull.borrow())[0]);
      else received.push((await pull.receive())[0]);
      await sent;
    }
    for (const [n, part] of borrowed.entries()) expect(part.equals(filled(50_000, 3 * n + 1))).toBe(true);
    for (const [n, part] of received.entries()) expect(part.equals(filled(50_000, 3 * n + 2))).toBe(true);
    expect(new Set([...borrowed, ...received].map((part) => part.buffer)).size).toBe(20);
  });

  it("may be forwarded and given back at once", async () => {
    const { push, pull } = await pair(endpoint(), options, options);
    const next = await pair(
      endpoint(),
      { ...options, sendHighWaterMark: 3 },
      { ...options, receiveHighWaterMark: 3 },
    );
    const count = 60;
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send(filled(70_000, i));
    })();
    const forwarding: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const message = await pull.borrow();
      forwarding.push(next.push.send(message));
      message.release();
    }
    await turns(20);
    for (let i = 0; i < count; i++) {
      const [part] = await next.pull.receive();
      expect(part.equals(filled(70_000, i))).toBe(true);
    }
    await Promise.all([sending, ...forwarding]);
  });

  it("survives that a program kept a part and transfers its memory while the next body arrives", async () => {
    const { push, pull } = await pair(endpoint(), options, options);
    for (let i = 0; i < 20; i++) {
      const sent = push.send(filled(200_000, i));
      const message = await pull.borrow();
      await sent;
      expect(message[0].equals(filled(200_000, i))).toBe(true);
      const { buffer } = message[0];
      message.release();
      if (i % 4 === 3) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    }
  });
});

describe("a loop over borrowed messages", () => {
  it("gives each back when it asks for the next, and the last when it is left", async () => {
    const { push, pull } = await pair("tcp://127.0.0.1:*");
    const sending = (async () => {
      for (let i = 0; i < 50; i++) await push.send(filled(64 * KIB, i));
    })();
    const memories = new Set<ArrayBufferLike>();
    let i = 0;
    for await (const [part] of pull.borrowed()) {
      expect(part.equals(filled(64 * KIB, i))).toBe(true);
      memories.add(part.buffer);
      if (++i === 30) break;
    }
    expect(memories.size).toBeLessThan(30);
    // What the loop did not take is still there.
    for await (const [part] of pull) {
      expect(part.equals(filled(64 * KIB, i))).toBe(true);
      if (++i === 50) break;
    }
    await sending;
    await pull.close();
    expect((await pull.borrowed().next()).done).toBe(true);
  });

  it("tryBorrow() gives what is there, and peerOf() knows who sent it", async () => {
    const { push, pull } = await pair("tcp://127.0.0.1:*", {}, { messagePeers: true });
    expect(pull.tryBorrow()).toBeUndefined();
    await push.send(filled(64 * KIB, 1));
    await until(() => pull.readable, "a message");
    const message = pull.tryBorrow()!;
    expect(message[0].equals(filled(64 * KIB, 1))).toBe(true);
    expect(pull.peerOf(message)).toBe(pull.peers[0]);
    message.release();
    message.release();
    message[Symbol.dispose]();
  });

  it("reject as receive() does", async () => {
    const pull = managed(new Pull({ receiveTimeout: 0 }));
    await expect(pull.borrow()).rejects.toMatchObject({ code: "EAGAIN" });
    expect(() => pull.borrow({ timeout: "1" } as never)).toThrow(TypeError);
    await expect(pull.borrow({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
    await pull.close();
    await expect(pull.borrow()).rejects.toMatchObject({ code: "EBADF" });
  });
});

describe("every way to receive, on a socket that borrows", () => {
  it.each(["tcp://127.0.0.1:*", "inproc://borrowing"])(
    "%s: request and reply, router and dealer",
    async (at) => {
      const reply = managed(new Reply());
      const request = managed(new Request());
      request.connect(await reply.bind(at));
      const router = managed(new Router());
      const dealer = managed(new Dealer());
      dealer.connect(await router.bind(at.replace("borrowing", "borrowing-2")));
      for (let i = 0; i < 20; i++) {
        const answer = request.request(filled(80_000, i));
        const question = await reply.borrow();
        expect(question[0].equals(filled(80_000, i))).toBe(true);
        await reply.send(question[0]);
        question.release();
        expect((await answer)[0].equals(filled(80_000, i))).toBe(true);
        await dealer.send(filled(80_000, i));
        const asked = await router.borrow();
        await router.send(asked);
        asked.release();
        const answered = await dealer.borrow();
        expect(answered[0].equals(filled(80_000, i))).toBe(true);
        answered.release();
      }
      await request.send(filled(80_000, 7));
      const question = await reply.borrow();
      await reply.send(question[0]);
      question.release();
      const answered = await request.borrow();
      expect(answered[0].equals(filled(80_000, 7))).toBe(true);
      answered.release();
    },
  );

  it("a listener, receiveMany() and a subscriber's filter", async () => {
    const publisher = managed(new Publisher());
    const subscriber = managed(new Subscriber());
    subscriber.subscribe("a");
    subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"));
    await publisher.waitForSubscribers(1);
    for (let i = 0; i < 10; i++) await publisher.send([i % 2 ? "a" : "b", filled(64 * KIB, i)]);
    const first = await subscriber.borrow();
    expect(first[1].equals(filled(64 * KIB, 1))).toBe(true);
    first.release();
    const rest: Buffer[][] = [];
    while (rest.length < 3) rest.push(...(await subscriber.receiveMany(2)));
    for (const [n, message] of rest.entries())
      expect(message[1].equals(filled(64 * KIB, 2 * n + 3))).toBe(true);
    const heard = new Promise<Buffer[]>((resolve) => subscriber.once("message", resolve));
    expect((await heard)[1].equals(filled(64 * KIB, 9))).toBe(true);
  });
});

it("NODE_DEBUG=zwire-borrow takes a part away when it is given back, and tells of those that never are", async () => {
  const child = startChild("borrow-debug.mjs", [], ["--expose-gc"], { NODE_DEBUG: "zwire-borrow" });
  const line = await child.line(({ event }) => event === "kept", "a part that was kept");
  expect(line).toMatchObject({ before: 100_000, after: 0 });
  const { code, stderr } = await child.ended;
  expect(code).toBe(0);
  expect(stderr).toMatch(/ZWIRE-BORROW .* never given back .*borrow-debug\.mjs/s);
});
