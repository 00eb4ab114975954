/**
 * When a process ends of itself: asked of zeromq.js and of zwire/zeromq alike. A socket that is only bound or connected
 * does not keep it alive; an operation that waits does, and so do unsent messages for as long as their socket lingers.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { engine, Pull } from "../../src/index.js";
import { managed, texts, within } from "../support/helpers.js";
import type { Library } from "./support.js";

/** A child that is alive this long after it had nothing more to do stays alive. */
const STAYS_MS = 1500;
/** One that is to end may take longer on a busy machine. */
const ENDS_MS = 30_000;

interface End {
  readonly stays: boolean;
  readonly code: number | null;
  readonly stdout: string;
  /** What lies in its temporary folder afterwards. */
  readonly left: readonly string[];
}

function run(library: Library, scenario: string, patienceMs: number): Promise<End> {
  const path = fileURLToPath(new URL("children/process-end-child.mjs", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "end-"));
  const child = spawn(process.execPath, ["--no-warnings", path, library, scenario], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, TMPDIR: folder },
  });
  let stdout = "";
  let stays = false;
  let patience: NodeJS.Timeout | undefined;
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    if (!stdout.includes("ready") || patience !== undefined) return;
    patience = setTimeout(() => {
      stays = child.exitCode === null;
      child.kill("SIGKILL");
    }, patienceMs);
  });
  return new Promise((resolve) =>
    child.once("close", (code) => {
      clearTimeout(patience);
      const left = readdirSync(folder);
      rmSync(folder, { recursive: true });
      resolve({ left, stays, code, stdout });
    }),
  );
}

const ENDS = [
  "bound",
  "bound over inproc",
  "connected",
  "connected over inproc",
  "subscriber",
  "talked",
  "receiving with a time-out",
  "unsent, linger 0",
  "unsent, linger 300",
  "unsent and closed, linger 300",
  "unsent and disconnected, linger 300",
  "unsent, not blocky",
];
const STAYS = [
  "receiving",
  "receiving, unconnected",
  "sending",
  "iterating",
  "reading events",
  "listening to events",
  "running a proxy",
  "unsent",
  "unsent and closed",
  "unsent and disconnected",
  "unsent, disconnected and closed",
  "unsent, own context",
];

/** zeromq.js is the same beside either engine, and so is asked on one. */
const LIBRARIES: readonly Library[] = engine() === "native" ? ["zeromq", "zwire"] : ["zwire"];

describe.each(LIBRARIES)("the end of a process with %s", (library) => {
  it.concurrent.each(ENDS)("comes when a socket is %s", async (scenario) => {
    const end = await run(library, scenario, ENDS_MS);
    expect(end).toMatchObject({ stays: false, code: 0 });
    if (scenario.includes("time-out")) expect(end.stdout).toContain("EAGAIN");
  });

  it.concurrent("leaves no directory of ipc://* behind", async () => {
    const end = await run(library, "bound over ipc", ENDS_MS);
    // libzmq leaves the file of a path that the program chose.
    const left = library === "zeromq" ? ["named"] : [];
    expect(end).toMatchObject({ stays: false, code: 0, left });
    expect(end.stdout.match(/^\/.*\/(?:socket|named)$/gm)).toHaveLength(2);
  });

  it.concurrent.each(STAYS)("does not come when a socket is %s", async (scenario) => {
    expect(await run(library, scenario, STAYS_MS)).toMatchObject({ stays: true });
  });

  it.concurrent("comes at once by process.exit(), whatever is unsent", async () => {
    expect(await run(library, "unsent, process.exit()", ENDS_MS)).toMatchObject({ stays: false, code: 3 });
  });

  it.concurrent("comes at once by an error, whatever is unsent", async () => {
    expect(await run(library, "unsent, an error", ENDS_MS)).toMatchObject({ stays: false, code: 1 });
  });
});

/** The first line on stderr that does not name the process. */
async function warned(library: Library, scenario: string): Promise<string> {
  const path = fileURLToPath(new URL("children/process-end-child.mjs", import.meta.url));
  const child = spawn(process.execPath, [path, library, scenario], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  for await (const chunk of child.stderr) {
    said += chunk;
    if (said.includes("delivered.") && said.includes("\n")) break;
  }
  child.kill("SIGKILL");
  return (
    said
      .split("\n")
      .find((line) => line.includes("delivered."))
      ?.replace(/^.*?warning: /i, "") ?? said
  );
}

describe("the warning of messages that nobody takes", () => {
  it.concurrent.each(["unsent", "unsent, own context"])("has zeromq.js's words: %s", async (scenario) => {
    const [upstream, zwire] = await Promise.all([warned("zeromq", scenario), warned("zwire", scenario)]);
    expect(upstream).toContain("queued ZeroMQ messages");
    expect(zwire).toBe(upstream);
  });
});

const SENDER = `
  const { Push } = await import(process.argv[1]);
  const push = new Push();
  push.connect(process.argv[2]);
  for (let i = 0; i < 900; i++) await push.send(String(i));
  if (process.argv[3] === "close") push.close();
  console.log("sent");
`;

describe("the end of a process", () => {
  it.each(["open", "close"])("waits until a late peer has everything (socket left %s)", async (how) => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    await pull.unbind(endpoint);
    const module = new URL("../../dist/zeromq.js", import.meta.url).href;
    const child = spawn(process.execPath, ["--input-type=module", "-e", SENDER, module, endpoint, how], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await once(child.stdout, "data");
    await pull.bind(endpoint);
    for (let i = 0; i < 900; i++) {
      expect(texts(await within(pull.receive(), `message ${i}`, 20_000))).toEqual([String(i)]);
    }
    expect(await within(ended as Promise<number>, "the child's end", 10_000)).toBe(0);
  });
});
