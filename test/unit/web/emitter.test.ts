/** A page's emitter does what node:events does, for all that sockets use of it. */
import { EventEmitter as NodeEmitter } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { EventEmitter as PageEmitter } from "../../../src/web/emitter.js";
import { randomFrom } from "../../support/random.js";

/** An object with the methods of an emitter, as a socket has them. */
function emitter(base: unknown): NodeEmitter {
  const made = Object.create((base as { prototype: object }).prototype) as NodeEmitter;
  (base as (this: object) => void).call(made);
  return made;
}

const pair = () => [emitter(PageEmitter), emitter(NodeEmitter)];

/** What a program does with both, and what it sees of each. */
function same(run: (emitter: NodeEmitter, log: unknown[]) => void): unknown[] {
  const [ours, theirs] = pair().map((one) => {
    const log: unknown[] = [];
    run(one, log);
    return log;
  });
  expect(ours).toEqual(theirs);
  return ours;
}

describe("an emitter of a page against node:events", () => {
  it("is the same for random listeners that are added, removed and called", () => {
    for (let seed = 0; seed < 200; seed++) {
      same((one, log) => {
        const random = randomFrom(seed);
        const listeners = Array.from(
          { length: 4 },
          (_, i) =>
            function (this: unknown, ...args: unknown[]) {
              log.push([i, args, this === one]);
            },
        );
        one.setMaxListeners(0);
        for (let step = 0; step < 60; step++) {
          const name = ["a", "b"][random(2)];
          const listener = listeners[random(4)];
          const act = random(7);
          if (act === 0) one.on(name, listener);
          else if (act === 1) one.prependListener(name, listener);
          else if (act === 2) one.once(name, listener);
          else if (act === 3) one.prependOnceListener(name, listener);
          else if (act === 4) one.removeListener(name, listener);
          else if (act === 5) log.push(one.emit(name, step, random(9)));
          else if (random(5) === 0) one.removeAllListeners(name);
          log.push(
            one.listenerCount(name),
            one.listeners(name).map((one) => listeners.indexOf(one as (typeof listeners)[0])),
            one.rawListeners(name).length,
            [...one.eventNames()].sort(),
          );
        }
      });
    }
  });

  it("calls those that were there when it began, whatever they do", () => {
    same((one, log) => {
      const second = () => log.push("second");
      one.on("a", () => {
        log.push("first");
        one.removeListener("a", second);
        one.on("a", () => log.push("late"));
      });
      one.on("a", second);
      one.emit("a");
      one.emit("a");
    });
  });

  it("calls a `once` once, even where its call emits again", () => {
    expect(
      same((one, log) => {
        one.on("a", (depth: number) => {
          if (depth > 0) one.emit("a", depth - 1);
        });
        one.once("a", (depth: number) => log.push(depth));
        one.emit("a", 2);
      }),
    ).toEqual([0]);
  });

  it("tells of new and removed listeners, with the function that was given", () => {
    same((one, log) => {
      const listener = () => {};
      one.on("newListener", (name, given) =>
        log.push("new", name, given === listener, one.listenerCount("a")),
      );
      one.on("removeListener", (name, given) => log.push("removed", name, given === listener));
      one.on("a", listener);
      one.removeListener("a", listener);
      one.once("a", listener);
      one.emit("a");
      one.on("b", listener);
      one.on("b", listener);
      one.removeAllListeners("b");
    });
  });

  it("throws an error that nobody listens to, and what a listener throws", () => {
    for (const one of pair()) {
      expect(() => one.emit("error", new Error("unheard"))).toThrow("unheard");
      one.on("error", () => {});
      expect(one.emit("error", new Error("heard"))).toBe(true);
      one.on("a", () => {
        throw new Error("thrown");
      });
      expect(() => one.emit("a")).toThrow("thrown");
      expect(one.emit("nothing")).toBe(false);
    }
  });

  it("warns once of more listeners than setMaxListeners allows", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const one = emitter(PageEmitter);
    expect(one.getMaxListeners()).toBe(10);
    one.setMaxListeners(2);
    for (let i = 0; i < 5; i++) one.on("a", () => {});
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^3 listeners for "a"/)]]);
    one.setMaxListeners(0);
    for (let i = 0; i < 50; i++) one.on("b", () => {});
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});
