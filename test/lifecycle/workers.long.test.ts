import { expect, it } from "vitest";
import { comeAndGo } from "../support/suites/workers.js";

it("1,000 workers are created and terminated, at every point of their start", async () => {
  const { grown } = await comeAndGo(1000, "start");
  expect(grown).toBeLessThan(128 * 1024 ** 2);
}, 300_000);

it("200 workers are terminated in mid-traffic, and none takes the process with it", async () => {
  const { flowed } = await comeAndGo(200, "traffic");
  expect(flowed).toBe(200);
}, 300_000);
