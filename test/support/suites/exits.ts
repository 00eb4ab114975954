/** Processes that end by process.exit() in mid-traffic; test/lifecycle says how many. */
import { expect } from "vitest";
import { startChild } from "../child.js";

/** Twice as many processes as rounds, two at a time. @param environment of each */
export async function exitInTraffic(
  endpoint: string,
  rounds: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const ends = await Promise.all(
      [0, 1].map(() => startChild("exits.mjs", ["exit", endpoint], [], environment).ended),
    );
    for (const { code, signal, stderr } of ends)
      expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: "" });
  }
}
