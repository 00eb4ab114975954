/** Our modules evaluated twice in one process, as test runners and loaders do. */
import { expect, it } from "vitest";
import { startChild } from "../support/child.js";

it("sockets of two copies of zwire work side by side, whichever was loaded first", async () => {
  const child = startChild("two-copies.mjs");
  const { code, stderr } = await child.ended;
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(child.lines).toEqual([{ received: ["first", "second", "first to second", "second to first"] }]);
});
