/**
 * Worker threads: a worker can be terminated at any moment, and a thousand of them can come and go in one process.
 */
import { expect, it } from "vitest";
import { startChild } from "../support/child.js";

async function run(total: number, mode: "traffic" | "start") {
  const child = startChild("workers.mjs", [`${total}`, "4", mode], ["--expose-gc"]);
  const { code, signal, stderr } = await child.ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  const done = child.lines.at(-1) as { started: number; flowed: number; failures: string[]; grown: number };
  expect(done.failures).toEqual([]);
  expect(done.started).toBe(total);
  return done;
}

it("worker.terminate() in mid-traffic never crashes", async () => {
  const { flowed } = await run(60, "traffic");
  expect(flowed).toBe(60);
});

it("1,000 workers are created and terminated, at every point of their start", async () => {
  const { grown } = await run(1000, "start");
  expect(grown).toBeLessThan(128 * 1024 ** 2);
}, 300_000);
