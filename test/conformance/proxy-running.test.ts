/** Proxies that stop, are misused, or whose sockets are used meanwhile. */
import { describe, expect, it } from "vitest";
import { Proxy, Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import { managed, TRANSPORTS, texts, turns, until, within } from "../support/helpers.js";
import { expectNumbers, inprocEndpoint, LIMIT, numbered, pipeline } from "../support/proxied.js";

describe("when a proxy stops", () => {
  it("gives back the message that waits: the next receive has it, then what follows", async () => {
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 20);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await running;
    expect(proxy.statistics.frontEnd).toMatchObject({ messagesIn: 0, bytesIn: 0 });
    expect(front.stats.receiveQueue).toBe(20);
    await expectNumbers(front, 0, 20);
    expect(front.stats.messagesReceived).toBe(20);
    // Both sockets are as they were.
    await push.send("more");
    expect(texts(await front.receive(LIMIT))).toEqual(["more"]);
    pull.connect(backEndpoint);
    await back.send("by hand", LIMIT);
    expect(texts(await pull.receive(LIMIT))).toEqual(["by hand"]);
  });

  it("can run again, as can another proxy over the same sockets, and takes what was given back first", async () => {
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline();
    const first = proxy.run();
    await numbered(push, 0, 10);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await first;
    pull.connect(backEndpoint);
    const second = proxy.run();
    await expectNumbers(pull, 0, 10);
    proxy.terminate();
    await second;
    expect(proxy.statistics.backEnd.messagesOut).toBe(10);
    const other = new Proxy(front, back);
    const third = other.run();
    await numbered(push, 10, 20);
    await expectNumbers(pull, 10, 20);
    other.terminate();
    await third;
  });

  it("a given back message keeps its place when the socket has a listener or many read", async () => {
    const { push, front, proxy } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 6);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.terminate();
    await running;
    expect((await front.receiveMany(2)).map((parts) => texts(parts)[0])).toEqual(["0", "1"]);
    const heard: string[] = [];
    front.on("message", (parts) => heard.push(texts(parts)[0]));
    await until(() => heard.length === 4, "four messages");
    expect(heard).toEqual(["2", "3", "4", "5"]);
  });

  it("a request in hand is given back with the duty to reply to it", async () => {
    const client = managed(new Request());
    const [front, back] = [managed(new Reply()), managed(new Request())];
    client.connect(await front.bind(inprocEndpoint()));
    await back.bind(inprocEndpoint());
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    const answer = client.request("question", LIMIT);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a request in hand");
    proxy.terminate();
    await running;
    expect(texts(await front.receive(LIMIT))).toEqual(["question"]);
    await expect(front.receive()).rejects.toMatchObject({ code: "EFSM" });
    await front.send("answer");
    expect(texts(await answer)).toEqual(["answer"]);
  });

  it("a reply in hand is given back to the socket that asked", async () => {
    // The back end asks by hand; its reply finds a front end, a Push, that nobody is connected to.
    const server = managed(new Reply());
    const [front, back] = [managed(new Push({ linger: 0 })), managed(new Request())];
    await front.bind(inprocEndpoint());
    server.connect(await back.bind(inprocEndpoint()));
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    await back.send("question");
    await server.receive(LIMIT);
    await server.send("answer");
    await until(() => proxy.statistics.backEnd.messagesIn === 1, "a reply in hand");
    proxy.terminate();
    await running;
    expect(texts(await back.receive(LIMIT))).toEqual(["answer"]);
    await expect(back.receive()).rejects.toMatchObject({ code: "EFSM" });
  });

  it("terminates while paused, with a message in hand", async () => {
    const { push, front, proxy } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 3);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    proxy.pause();
    proxy.terminate();
    await running;
    await expectNumbers(front, 0, 3);
  });

  it("closeSockets closes both, not the capture socket, and what was accepted is still delivered", async () => {
    const capture = managed(new Publisher());
    const options = { closeSockets: true, capture };
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline(
      TRANSPORTS[0].endpoint,
      {},
      options,
    );
    pull.connect(backEndpoint);
    back.linger = 20_000;
    const running = proxy.run();
    await numbered(push, 0, 500);
    await until(() => proxy.statistics.backEnd.messagesOut === 500, "500 messages forwarded");
    proxy.terminate();
    await running;
    expect([front.closed, back.closed, capture.closed]).toEqual([true, true, false]);
    await expectNumbers(pull, 0, 500);
  });

  it.each(["front", "back"] as const)("ends when its %s end is closed", async (which) => {
    const { push, front, proxy, ...sockets } = await pipeline();
    const running = proxy.run();
    await numbered(push, 0, 5);
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    await { front, ...sockets }[which].close();
    await within(running, "the end of the run");
    expect(proxy.state).toBe("terminated");
    if (which === "front") {
      expect(proxy.statistics).toMatchObject({ undeliverable: 1, frontEnd: { messagesIn: 1 } });
    } else {
      expect(proxy.statistics).toMatchObject({ undeliverable: 0, frontEnd: { messagesIn: 0 } });
      await expectNumbers(front, 0, 5);
    }
  });

  it("ends when a socket is closed while it is paused, or while it forwards", async () => {
    const one = await pipeline();
    const paused = one.proxy.run();
    one.proxy.pause();
    await one.back.close();
    await within(paused, "the end of a paused run");
    const other = await pipeline(TRANSPORTS[0].endpoint);
    other.pull.connect(other.backEndpoint);
    const running = other.proxy.run();
    const feeding = numbered(other.push, 0, 100_000).catch(() => {});
    await until(() => other.proxy.statistics.backEnd.messagesOut > 2000, "traffic");
    await Promise.all([other.front.close(), other.back.close({ linger: 0 })]);
    await within(running, "the end of a busy run");
    await other.push.close({ linger: 0 });
    await feeding;
  });
});

