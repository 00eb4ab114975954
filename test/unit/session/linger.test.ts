/** Waiting for queues to empty, on an event loop that is busy. */
import { stat } from "node:fs";
import { expect, it } from "vitest";
import { EventLoop } from "../../../src/base/deadline.js";
import { systemRuntime } from "../../../src/base/runtime.js";
import { flushed } from "../../../src/connect/linger.js";
import type { StreamPipe } from "../../../src/engine/stream-pipe.js";
import { ManualLoop } from "../../support/manual-loop.js";

it("a linger of years does not end at once", async () => {
  const pipe = { outboundLength: 1, onEmpty: null as (() => void) | null, endOfTurn() {} };
  const time = new ManualLoop();
  const waiting = flushed([pipe as unknown as StreamPipe], 2 ** 40, new EventLoop(time));
  time.run(1000);
  expect(pipe.onEmpty).not.toBeNull();
  pipe.onEmpty?.();
  await waiting;
});

it("what the kernel took while the program computed is flushed, and not given up", async () => {
  const pipe = { outboundLength: 1, onEmpty: null as (() => void) | null, endOfTurn() {} };
  let emptied = false;
  const waiting = flushed([pipe as unknown as StreamPipe], 30, systemRuntime.loop);
  stat(".", () => {
    emptied = pipe.onEmpty !== null; // null: given up
    pipe.onEmpty?.();
  });
  const until = performance.now() + 60;
  while (performance.now() < until);
  await waiting;
  expect(emptied).toBe(true);
});
