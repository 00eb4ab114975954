/** Worker threads that come and go in one process (support/children/workers.mjs). */
import { expect } from "vitest";
import { startChild } from "../child.js";

/** @param total workers; @param mode "traffic": each is terminated while messages flow; "start": at any point of its start */
export async function comeAndGo(total: number, mode: "traffic" | "start") {
  const child = startChild("workers.mjs", [`${total}`, "4", mode], ["--expose-gc"]);
  const { code, signal, stderr } = await child.ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
  const done = child.lines.at(-1) as { started: number; flowed: number; failures: string[]; grown: number };
  expect(done.failures).toEqual([]);
  expect(done.started).toBe(total);
  return done;
}
