/** libzmq's tools of performance, as peers/perf.c has them, built with the machine's compiler. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const SOURCE = fileURLToPath(new URL("./peers/perf.c", import.meta.url));

/** Why the tools cannot be built; null if they can. */
export function toolsReason(): string | null {
  const run = spawnSync("cc", ["-E", "-"], { input: "#include <zmq.h>\n", encoding: "utf8" });
  return run.status === 0
    ? null
    : `no C compiler with zmq.h (libzmq3-dev): ${run.error?.message ?? run.stderr}`;
}

/** Builds them. @returns the path of the program, and what removes it */
export async function buildTools(): Promise<{ readonly path: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "zwire-perf-"));
  const path = join(folder, "perf");
  await promisify(execFile)("cc", ["-O2", "-o", path, SOURCE, "-lzmq"]);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export type Tool = "local_thr" | "remote_thr" | "local_lat" | "remote_lat";

/** Starts a tool. It is killed when the test ends. */
export function startTool(path: string, tool: Tool, endpoint: string, size: number, count: number) {
  const child = spawn(path, [tool, endpoint, `${size}`, `${count}`], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += chunk;
      wake();
    });
  const ended = new Promise<{ code: number | null; text: string }>((resolve) =>
    child.once("close", (code) => {
      resolve({ code, text });
      wake();
    }),
  );
  /** Where a local tool is bound. */
  const endpointOf = async (): Promise<string> => {
    for (;;) {
      const [, bound] = /bound to (\S+)\n/.exec(text) ?? [];
      if (bound !== undefined) return bound;
      if (child.exitCode !== null) throw new Error(`the tool ended: ${text}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { child, ended, endpoint: endpointOf };
}
