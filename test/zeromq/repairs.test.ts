/**
 * What zwire/zeromq does where zeromq.js fails, hangs or crashes, and no correct program can tell the difference but by
 * working.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "../../src/zeromq.js";
import { Datagram, Dish, Radio } from "../../src/zeromq-draft.js";

function opened<T extends zmq.Socket>(socket: T): T {
  onTestFinished(() => {
    socket.linger = 0;
    socket.close();
  });
  return socket;
}

async function pair(): Promise<[zmq.Push, zmq.Pull]> {
  const [push, pull] = [opened(new zmq.Push({ linger: 0 })), new zmq.Pull()];
  onTestFinished(() => pull.close());
  await pull.bind("tcp://127.0.0.1:*");
  push.connect(pull.lastEndpoint as string);
  return [push, pull];
}

describe("zwire/zeromq", () => {
  it("serves receives in the order of their calls, where zeromq.js throws EBUSY", async () => {
    const [push, pull] = await pair();
    const receives = [pull.receive(), pull.receive(), pull.receive()];
    for (const text of ["a", "b", "c"]) await push.send(text);
    expect((await Promise.all(receives)).map(String)).toEqual(["a", "b", "c"]);
  });

  it("sends in the order of the calls, where zeromq.js throws EBUSY", async () => {
    const push = opened(new zmq.Push({ linger: 0 }));
    const sends = ["a", "b", "c"].map((text) => push.send([text, text]));
    const pull = new zmq.Pull();
    onTestFinished(() => pull.close());
    await pull.bind("tcp://127.0.0.1:*");
    push.connect(pull.lastEndpoint as string);
    await Promise.all(sends);
    const received = [await pull.receive(), await pull.receive(), await pull.receive()];
    expect(received.map((parts) => parts.join())).toEqual(["a,a", "b,b", "c,c"]);
  });

  it("refuses the wrong direction at once, where zeromq.js waits for ever", async () => {
    const [push, pull] = await pair();
    const wrong = pull as unknown as zmq.Push;
    await expect(wrong.send("x")).rejects.toMatchObject({ code: "ENOTSUP" });
    await expect((push as unknown as zmq.Pull).receive()).rejects.toMatchObject({ code: "ENOTSUP" });
    expect(() => (pull as unknown as Dish).join("x")).toThrow("Operation not supported");
  });

  it("takes zwire's own options as constructor fields, and begins with libzmq's ways", async () => {
    const publisher = opened(
      new zmq.Publisher({ sendHighWaterMark: 2, onFull: "wait", sendTimeout: 0, linger: 0 }),
    );
    const subscriber = opened(new zmq.Subscriber({ receiveHighWaterMark: 2 }));
    subscriber.subscribe();
    subscriber.connect("inproc://own-options");
    await publisher.bind("inproc://own-options");
    for (let i = 0; i < 4; i++) await publisher.send(`${i}`);
    await expect(publisher.send("no")).rejects.toMatchObject({ code: "EAGAIN" });
    expect(() => new zmq.Pull({ maxQueuedBytes: -1 })).toThrow(/maxQueuedBytes must be/);
    expect(() => new zmq.Pull({ onFull: "wait" })).toThrow(TypeError); // a Pull has none
    expect(() => new zmq.Publisher({ onFull: "dropOldest", noDrop: true })).toThrow();
    expect("onFull" in publisher).toBe(false);
    const byDefault = opened(new zmq.Publisher({ sendHighWaterMark: 0 }));
    await byDefault.bind("inproc://own-default");
    const late = opened(new zmq.Subscriber({ receiveHighWaterMark: 0 }));
    late.subscribe();
    late.connect("inproc://own-default");
    const large = Buffer.alloc(4 * 1024 ** 2);
    for (let i = 0; i < 20; i++) await byDefault.send(large); // by reference: 80 MiB above zwire's own mark
    for (let i = 0; i < 20; i++) await late.receive();
  });

  it("tells a mandatory Router at once that nobody is there, where zeromq.js waits", async () => {
    const router = new zmq.Router({ mandatory: true });
    onTestFinished(() => router.close());
    await expect(router.send(["nobody", "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("sends the octets of a DataView and of shared memory", async () => {
    const [push, pull] = await pair();
    const shared = new SharedArrayBuffer(2);
    new Uint8Array(shared).set([97, 98]);
    await push.send([new DataView(new Uint8Array([99, 100]).buffer, 1), shared]);
    expect((await pull.receive()).map(String)).toEqual(["d", "ab"]);
  });

  it("throws for a Proxy of other objects, where zeromq.js ends the process", () => {
    expect(() => new zmq.Proxy({} as zmq.Pull, {} as zmq.Push)).toThrow("Invalid argument");
  });

  it("closes the sockets of a Proxy once, however often run() is called", async () => {
    const proxy = new zmq.Proxy(new zmq.Pull(), new zmq.Push());
    await proxy.frontEnd.bind("tcp://127.0.0.1:*");
    await proxy.backEnd.bind("tcp://127.0.0.1:*");
    const running = proxy.run();
    expect(() => proxy.run()).toThrow("blocked");
    expect(proxy.frontEnd.closed).toBe(false);
    proxy.terminate();
    await running;
    expect([proxy.frontEnd.closed, proxy.backEnd.closed]).toEqual([true, true]);
  });

  it("passes nothing while a Proxy is paused, and everything afterwards", async () => {
    const proxy = new zmq.Proxy(new zmq.Pull(), new zmq.Push({ linger: 0 }));
    await proxy.frontEnd.bind("tcp://127.0.0.1:*");
    await proxy.backEnd.bind("tcp://127.0.0.1:*");
    const [push, pull] = [opened(new zmq.Push()), new zmq.Pull({ receiveTimeout: 100 })];
    onTestFinished(() => pull.close());
    push.connect(proxy.frontEnd.lastEndpoint as string);
    pull.connect(proxy.backEnd.lastEndpoint as string);
    const running = proxy.run();
    await push.send("before");
    pull.receiveTimeout = 20_000;
    expect(String(await pull.receive())).toBe("before");
    proxy.pause();
    await push.send("meanwhile");
    pull.receiveTimeout = 100;
    await expect(pull.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    proxy.resume();
    pull.receiveTimeout = 20_000;
    expect(String(await pull.receive())).toBe("meanwhile");
    proxy.terminate();
    await running;
  });

  it("rejects a Datagram to what is no address, which libzmq drops without a word", async () => {
    const datagram = opened(new Datagram());
    await datagram.bind("udp://127.0.0.1:*");
    await expect(datagram.send(["nowhere", "x"])).rejects.toMatchObject({ code: "EINVAL" });
  });

  it("shows the port of udp, and unbinds by what it shows", async () => {
    const dish = opened(new Dish());
    await dish.bind("udp://127.0.0.1:*");
    expect(dish.lastEndpoint).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/);
    await dish.unbind(dish.lastEndpoint as string);
  });

  it("gives each group of a Dish what was sent to it", async () => {
    const [radio, dish] = [opened(new Radio()), new Dish()];
    onTestFinished(() => dish.close());
    await radio.bind("tcp://127.0.0.1:*");
    dish.join("a");
    dish.connect(radio.lastEndpoint as string);
    const repeat = setInterval(() => void radio.send("x", { group: "a" }), 5);
    onTestFinished(() => clearInterval(repeat));
    const [message, { group }] = await dish.receive();
    expect([String(message), String(group)]).toEqual(["x", "a"]);
  });

  it("keeps a tight loop from starving timers", async () => {
    const [push, pull] = await pair();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    onTestFinished(() => clearInterval(timer));
    const reading = (async () => {
      for (let left = 1; left > 0; ) left = Number(await pull.receive());
    })();
    // As many as it takes: a quick machine passes thousands in the millisecond between two ticks.
    for (let left = 2_000_000; left >= 0; left = ticks > 3 ? Math.min(left - 1, 0) : left - 1)
      await push.send(`${left}`);
    await reading;
    expect(ticks).toBeGreaterThan(3);
  });
});

it.each([
  ["a Context", () => new zmq.Context()],
  ["another Observer", () => opened(new zmq.Push()).events],
  ["a Proxy", () => new zmq.Proxy(opened(new zmq.Push()), opened(new zmq.Push()))],
])("an Observer of %s throws libzmq's ENOTSOCK, where zeromq.js ends the process", (_title, make) => {
  expect(() => new zmq.Observer(make() as never)).toThrow(
    expect.objectContaining({ code: "ENOTSOCK", message: "Socket operation on non-socket" }),
  );
});
