/**
 * Events without answers: one frame, no topic (T31), in bytes and between zwire's own.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { Publisher as PubSocket, Pull, Push, Subscriber as SubSocket } from "../../src/index.js";
import { method, Publisher, Puller, Pusher, Subscriber } from "../../src/rpc.js";
import { managed, texts, until } from "../support/helpers.js";
import { arr, bin, decode, int, map, plain, str } from "../support/msgpack.js";
import { event, newId } from "../support/rpc-peers.js";

function kept<T extends { close(options: { linger: number }): Promise<void> }>(one: T): T {
  onTestFinished(() => one.close({ linger: 0 }));
  return one;
}

describe("one-way events (T31)", () => {
  it("an event of a Pusher or a Publisher is one frame", async () => {
    const [pull, sub] = [managed(new Pull()), managed(new SubSocket())];
    const [pusher, publisher] = [kept(new Pusher({ headers: { app: "x" } })), kept(new Publisher())];
    pull.connect(await pusher.bind("tcp://127.0.0.1:*"));
    sub.subscribe();
    sub.connect(await publisher.bind("tcp://127.0.0.1:*"));
    await publisher.socket.waitForSubscribers(1);
    await pusher.emit("note", [1, "a"], { headers: { trace: 1 } });
    await publisher.emit("news", [Buffer.from("b")]);
    const pushed = await pull.receive({ timeout: 5000 });
    const published = await sub.receive({ timeout: 5000 });
    expect([pushed.length, published.length]).toEqual([1, 1]);
    const [header, name, args] = plain(decode(pushed[0])) as [Record<string, unknown>, string, unknown];
    expect(Object.keys(header)).toEqual(["message_id", "v", "app", "trace"]);
    expect([header.v, header.app, header.trace, name, args]).toEqual([3, "x", 1, "note", [1, "a"]]);
    expect(plain(decode(published[0]))).toMatchObject([{ v: 3 }, "news", [Buffer.from("b")]]);
  });

  it("a Puller and a Subscriber handle events of zerorpc, with a topic in front and without an id", async () => {
    const [push, pub] = [managed(new Push()), managed(new PubSocket())];
    const seen: unknown[] = [];
    const service = {
      note: (...args: unknown[]) => void seen.push(args),
      deep: { note: method((call, x) => void seen.push([call.headers, x])) },
    };
    const [puller, subscriber] = [kept(new Puller(service)), kept(new Subscriber(service))];
    puller.connect(await push.bind("tcp://127.0.0.1:*"));
    subscriber.connect(await pub.bind("tcp://127.0.0.1:*"));
    await pub.waitForSubscribers(1);
    await push.send(event({ message_id: bin(newId()), v: int(3) }, "note", arr(int(1))));
    await push.send(event({ v: int(3), trace: str("t") }, "deep.note", arr(int(2))));
    await until(() => seen.length === 2, "what was pushed");
    await pub.send(["topic", event({ message_id: bin(newId()), v: int(3) }, "note", arr(int(3)))]);
    await until(() => seen.length === 3, "what was published");
    expect(seen).toEqual([[1], [{ trace: "t" }, 2], [3]]);
  });

  it("an event that cannot be decoded is counted, an error of a handler is reported, and the next event is handled", async () => {
    const push = managed(new Push());
    const errors: unknown[] = [];
    const seen: unknown[] = [];
    const puller = kept(
      new Puller(
        {
          fail: () => {
            throw new Error("no");
          },
          note: (x: unknown) => void seen.push(x),
        },
        { onError: (error, name) => errors.push([name, (error as Error).message]) },
      ),
    );
    puller.connect(await push.bind("tcp://127.0.0.1:*"));
    for (const payload of [
      Buffer.from("junk"),
      arr(map({}), str("nope"), arr()),
      arr(map({}), str("note"), int(1)),
      arr(map({}), str("fail"), arr()),
      arr(map({}), str("note"), arr(int(9))),
    ]) {
      await push.send(payload);
    }
    await until(() => seen.length === 1, "the last one");
    expect(puller.stats).toEqual({ handled: 2, failed: 1, dropped: 3 });
    expect(errors).toEqual([["fail", "no"]]);
  });

  it("events are handled one after the other by default, and at the same time with concurrency", async () => {
    const gates: (() => void)[] = [];
    const service = { hold: () => new Promise<void>((resolve) => gates.push(resolve)) };
    const [pusher, puller] = [kept(new Pusher()), kept(new Puller(service, { concurrency: 3 }))];
    puller.connect(await pusher.bind("tcp://127.0.0.1:*"));
    for (let i = 0; i < 5; i++) await pusher.emit("hold");
    await until(() => gates.length === 3, "three run");
    gates.shift()?.();
    await until(() => gates.length === 3, "a fourth runs");
    expect(puller.stats.handled).toBe(4);
  });

  it("arguments are checked", () => {
    const pusher = kept(new Pusher());
    expect(() => pusher.emit("m", [() => 1])).toThrow("args[0] is a function");
    expect(() => pusher.emit("m", [], { headers: { v: 1 } })).toThrow(TypeError);
    expect(() => new Puller({}, { concurrency: 0 })).toThrow(RangeError);
    expect(() => new Pusher({ nope: 1 } as never)).toThrow('there is no option "nope"');
    expect(texts([Buffer.from("x")])).toEqual(["x"]);
  });
});
