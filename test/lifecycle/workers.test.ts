/**
 * Worker threads: a worker can be terminated at any moment, and many of them can come and go in one process.
 */
import { expect, it } from "vitest";
import { comeAndGo } from "../support/suites/workers.js";

it("worker.terminate() in mid-traffic never crashes", async () => {
  const { flowed } = await comeAndGo(12, "traffic");
  expect(flowed).toBe(12);
});

it("60 workers are created and terminated, at every point of their start", async () => {
  const { grown } = await comeAndGo(60, "start");
  expect(grown).toBeLessThan(128 * 1024 ** 2);
});
