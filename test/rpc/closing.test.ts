/**
 * Client and server together: calls that are given up, limits of a server, and closing either side.
 */
import { describe, expect, it } from "vitest";
import { Dealer } from "../../src/index.js";
import { CallRefused, LostRemote, method, TimeoutExpired } from "../../src/rpc.js";
import { gate, managed, turns, until, within } from "../support/helpers.js";
import { arr, bin, int } from "../support/msgpack.js";
import { calling, event, newId, ScriptedClient, serving } from "../support/rpc-peers.js";

describe("giving up", () => {
  it.each([
    ["cancel()", (call: { cancel(): void }, _abort: () => void) => call.cancel()],
    ["its signal", (_call: { cancel(): void }, abort: () => void) => abort()],
  ])("a call given up by %s tells the handler, even the very first one", async (_name, giveUp) => {
    const [begun, told] = [gate(), gate<unknown>()];
    const server = await serving({
      slow: method((call) => {
        begun.open();
        return new Promise((_, reject) =>
          call.signal.addEventListener("abort", () => {
            told.open(call.signal.reason);
            reject(new Error("x"));
          }),
        );
      }),
    });
    const api = calling(server.endpoint);
    const controller = new AbortController();
    const call = api.$call("slow", [], { signal: controller.signal });
    call.catch(() => {});
    await begun.opened;
    giveUp(call, () => controller.abort());
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(await within(told.opened, "the handler is told")).toMatchObject({ name: "AbortError" });
    await until(() => server.stats.running === 0, "the handler is done");
    expect(server.stats).toMatchObject({ channels: 0, cancelled: 1 });
  });

  it("a deadline ends the call on both sides, and a call that waits behind others never starts", async () => {
    const started: string[] = [];
    const told = gate<unknown>();
    const server = await serving(
      {
        slow: method((call, name: string) => {
          started.push(name);
          return new Promise((_, reject) => {
            call.signal.addEventListener("abort", () => {
              told.open(call.signal.reason);
              setTimeout(() => reject(new Error("late")), 20);
            });
          });
        }),
        quick: (name: string) => void started.push(name),
      },
      { concurrency: 1 },
    );
    const api = calling(server.endpoint, { timeout: 600 });
    const slow = api.slow("slow").catch((error: unknown) => error);
    const waiting = api.quick("never").catch((error: unknown) => error);
    await until(() => server.stats.waiting === 1, "one runs, one waits");
    expect(await slow).toBeInstanceOf(TimeoutExpired);
    expect(await waiting).toBeInstanceOf(TimeoutExpired);
    expect(await within(told.opened, "the handler is told")).toBeInstanceOf(Error);
    await until(() => server.stats.running === 0, "the place is free");
    await api.quick("after");
    expect(started).toEqual(["slow", "after"]);
  });

  it("an aborted signal rejects before anything is sent, and a signal may serve many calls", async () => {
    const server = await serving({ add: (a: number) => a });
    const api = calling(server.endpoint);
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    await expect(api.$call("add", [1], { signal })).rejects.toBe(reason);
    await expect(api.$stream("add", [1], { signal }).next()).rejects.toBe(reason);
    expect(api.$client.stats).toMatchObject({ waiting: 0, inFlight: 0 });
    const controller = new AbortController();
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on("warning", listener);
    const calls = Array.from({ length: 30 }, (_, i) => api.$call("add", [i], { signal: controller.signal }));
    expect(await Promise.all(calls)).toHaveLength(30);
    await turns(5);
    process.off("warning", listener);
    expect(warnings).toEqual([]);
  });
});

