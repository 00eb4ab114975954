/** The channels of node:diagnostics_channel on which sockets tell what happens to them, and their messages. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it, onTestFinished } from "vitest";
import { listedSockets } from "../../src/core/roster.js";
import { Client, Server } from "../../src/draft.js";
import { context, Dealer, Pair, Pull, Push, Router, type Socket } from "../../src/index.js";
import { managed, rawDial, record, until, within } from "../support/helpers.js";

interface Told {
  readonly channel: string;
  readonly socket: Socket;
  readonly id?: number;
  readonly type?: string;
  readonly parts?: number;
  readonly bytes?: number;
  readonly event?: { type: string; endpoint: string; error?: Error };
}

/** What is published on some channels until the test ends. */
function subscribed(...names: string[]): Told[] {
  const told: Told[] = [];
  const listener = (message: unknown, name: string | symbol): void => {
    told.push({ channel: String(name), ...(message as object) } as Told);
  };
  for (const name of names) {
    subscribe(name, listener);
    onTestFinished(() => void unsubscribe(name, listener));
  }
  return told;
}

const channels = (told: Told[], socket: Socket) =>
  told.filter((one) => one.socket === socket).map(({ channel }) => channel);

describe("diagnostics channels", () => {
  it("tell of a socket's life in the order of its events", async () => {
    const told = subscribed(
      "zwire:socket:open",
      "zwire:socket:bind",
      "zwire:socket:close",
      "zwire:connection:connect",
      "zwire:connection:accept",
      "zwire:connection:handshake",
      "zwire:connection:disconnect",
    );
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await Promise.all([push.connected(), pull.connected()]);
    const seen = record(pull);
    await push.close();
    await seen.next("disconnect");
    await pull.close();
    expect(channels(told, pull)).toEqual([
      "zwire:socket:open",
      "zwire:socket:bind",
      "zwire:connection:accept",
      "zwire:connection:handshake",
      "zwire:connection:disconnect",
      "zwire:socket:close",
    ]);
    expect(channels(told, push)).toEqual([
      "zwire:socket:open",
      "zwire:connection:connect",
      "zwire:connection:handshake",
      "zwire:socket:close",
    ]);
    const ids = new Set(told.map(({ id }) => id));
    expect(ids.size).toBe(2);
    const { type, event } = told.find(({ channel }) => channel.endsWith("handshake")) as Told;
    expect([type, event?.type]).toEqual([undefined, "handshake"]);
  });

  it("tell why a handshake failed", async () => {
    const told = subscribed("zwire:connection:handshake:error:protocol");
    const pull = managed(new Pull());
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    peer.write(Buffer.from("GET / HTTP/1.1\r\nHost: here\r\n\r\n".repeat(4)));
    await until(() => told.length === 1, "the failure");
    expect(told[0].socket).toBe(pull);
    expect(told[0].event?.error).toMatchObject({ name: "ProtocolError" });
  });

  it("open comes before anything that happens in the same turn", async () => {
    const told = subscribed("zwire:socket:open", "zwire:connection:connect:delay");
    const push = managed(new Push());
    push.connect("tcp://127.0.0.1:9");
    expect(channels(told, push)).toEqual(["zwire:socket:open", "zwire:connection:connect:delay"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(channels(told, push)).toEqual(["zwire:socket:open", "zwire:connection:connect:delay"]);
  });

  it("a subscriber to open may use the socket: its constructor has ended", async () => {
    const calls: boolean[] = [];
    const use = (message: unknown): void => {
      calls.push((message as { socket: Push }).socket.writable);
    };
    subscribe("zwire:socket:open", use);
    onTestFinished(() => void unsubscribe("zwire:socket:open", use));
    managed(new Push());
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([false]);
  });

  it("count messages with their parts and bytes, by every way of sending and receiving", async () => {
    const told = subscribed("zwire:message:send", "zwire:message:receive");
    const [a, b] = [managed(new Pair()), managed(new Pair())];
    b.connect(await a.bind("tcp://127.0.0.1:*"));
    await within(b.connected(), "connected");
    await b.send(["one", "part", "more"]);
    await a.receive();
    expect(b.trySend("x")).toBe(true);
    await a.receiveMany(1);
    await b.sendMany(["12", "345"]);
    for (let left = 2; left > 0; left--) for await (const _ of a) break;
    const sizes = (channel: string, socket: Socket) =>
      told
        .filter((one) => one.channel === channel && one.socket === socket)
        .map(({ parts, bytes }) => [parts, bytes]);
    const all = [
      [3, 11],
      [1, 1],
      [1, 2],
      [1, 3],
    ];
    expect(sizes("zwire:message:send", b)).toEqual(all);
    expect(sizes("zwire:message:receive", a)).toEqual(all);
    expect(told).toHaveLength(8);
  });

  it("count a message that waited for room when it goes, and only once", async () => {
    const told = subscribed("zwire:message:send");
    const push = managed(new Push());
    const sending = push.send("later");
    expect(told).toEqual([]);
    const pull = managed(new Pull());
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await within(sending, "sent");
    await pull.receive();
    expect(told.map(({ bytes }) => bytes)).toEqual([5]);
  });

  it("count messages of the draft types, which have an object beside their part", async () => {
    const told = subscribed("zwire:message:receive");
    const [server, client] = [managed(new Server()), managed(new Client())];
    client.connect(await server.bind("tcp://127.0.0.1:*"));
    await client.send("four");
    await server.receive();
    expect(told.map(({ parts, bytes }) => [parts, bytes])).toEqual([[1, 4]]);
  });

  describe.each(["tcp://127.0.0.1:*", "inproc://*"])("a subscriber over %s", (endpoint) => {
    const at = () => endpoint.replace("*", endpoint.startsWith("inproc") ? `watched-${Math.random()}` : "*");

    function whenTold(name: string, socket: Socket, act: () => void): void {
      const listener = (message: unknown): void => {
        if ((message as Told).socket === socket) act();
      };
      subscribe(name, listener);
      onTestFinished(() => void unsubscribe(name, listener));
    }

    async function joined(): Promise<{ push: Push; pull: Pull }> {
      const [push, pull] = [managed(new Push()), managed(new Pull())];
      push.connect(await pull.bind(at()));
      await within(Promise.all([push.connected(), pull.connected()]), "connected");
      return { push, pull };
    }

    it("may abort the receive that waits for the message: it has the message, and the next goes on", async () => {
      const { push, pull } = await joined();
      const abort = new AbortController();
      whenTold("zwire:message:receive", pull, () => abort.abort(new Error("of the subscriber")));
      const receiving = pull.receive({ signal: abort.signal });
      await push.send("one");
      expect(String(await within(receiving, "the message"))).toBe("one");
      expect(pull.stats.waitingReceives).toBe(0);
      const next = pull.receive();
      expect(pull.stats.waitingReceives).toBe(1);
      await push.send("two");
      expect(String(await within(next, "the next"))).toBe("two");
    });

    it("may abort a loop's wait, or that of receiveMany()", async () => {
      const { push, pull } = await joined();
      const abort = new AbortController();
      const steps = pull[Symbol.asyncIterator]();
      let left = false;
      whenTold("zwire:message:receive", pull, () => {
        abort.abort(new Error("of the subscriber"));
        if (!left) void steps.return?.();
        left = true;
      });
      const step = steps.next();
      const many = pull.receiveMany(5, { signal: abort.signal });
      await push.send("one");
      expect(String((await within(step, "the step")).value)).toBe("one");
      expect(pull.stats.waitingReceives).toBe(0);
      await expect(many).rejects.toThrow("of the subscriber");
      const batch = pull.receiveMany(5);
      await push.send("two");
      expect((await within(batch, "the batch")).map(String)).toEqual(["two"]);
      expect(pull.stats.waitingReceives).toBe(0);
    });

    it("may close the socket that receives: the receive has its message", async () => {
      const { push, pull } = await joined();
      whenTold("zwire:message:receive", pull, () => void pull.close());
      const receiving = pull.receive();
      const behind = expect(pull.receive()).rejects.toMatchObject({ code: "EBADF" });
      await push.send("one");
      expect(String(await within(receiving, "the message"))).toBe("one");
      await behind;
      expect(pull.stats).toMatchObject({ waitingReceives: 0, droppedUnread: 0, messagesReceived: 1 });
    });

    it.each(["abort", "close"] as const)(
      "may %s when a send that waited goes: it has been sent",
      async (how) => {
        const [push, pull] = [managed(new Push({ sendHighWaterMark: 1 })), managed(new Pull())];
        const abort = new AbortController();
        whenTold("zwire:message:send", push, () => {
          if (how === "abort") abort.abort(new Error("of the subscriber"));
          else void push.close();
        });
        const sending = push.send("late", { signal: abort.signal });
        expect(push.stats.sendQueue).toBe(1);
        const bound = await pull.bind(at());
        push.connect(bound);
        await within(sending, "sent");
        expect(String(await within(pull.receive(), "the message"))).toBe("late");
        expect(push.stats.sendQueue).toBe(0);
        if (how === "close") return;
        await push.send("later");
        expect(String(await within(pull.receive(), "the next"))).toBe("later");
      },
    );
  });

  it("a subscriber that throws does not stop the message", async () => {
    const others = process.listeners("uncaughtException");
    for (const other of others) process.off("uncaughtException", other);
    onTestFinished(() => {
      for (const other of others) process.on("uncaughtException", other);
    });
    const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
    const throwing = (): void => {
      throw new Error("of the subscriber");
    };
    subscribe("zwire:message:receive", throwing);
    onTestFinished(() => void unsubscribe("zwire:message:receive", throwing));
    const [dealer, router] = [managed(new Dealer()), managed(new Router())];
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    await dealer.send("hello");
    expect(String((await router.receive())[1])).toBe("hello");
    expect(await within(thrown, "thrown")).toMatchObject({ message: "of the subscriber" });
  });
});

describe("the list of sockets", () => {
  it("has open sockets only, without those of refused constructors", async () => {
    const before = [...listedSockets()].length;
    expect(() => new Push({ wrong: 1 } as object)).toThrow(TypeError);
    const push = new Push();
    expect([...listedSockets()].at(-1)).toMatchObject({ type: "PUSH" });
    await push.close();
    expect([...listedSockets()]).toHaveLength(before);
  });

  it("does not keep a socket that the program has forgotten", async () => {
    const before = [...listedSockets()].length;
    const sockets = context.sockets;
    (() => {
      for (let i = 0; i < 50; i++) new Pull();
    })();
    await until(() => {
      (globalThis as unknown as { gc(): void }).gc();
      return [...listedSockets()].length === before && context.sockets === sockets;
    }, "collected");
  });
});
