/** drain() beside other calls: a second one, close(), an abort, wrong options, its own loop. */
import { describe, expect, it } from "vitest";
import { Publisher, Pull, Push, Reply, Request, Router } from "../../src/index.js";
import { ALL, LONG, numbers, take } from "../support/draining.js";
import { managed, rawConnected, turns, until, within } from "../support/helpers.js";
import { pair } from "../support/pairs.js";
import { message } from "../support/raw-peer.js";

describe("calls", () => {
  it("drain() twice gives the same result, and after close() it waits for that", async () => {
    const pull = managed(new Pull());
    const peer = await rawConnected(await pull.bind("tcp://127.0.0.1:*"), { type: "PUSH" });
    await pull.connected();
    peer.write(message("unread"));
    await until(() => pull.stats.receiveQueue === 1, "it is there");
    // A tenth of the time is for the end of the connection to be seen.
    const drains = [pull.drain({ timeout: 1000 }), pull.drain(LONG)];
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
