/**
 * The built zwire for child processes, and their way to talk to the test: JSON lines on stdout and stdin.
 */
import { createInterface } from "node:readline";

export * from "../../../dist/index.js";

/** Tells the test something. */
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Calls a function for each line from the test, without keeping the process alive for it. */
export function onLine(listener) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => listener(JSON.parse(line)));
  process.stdin.unref?.();
}
