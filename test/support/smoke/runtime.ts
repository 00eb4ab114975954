/** Runs smoke.mjs in a runtime. Knows no sockets. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const DIST = new URL("../../../dist", import.meta.url).href;
const PROGRAM = fileURLToPath(new URL("smoke.mjs", import.meta.url));

/** All that the program says it has done. */
export const ALL = [
  ...["tcp", "ipc", "inproc"].flatMap((scheme) =>
    ["pipeline", "requests", "topics", "calls"].map((what) => `${what} ${scheme}`),
  ),
  "sealed tcp",
];

/** The engine that it got, once it has done everything and ended by itself. */
export async function smoke(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, [...args, PROGRAM, DIST], { env: { ...process.env, ZWIRE_ENGINE: "" } });
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (output += text));
  const code = await new Promise((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", reject);
  });
  expect(code, output).toBe(0);
  const line = output.split("\n").find((text) => text.startsWith("{")) ?? "{}";
  const { done, engine } = JSON.parse(line);
  expect(done, output).toEqual(ALL);
  return engine;
}