describe("limits and closing", () => {
  it("with concurrency and queueLimit so many calls run, so many wait, others are refused, and built-in methods are answered", async () => {
    const gates: (() => void)[] = [];
    let most = 0;
    const server = await serving(
      {
        hold: () =>
          new Promise<void>((resolve) => {
            gates.push(resolve);
            most = Math.max(most, server.stats.running);
          }),
      },
      { concurrency: 2, queueLimit: 3 },
    );
    const api = calling(server.endpoint);
    const calls = Array.from({ length: 6 }, () => api.hold().catch((error: unknown) => error));
    await until(() => server.stats.refused === 1, "one is refused");
    expect(server.stats).toMatchObject({ running: 2, waiting: 3 });
    expect(await api.$client.ping()).toBe("zwire");
    const opening = setInterval(() => gates.shift()?.(), 1);
    const results = await within(Promise.all(calls), "all calls");
    clearInterval(opening);
    expect(results.filter((one) => one instanceof CallRefused)).toMatchObject([
      { name: "ServerBusy", code: "busy" },
    ]);
    expect([most, server.stats.running, server.stats.waiting]).toEqual([2, 0, 0]);
  });

  it("closing lets running calls and streams finish, and refuses others", async () => {
    const passed = gate();
    const held = gate();
    const server = await serving(
      {
        hold: () => held.opened.then(() => "done"),
        pass: () => passed.opened,
        *count(n: number) {
          for (let i = 0; i < n; i++) yield i;
        },
        quick: () => 1,
      },
      { concurrency: 2 },
    );
    const api = calling(server.endpoint);
    const running = api.hold();
    const stream = api.$stream<number>("count", [500]);
    await stream.next();
    // The stream waits for its reader, and holds no place.
    const passing = api.pass();
    await until(() => server.stats.running === 3, "two calls run beside the stream");
    const waiting = api.quick().catch((error: unknown) => error);
    await until(() => server.stats.waiting === 1, "one waits");
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    expect(await waiting).toBeInstanceOf(CallRefused);
    await expect(api.quick()).rejects.toMatchObject({ name: "ServerClosing", code: "closing" });
    passed.open();
    await passing;
    const items: number[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toHaveLength(499);
    expect(closed).toBe(false);
    held.open();
    expect(await running).toBe("done");
    await within(closing, "the close");
  });

  it("closing aborts what is not done within grace", async () => {
    const aborted = gate<unknown>();
    const server = await serving({
      hold: method(
        (call) =>
          new Promise(() => call.signal.addEventListener("abort", () => aborted.open(call.signal.reason))),
      ),
    });
    const api = calling(server.endpoint);
    const call = api.hold().catch((error: unknown) => error);
    await until(() => server.stats.running === 1, "it runs");
    await within(server.close({ grace: 20, linger: 0 }), "the close");
    expect(await aborted.opened).toMatchObject({ message: "The server is closing" });
    expect(await within(call, "the call fails")).toBeInstanceOf(LostRemote);
  });

  it("closing a client makes calls under way reject, and tells the server", async () => {
    const server = await serving({ never: () => new Promise(() => {}), now: () => 1 });
    const api = calling(server.endpoint);
    await api.now();
    const call = api.never().catch((error: unknown) => error);
    await until(() => server.stats.channels === 1, "it runs");
    await api.$close();
    expect(await call).toBeInstanceOf(LostRemote);
    await until(() => server.stats.channels === 0, "the server knows");
    await expect(api.now()).rejects.toThrow("the client was closed");
  });

  it("a client that leaves without a word frees its calls and streams on the server", async () => {
    const aborted = gate();
    const server = await serving({
      never: method(
        (call) =>
          new Promise((_, reject) =>
            call.signal.addEventListener("abort", () => {
              aborted.open();
              reject(new Error("x"));
            }),
          ),
      ),
      *count() {
        for (let i = 0; ; i++) yield i;
      },
    });
    const staying = calling(server.endpoint);
    const kept = staying.$stream("count");
    await kept.next();
    const leaving = new ScriptedClient(server.endpoint);
    await leaving.say("never", arr());
    await leaving.answer(await leaving.say("count", arr()));
    expect(server.stats.channels).toBe(3);
    await leaving.socket.close({ linger: 0 });
    await within(aborted.opened, "the handler is told");
    await until(
      () => server.stats.channels === 1 && server.stats.running === 1,
      "only the other's stream is left",
    );
    expect((await kept.next()).done).toBe(false);
  });

  it("a client that comes back at once under the same name loses the calls that it had", async () => {
    const server = await serving({
      *count() {
        for (let i = 0; ; i++) yield i;
      },
    });
    const first = new ScriptedClient(server.endpoint, { routingId: "me" });
    for (let i = 0; i < 5; i++) await first.answer(await first.say("count", arr()));
    const dialling = new ScriptedClient(server.endpoint, { routingId: "me", reconnectInterval: 1 });
    await first.socket.close({ linger: 0 });
    await until(() => server.stats.channels === 0 && server.stats.running === 0, "its streams end");
    expect(dialling.heard).toEqual([]);
    const again = new ScriptedClient(server.endpoint, { routingId: "other" });
    expect((await again.call("count")).args).toBe(0);
    expect(server.stats.streams).toBe(1);
  });

  it("closing sends the answers that wait for a slow reader first", async () => {
    const big = Buffer.alloc(200_000, 7);
    const server = await serving({ big: () => big }, { socket: { sendHighWaterMark: 2 } });
    const slow = managed(new Dealer({ receiveHighWaterMark: 1 }));
    slow.connect(server.endpoint);
    for (let i = 0; i < 150; i++)
      await slow.send(["", event({ message_id: bin(newId()), v: int(3) }, "big", arr())]);
    await until(() => server.stats.calls === 150, "all have run");
    const closing = server.close();
    for (let i = 0; i < 150; i++) await slow.receive({ timeout: 5000 });
    await within(closing, "the close");
    expect(server.stats.undelivered).toBe(0);
  });

  it("a client that does not read delays no other", async () => {
    const big = Buffer.alloc(100_000, 7);
    const server = await serving(
      { big: () => big, add: (a: number, b: number) => a + b },
      { socket: { sendHighWaterMark: 4 } },
    );
    const deaf = managed(new Dealer({ receiveHighWaterMark: 1 }));
    deaf.connect(server.endpoint);
    for (let i = 0; i < 300; i++)
      await deaf.send(["", event({ message_id: bin(newId()), v: int(3) }, "big", arr())]);
    const api = calling(server.endpoint);
    for (let i = 0; i < 50; i++) expect(await within(api.add(i, 1), "an answer")).toBe(i + 1);
    for (let i = 0; i < 300; i++)
      expect((await deaf.receive({ timeout: 5000 }))[1].length).toBeGreaterThan(100_000);
    expect(server.stats.undelivered).toBe(0);
  });
});
