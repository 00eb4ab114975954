/**
 * What the documents and examples of rpc promise, run as a reader would run it: the programs of docs/rpc.md, and
 * the web example's check of itself. Knows them by their text.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort, temporaryDirectory, until } from "../support/helpers.js";
import { python, withPython } from "../support/python-rpc.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

interface Running {
  readonly child: ChildProcess;
  output: string;
  readonly ended: Promise<number | null>;
}

function start(command: string, args: string[], cwd: string): Running {
  const env = { ...process.env, PYTHONPATH: join(ROOT, "examples/python"), PYTHONDONTWRITEBYTECODE: "1" };
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGTERM");
  });
  const ended = new Promise<number | null>((settle) => child.once("close", settle));
  const running: Running = { child, output: "", ended };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (running.output += text));
  }
  return running;
}

describe.skipIf(python.command === null)(`examples of rpc, ${withPython}`, () => {
  let blocks: { language: string; text: string }[];

  beforeAll(() => {
    const document = readFileSync(join(ROOT, "docs/rpc.md"), "utf8");
    const section = /^## Node calls Python[\s\S]*?(?=^## )/m.exec(document)![0];
    blocks = [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
      language,
      text,
    }));
    expect(blocks.map(({ language }) => language)).toEqual(["python", "js", "js", "python"]);
  });

  /** A folder in which `zwire` is installed. */
  function consumer(): string {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules", "zwire"));
    return folder;
  }

  it("docs/rpc.md: Node calls Python, in ten lines each", async () => {
    const folder = consumer();
    writeFileSync(join(folder, "worker.py"), blocks[0].text);
    writeFileSync(join(folder, "main.mjs"), blocks[1].text);
    const run = start(process.execPath, ["main.mjs"], folder);
    expect(await run.ended, run.output).toBe(0);
    expect(run.output).toMatch(/^\{ median: 2.5, deviation: 4.08\d* \}\n0\n1\n2\n$/);
  });

  it("docs/rpc.md: Python calls Node, in ten lines each", async () => {
    const folder = consumer();
    const endpoint = await freePort();
    const own = ({ text }: { text: string }): string => text.replaceAll("tcp://127.0.0.1:4242", endpoint);
    writeFileSync(join(folder, "server.mjs"), own(blocks[2]));
    writeFileSync(join(folder, "client.py"), own(blocks[3]));
    start(process.execPath, ["server.mjs"], folder);
    const client = start(python.command!, ["client.py"], folder);
    expect(await client.ended, client.output).toBe(0);
    expect(client.output).toBe("hello Python\n0\n1\n2\n");
  });

  it("the web service with Python inside checks itself, and leaves nothing behind", async () => {
    const web = start(process.execPath, [join(ROOT, "examples/rpc-web/main.mjs"), "--check"], ROOT);
    expect(await web.ended, web.output).toBe(0);
    expect(web.output).not.toContain("FAIL");
    expect(web.output.match(/^ok {3}/gm)?.length).toBeGreaterThanOrEqual(8);
    const pids = /workers: (\d+), (\d+)/.exec(web.output)!.slice(1).map(Number);
    await until(() => pids.every((pid) => !isAlive(pid)), "the end of the workers");
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
