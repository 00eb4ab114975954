/** Workers of node:cluster: each has endpoints of its own, on either engine. */
import { expect, it } from "vitest";
import { startChild } from "../support/child.js";

it("two workers that bind a free port or path get different ones, and the messages that are sent there", async () => {
  const child = startChild("cluster.mjs");
  const { code, stderr } = await child.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { bound } = child.lines[0] as {
    bound: { endpoints: string[]; taken: string | null; got: string[] }[];
  };
  expect(new Set(bound.flatMap(({ endpoints }) => endpoints)).size).toBe(8);
  expect(bound.map(({ taken }) => taken)).toEqual([null, "EADDRINUSE"]);
  expect(bound.map(({ got }) => got)).toEqual([Array(40).fill("1"), Array(40).fill("2")]);
});