describe("the sockets while a proxy runs", () => {
  it("receives are refused with EBUSY, as is another proxy; sends of one's own go through", async () => {
    const { push, pull, front, back, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    const running = proxy.run();
    const busy = { code: "EBUSY" };
    await expect(front.receive()).rejects.toMatchObject(busy);
    await expect(front.receiveMany()).rejects.toMatchObject(busy);
    await expect(front[Symbol.asyncIterator]().next()).rejects.toMatchObject(busy);
    expect(() => front.tryReceive()).toThrow(expect.objectContaining(busy));
    expect(() => front.on("message", () => {})).toThrow(expect.objectContaining(busy));
    await expect(proxy.run()).rejects.toMatchObject(busy);
    await expect(new Proxy(front, back).run()).rejects.toMatchObject(busy);
    expect(proxy.state).toBe("running");
    await back.send("mine");
    expect(texts(await pull.receive(LIMIT))).toEqual(["mine"]);
    await numbered(push, 0, 3);
    await expectNumbers(pull, 0, 3);
    proxy.terminate();
    await running;
    // The refused listener has not stayed behind.
    await push.send("x");
    expect(texts(await front.receive(LIMIT))).toEqual(["x"]);
  });

  it("a message in hand waits behind sends of the application that came first", async () => {
    const { push, pull, back, proxy, backEndpoint } = await pipeline();
    const own = back.send("first");
    void proxy.run();
    await push.send("second");
    await until(() => proxy.statistics.frontEnd.messagesIn === 1, "a message in hand");
    pull.connect(backEndpoint);
    await own;
    expect(texts(await pull.receive(LIMIT))).toEqual(["first"]);
    expect(texts(await pull.receive(LIMIT))).toEqual(["second"]);
  });

  it("binds and connects work", async () => {
    const { pull, front, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    void proxy.run();
    const another = managed(new Push());
    another.connect(await front.bind(inprocEndpoint()));
    await another.send("x");
    expect(texts(await pull.receive(LIMIT))).toEqual(["x"]);
  });
});

describe("misuse of a proxy", () => {
  it("arguments are checked", () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const make =
      (...given: unknown[]) =>
      () =>
        new (Proxy as new (...given: unknown[]) => Proxy)(...given);
    expect(make()).toThrow(new TypeError("Front-end must be a socket object"));
    expect(make({}, push)).toThrow(new TypeError("Front-end must be a socket object"));
    expect(make(pull)).toThrow(new TypeError("Back-end must be a socket object"));
    expect(make(pull, null)).toThrow(new TypeError("Back-end must be a socket object"));
    expect(make(pull, push, null)).toThrow(TypeError);
    expect(make(pull, push, { captur: push })).toThrow(/captur/);
    expect(make(pull, push, { capture: {} })).toThrow(/capture/);
    expect(make(pull, push, { capture: managed(new Pull()) })).toThrow(/capture/);
    expect(make(pull, push, { capture: push })).toThrow(/capture/);
    expect(make(pull, push, { closeSockets: 1 })).toThrow(/closeSockets/);
    expect(make(pull, managed(new Subscriber()))).toThrow(/frontEnd and backEnd/);
    expect(make(push, managed(new Publisher()))).toThrow(/frontEnd and backEnd/);
    const proxy = new Proxy(pull, push);
    expect([proxy.frontEnd, proxy.backEnd]).toEqual([pull, push]);
    expect(() => {
      (proxy as { frontEnd: unknown }).frontEnd = push;
    }).toThrow(TypeError);
  });

  it("run rejects with EINVAL when a socket is neither bound nor connected, or closed", async () => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    const proxy = new Proxy(pull, push, { closeSockets: true });
    const front = { code: "EINVAL", message: /Front-end socket must be bound or connected/ };
    await expect(proxy.run()).rejects.toMatchObject({
      ...front,
      message: expect.stringMatching(front.message),
    });
    const endpoint = await pull.bind(inprocEndpoint());
    await expect(proxy.run()).rejects.toThrow(/Back-end socket must be bound or connected/);
    push.connect(inprocEndpoint());
    expect([proxy.state, pull.closed, push.closed]).toEqual(["idle", false, false]);
    await pull.unbind(endpoint);
    await expect(proxy.run()).rejects.toThrow(/Front-end/);
    pull.connect(inprocEndpoint());
    const running = proxy.run();
    proxy.terminate();
    await running;
    await expect(proxy.run()).rejects.toMatchObject({ code: "EINVAL" });
  });

  it("run rejects with EBUSY while somebody else receives from the front end, and leaves it alone", async () => {
    const { push, pull, front, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    const waiting = front.receive();
    await expect(proxy.run()).rejects.toMatchObject({ code: "EBUSY", message: /1 receives wait/ });
    await push.send("a");
    expect(texts(await waiting)).toEqual(["a"]);
    const heard: string[] = [];
    const listener = (parts: Buffer[]) => heard.push(texts(parts)[0]);
    front.on("message", listener);
    await expect(proxy.run()).rejects.toMatchObject({ code: "EBUSY" });
    expect(proxy.state).toBe("idle");
    await push.send("b");
    await until(() => heard.length === 1, "a message at the listener");
    front.off("message", listener);
    void proxy.run();
    await push.send("c");
    expect(texts(await pull.receive(LIMIT))).toEqual(["c"]);
  });

  it("pause, resume and terminate reject what makes no sense in the state", async () => {
    const { push, pull, proxy, backEndpoint } = await pipeline();
    pull.connect(backEndpoint);
    const outOfTurn = expect.objectContaining({ code: "EFSM" });
    expect(proxy.state).toBe("idle");
    for (const call of ["pause", "resume", "terminate"] as const)
      expect(() => proxy[call]()).toThrow(outOfTurn);
    await push.send("x");
    const running = proxy.run();
    proxy.pause(); // at once: nothing has been forwarded
    await turns(20);
    expect(proxy.statistics.frontEnd.messagesIn).toBe(0);
    proxy.terminate();
    proxy.terminate();
    await running;
    for (const call of ["pause", "resume"] as const) expect(() => proxy[call]()).toThrow(outOfTurn);
    proxy.terminate();
  });

  it("a message that the other side cannot send is counted, and the next ones go through", async () => {
    const [push, front, back, pull] = [new Push(), new Pull(), new Push({ conflate: true }), new Pull()];
    for (const socket of [push, front, back, pull]) managed(socket);
    push.connect(await front.bind(inprocEndpoint()));
    pull.connect(await back.bind(inprocEndpoint()));
    const proxy = new Proxy(front, back);
    void proxy.run();
    await push.send(["two", "parts"]);
    await push.send("one");
    expect(texts(await pull.receive(LIMIT))).toEqual(["one"]);
    expect(proxy.statistics).toMatchObject({ undeliverable: 1, backEnd: { messagesOut: 1 } });
  });

  it("a pattern used out of turn ends the run with EFSM, and the message is given back", async () => {
    const [push, front, back] = [managed(new Push()), managed(new Pull()), managed(new Reply())];
    push.connect(await front.bind(inprocEndpoint()));
    await back.bind(inprocEndpoint());
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    await push.send("a reply to nothing");
    await expect(running).rejects.toMatchObject({ code: "EFSM" });
    expect(proxy.state).toBe("terminated");
    expect(texts(await front.receive(LIMIT))).toEqual(["a reply to nothing"]);
  });
});
