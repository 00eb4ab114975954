/**
 * Corners that programs' own tests look at: texts of errors, exports by require(), warnings, groups, what a close does to
 * who waits. The two libraries print the same (children/edges-child.mjs).
 */
import { expect, it } from "vitest";
import { runLibrary, runOriginal } from "./support.js";

it("says and does the same in the corners of the surface", async () => {
  const [upstream, zwire] = await Promise.all([
    runOriginal("edges-child.mjs", ""),
    runLibrary("edges-child.mjs", "zwire", ""),
  ]);
  expect(upstream.code, upstream.stderr).toBe(0);
  expect(upstream.stdout.split("\n").length, upstream.stderr).toBeGreaterThan(90);
  expect((zwire.stdout + zwire.stderr).split("\n")).toEqual(upstream.stdout.split("\n"));
});
