/**
 * A socket where Node expects an emitter: every method of one, and what Node's own helpers do with it.
 */
import { EventEmitter, getEventListeners, on, once } from "node:events";
import { describe, expect, it } from "vitest";
import { coreOf } from "../../src/api/socket.js";
import { type Message, Pair, Pull, Push } from "../../src/index.js";
import { managed, settled, texts, until, within } from "../support/helpers.js";

let names = 0;

/** A Pull, and a Push that has it for a peer. */
async function joined(): Promise<{ pull: Pull; push: Push }> {
  const [pull, push] = [managed(new Pull()), managed(new Push())];
  push.connect(await pull.bind(`inproc://emitter-${names++}`));
  await within(push.connected(), "connected");
  return { pull, push };
}

describe("a socket as a Node emitter", () => {
  it("has every method of one", () => {
    const methods = Object.getOwnPropertyNames(EventEmitter.prototype).filter(
      (name) =>
        name !== "constructor" &&
        typeof (EventEmitter.prototype as unknown as Record<string, unknown>)[name] === "function",
    );
    expect(methods).toContain("prependOnceListener");
    const socket = managed(new Pull()) as unknown as Record<string, unknown>;
    expect(methods.filter((name) => typeof socket[name] !== "function")).toEqual([]);
  });

  it("events.once(socket, 'message') gives one message and leaves the next one queued", async () => {
    const { pull, push } = await joined();
    const first = once(pull, "message");
    await push.sendMany(["a", "b"]);
    const [message] = (await within(first, "the message")) as [Message];
    expect(texts(message)).toEqual(["a"]);
    expect(["message", "error"].map((name) => pull.listenerCount(name))).toEqual([0, 0]);
    expect(texts(await within(pull.receive(), "the next"))).toEqual(["b"]);
  });

  it("events.once(socket, 'message') given up by its signal takes no message", async () => {
    const { pull, push } = await joined();
    const controller = new AbortController();
    const given = once(pull, "message", { signal: controller.signal });
    controller.abort();
    await expect(given).rejects.toMatchObject({ name: "AbortError" });
    await push.send("kept");
    expect(texts(await within(pull.receive(), "the message"))).toEqual(["kept"]);
  });

  it("events.once(socket, 'bind') tells an event", async () => {
    const pull = managed(new Pull());
    const told = once(pull, "bind");
    const address = await pull.bind("inproc://told-once");
    expect((await within(told, "bind"))[0]).toMatchObject({ type: "bind", address });
  });

  it("events.on(socket, 'message') iterates, and gives the messages free when it is left", async () => {
    const { pull, push } = await joined();
    await push.sendMany(["a", "b"]);
    const seen: string[] = [];
    for await (const [message] of on(pull, "message")) {
      seen.push(...texts(message as Message));
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(["a", "b"]);
    expect(getEventListeners(pull as unknown as EventEmitter, "message")).toEqual([]);
    await push.send("c");
    expect(texts(await within(pull.receive(), "the next"))).toEqual(["c"]);
  });

  it("'error' may be listened to, and is never told", async () => {
    const pull = managed(new Pull());
    const told: unknown[] = [];
    expect(pull.on("error", (error) => told.push(error))).toBe(pull);
    await expect(pull.bind("tcp://nowhere.invalid:1")).rejects.toThrow();
    await pull.close();
    expect(told).toEqual([]);
    expect(() => pull.emit("error", new Error("the program's own"))).not.toThrow();
    expect(String(told)).toBe("Error: the program's own");
  });

  it("names that a socket does not tell are still refused", () => {
    const push = managed(new Push());
    for (const name of ["mesage", "message", "data"]) {
      for (const add of ["on", "once", "prependListener", "prependOnceListener", "addListener"] as const) {
        expect(() => push[add](name as "bind", () => {})).toThrow(
          new TypeError(`this socket has no event "${name}"`),
        );
      }
    }
    expect(() => push.on("bind", null as never)).toThrow("listener must be a function");
  });

  it("calls listeners with itself as this, in the order asked for, those of once() one time", async () => {
    const { pull, push } = await joined();
    const calls: string[] = [];
    pull.on("message", function (this: Pull, message) {
      calls.push(`on ${texts(message)} ${this === pull}`);
    });
    await push.send("1");
    await until(() => calls.length === 1, "one call");
    pull.prependOnceListener("message", function (this: Pull, message) {
      calls.push(`once ${texts(message)} ${this === pull}`);
    });
    await push.sendMany(["2", "3"]);
    await until(() => calls.length === 4, "all calls");
    expect(calls).toEqual(["on 1 true", "once 2 true", "on 2 true", "on 3 true"]);
  });

  it("removeAllListeners() gives messages back to receive()", async () => {
    for (const remove of [
      (pull: Pull) => pull.removeAllListeners(),
      (pull: Pull) => pull.removeAllListeners("message"),
    ]) {
      const { pull, push } = await joined();
      const calls: string[] = [];
      pull.on("message", (message) => calls.push(...texts(message))).on("message", () => calls.push("again"));
      await push.send("a");
      await until(() => calls.length === 2, "both are called");
      remove(pull);
      expect(pull.eventNames()).toEqual([]);
      await push.send("b");
      expect(texts(await within(pull.receive(), "the next"))).toEqual(["b"]);
      expect(calls).toEqual(["a", "again"]);
    }
  });

  it("counts and lists its listeners, and tells of new ones and of removed ones", () => {
    const pair = managed(new Pair());
    const listener = () => {};
    const changes: unknown[] = [];
    pair.on(
      "newListener" as "bind",
      ((name: string, added: unknown) => changes.push("new", name, added)) as never,
    );
    pair.on("removeListener" as "bind", ((name: string) => changes.push("gone", name)) as never);
    changes.length = 0;
    pair.once("bind", listener).on("message", listener);
    expect([pair.listenerCount("bind"), pair.listenerCount("accept")]).toEqual([1, 0]);
    expect([pair.listeners("bind"), pair.rawListeners("bind")[0] === listener]).toEqual([[listener], false]);
    pair.off("bind", listener).removeListener("message", listener);
    expect(changes).toEqual([
      "new",
      "bind",
      listener,
      "new",
      "message",
      listener,
      "gone",
      "bind",
      "gone",
      "message",
    ]);
    expect(pair.setMaxListeners(3).getMaxListeners()).toBe(3);
  });

  it("a listener that is refused, because a receive proxy has the messages, is not kept", async () => {
    const pull = managed(new Pull());
    coreOf(pull).receives!.lend(() => {});
    expect(() => pull.on("message", () => {})).toThrow(expect.objectContaining({ code: "EBUSY" }));
    expect(pull.listenerCount("message")).toBe(0);
    coreOf(pull).receives!.reclaim();
    expect(await settled(pull.receive())).toBe(false);
  });
});
