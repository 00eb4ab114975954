/** Closing the addon's streams and acceptors, from anywhere, and what they let go of then. */
import { describe, expect, it } from "vitest";
import type { NativeStreamHandle } from "../../../src/transport/native/addon.js";
import { until } from "../../support/helpers.js";
import {
  binding,
  collected,
  DEFAULTS,
  frame,
  listen,
  MEBIBYTE,
  native,
  pattern,
  Side,
} from "../../support/native-sides.js";

describe("closing", () => {
  it.each(["onConnect", "onBytes", "onFrames", "onLargeFrame", "onDrain", "onClose"])(
    "may happen inside %s, and nothing follows",
    async (name) => {
      const listener = listen();
      const near = new Side();
      let after = -1;
      const closing = (side: Side) => (called: string) => {
        if (called !== name) return;
        side.handle.close();
        side.handle.close();
        after = side.calls.length;
      };
      near.during = closing(near);
      near.handle.connectTcp("127.0.0.1", listener.port, DEFAULTS);
      await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
      const far = listener.accepted[0];
      far.during = closing(far);
      if (name !== "onConnect") {
        near.handle.start();
        if (name === "onBytes") far.handle.start();
        else far.decode();
        const large = name === "onFrames" ? [] : [frame(pattern(3 * MEBIBYTE))];
        near.handle.writev([frame("small"), ...large, frame(pattern(MEBIBYTE)), frame("last")]);
        if (name === "onDrain" && near.drains === 0) far.handle.resume();
        if (name === "onClose") await until(() => far.frames.length === 4, "frames");
        if (name === "onClose") near.handle.close();
      }
      await until(() => after >= 0, name);
      for (let i = 0; i < 10; i++) await new Promise(setImmediate);
      const closed = [near, far].find((side) => side.calls.includes(name)) as Side;
      expect(closed.calls.length).toBe(after);
      expect(closed.handle.write(Buffer.from("x"))).toBeLessThan(0);
      expect(closed.handle.remoteAddress()).toBe("");
    },
  );

  it("may happen inside onAccept, of the stream and of the acceptor", async () => {
    const listener = listen();
    listener.during = (stream) => {
      stream?.close();
      listener.handle.close();
    };
    const near = new Side();
    near.handle.connectTcp("127.0.0.1", listener.port, DEFAULTS);
    await until(() => near.connects.length > 0, "connection");
    near.handle.start();
    await until(() => near.closes.length > 0, "end");
    expect(listener.accepted.length).toBe(1);
  });

  it.each([
    [
      "a connect that fails at once",
      (s: NativeStreamHandle) => s.connectPipe("/nonexistent/zwire", DEFAULTS),
    ],
    ["a connect under way", (s: NativeStreamHandle) => s.connectTcp("127.0.0.1", 9, DEFAULTS)],
    ["no connect at all", () => 0],
  ])("lets go of the owner after %s", async (_name, begin) => {
    const owners = Array.from({ length: 20 }, () => {
      const handle = new native.Stream(binding);
      const owner = { handle, onConnect() {}, ballast: Buffer.alloc(1000) };
      handle.setOwner(owner);
      begin(handle);
      handle.close();
      return new WeakRef(owner);
    });
    await collected("owners gone", () => owners.every((owner) => owner.deref() === undefined));
  });

  it("lets go of an acceptor's owner after a listen that fails", async () => {
    const owners = Array.from({ length: 20 }, () => {
      const handle = new native.Acceptor(binding);
      const owner = { handle, onAccept() {} };
      handle.setOwner(owner);
      expect(handle.listenTcp("192.0.2.1", 0, 10, true, DEFAULTS)).toBeLessThan(0);
      handle.close();
      return new WeakRef(owner);
    });
    await collected("owners gone", () => owners.every((owner) => owner.deref() === undefined));
  });
});
