/**
 * The demo over a small folder: it counts right, and the death of a worker neither hangs it nor goes unnoticed. Knows
 * the demo by what it prints.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../../examples/pipeline/main.mjs", import.meta.url));
const FILES = 600;
let folder: string;
const expected = { lines: 0, words: 0, bytes: 0 };

function add(path: string, content: string | Buffer, lines: number, words: number): void {
  writeFileSync(join(folder, path), content);
  expected.lines += lines;
  expected.words += words;
  expected.bytes += Buffer.byteLength(content);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zwire-demo-"));
  mkdirSync(join(folder, "deep", "er"), { recursive: true });
  add("empty", "", 0, 0);
  add("no newline at the end", "two words", 0, 2);
  add("deep/ümläut.txt", "\n\n a\tb\r\nc\v\fd \n", 4, 4);
  add("deep/er/octets", Buffer.from([0, 255, 32, 133, 160, 28, 10]), 1, 2); // 133, 160 and 28 are space to others
  // Larger than what is read at once, with a word across the edge.
  add("deep/large", `${"x".repeat(1024 * 1024 - 2)}yyyy z\n`, 1, 2);
  for (let i = 5; i < FILES; i++) add(`deep/er/${i}`, `file number ${i}\n`.repeat(200), 200, 600);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the demo to its end. */
function demo(...args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, folder, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** Files, lines, words, bytes of a row of the table. Numbers are grouped by single spaces, columns stand further apart. */
function row(output: string, name: string): number[] {
  const line = output.split("\n").find((text) => text.startsWith(`${name} `)) ?? "";
  const cells = line.slice(name.length).trim().split(/ {2,}/);
  return cells.slice(0, 4).map((cell) => Number(cell.replaceAll(" ", "")));
}

describe("the demo", () => {
  it("counts every file of a folder, as one process does, and exits 0", async () => {
    const { code, output } = await demo();
    const all = [FILES, expected.lines, expected.words, expected.bytes];
    expect(row(output, "all workers"), output).toEqual(all);
    expect(row(output, "one process"), output).toEqual(all);
    expect(output).toContain(`totals agree: ${FILES} files counted`);
    expect(output).toMatch(
      /^workers: two Node processes (and one Python \d|; no Python with pyzmq was found)/m,
    );
    expect(output).toMatch(/^status: \d+ of 600 files, node-1 \d+/m);
    const share = ["node-1", "node-2", "python-1"]
      .map((name) => row(output, name)[0])
      .filter(Number.isFinite);
    expect(share.reduce((sum, files) => sum + files)).toBe(FILES);
    expect(code, output).toBe(0);
  });

  it("names what is lost with a worker that is killed half way, and accounts for everything else", async () => {
    const { code, output } = await demo("--kill-one");
    expect(output).toMatch(/^node-2 died: SIGKILL$/m);
    const lost = Number(/^lost with a dead worker, (\d+) of 600 files:$/m.exec(output)?.[1] ?? 0);
    const [counted] = row(output, "all workers");
    expect(counted + lost, output).toBe(FILES);
    expect(row(output, "one process"), output).toEqual(row(output, "all workers"));
    expect(output).toContain(`totals agree: ${counted} files counted`);
    if (lost > 0) expect(output).toMatch(/^ {2}\S/m);
    expect(code, output).toBe(0);
  });
});
