/**
 * Every program in the documents runs as printed, in a folder where zwire is installed: complete, with its imports, and it
 * ends by itself with nothing on stderr. A block is a program if its language is `js`. Python blocks are compiled, `json`
 * blocks parsed. Those that need Python run where there is one. Links between the documents lead somewhere.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { Reply } from "../../src/index.js";
import { managed } from "../support/helpers.js";
import { python, withPython } from "../support/python-rpc.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
/** Only a program that does not end takes this long. */
const PATIENCE_MS = 30_000;

const home = mkdtempSync(join(tmpdir(), "zwire-reader-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(home, "node_modules"));
symlinkSync(ROOT, join(home, "node_modules", "zwire"));
for (const name of ["express", "fastify", "@opentelemetry"])
  symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name));
writeFileSync(
  join(home, "worker.py"),
  `import statistics, zwire_rpc
server = zwire_rpc.Server()
server.expose(lambda a, b: a + b, name="add")
@server.expose
def spread(numbers):
    return {"median": statistics.median(numbers), "deviation": statistics.stdev(numbers)}
@server.expose
def count(n):
    yield from range(n)
server.run()
`,
);

interface Block {
  readonly title: string;
  readonly language: string;
  readonly text: string;
}

/** Languages of blocks that are no programs of ours: shown, and not run. */
const SHOWN = ["", "diff", "dockerfile", "html", "ini", "mermaid", "sh", "text", "ts", "yaml"];

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  "CODE_OF_CONDUCT.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith(".") && !name.includes("node_modules"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`),
].filter((name) => name.endsWith(".md"));
const texts = new Map(documents.map((name) => [name, readFileSync(join(ROOT, name), "utf8")]));
const everyBlock: Block[] = [...texts].flatMap(([name, document]) =>
  [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: text, index }) => {
    const before = document.slice(0, index);
    return { title: `${name} line ${before.split("\n").length + 1}`, language, text };
  }),
);
const inLanguage = (language: string): Block[] => everyBlock.filter((block) => block.language === language);
const blocks = inLanguage("js");

const needsPython = ({ text }: Block): boolean => text.includes("spawnPython");
const asksPython = ({ text }: Block): boolean => text.includes("tcp://127.0.0.1:5557");
/** Servers, which run until they are ended: test/rpc/examples.test.ts has a client for the one. */
const serves = ({ text }: Block): boolean => text.includes("tcp://127.0.0.1:4242");
/** Services, whose first line says so: they print "ready", and a signal ends them. */
const SERVICE = /^\/\/ \S+\.m?js: runs until (SIG\w+)/;
const isService = ({ text }: Block): boolean => SERVICE.test(text);

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the program prints, and how it ends; null: not at all. A signal is sent once it has printed "ready". */
async function run(text: string, signal?: NodeJS.Signals): Promise<Run> {
  const file = join(home, text.includes("require(") ? "main.cjs" : "main.mjs");
  writeFileSync(file, text);
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", NODE_OPTIONS: "" };
  const child: ChildProcess = spawn(process.execPath, ["--no-warnings", file], {
    cwd: home,
    env,
    timeout: PATIENCE_MS,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    if (signal === undefined || !stdout.includes("ready")) return;
    child.kill(signal);
    signal = undefined; // once
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const status = await new Promise<number | null>((ended) => child.once("close", ended));
  return { status, stdout, stderr };
}

/** What a comment behind console.log promises; "…" stands for anything. */
function promised(text: string): string[] {
  return [...text.matchAll(/console\.log\(.*?\);[^\S\n]*\/\/ (\S.*)/g)].map(([, said]) =>
    said.split("…")[0].trim(),
  );
}

function expectAsPrinted({ text }: Block, { status, stdout, stderr }: Run): void {
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  for (const said of promised(text)) expect(stdout.replaceAll(/\s+/g, " ")).toContain(said);
}

describe("the programs of the documents", () => {
  it("are found", () => {
    expect(blocks.length).toBeGreaterThan(20);
    expect(
      everyBlock.filter(({ language }) => ![...SHOWN, "js", "json", "python"].includes(language)),
    ).toEqual([]);
    expect([needsPython, asksPython, serves].map((one) => blocks.filter(one).length)).toEqual([2, 1, 1]);
  });

  it("are four in the README, one for each pattern", () => {
    const patterns = [/new Request\b/, /new Publisher\b/, /new Push\b/, /"zwire\/rpc"/];
    const programs = blocks.filter(({ title }) => title.startsWith("README.md"));
    expect(programs.map(({ text }) => patterns.filter((pattern) => pattern.test(text)).length)).toEqual([
      1, 1, 1, 1,
    ]);
    for (const { text } of programs) expect(text).toMatch(/^import /);
  });

  it.each(inLanguage("json"))("hold JSON: $title", ({ text }) => {
    expect(JSON.parse(text)).toBeTypeOf("object");
  });

  it.each(blocks.filter(isService))("run until they get a signal: $title", async (block) => {
    const [, signal] = SERVICE.exec(block.text) as RegExpExecArray;
    expectAsPrinted(block, await run(block.text, signal as NodeJS.Signals));
  });

  const alone = blocks.filter(
    (block) => ![needsPython, asksPython, serves, isService].some((one) => one(block)),
  );
  it.each(alone)("run as printed: $title", async (block) => {
    expectAsPrinted(block, await run(block.text));
  });

  it.each(blocks.filter(asksPython))("run as printed, with somebody to answer: $title", async (block) => {
    const reply = managed(new Reply());
    const endpoint = await reply.bind("tcp://127.0.0.1:*");
    void reply.receive().then(([question]) => reply.send(`Python heard: ${question}`));
    const ran = await run(block.text.replace("tcp://127.0.0.1:5557", endpoint));
    expect(ran).toEqual({ status: 0, stdout: "Python heard: hello\n", stderr: "" });
  });

  it.skipIf(python.command === null).each(blocks.filter(needsPython))(
    `run as printed, ${withPython}: $title`,
    async (block) => expectAsPrinted(block, await run(block.text)),
  );

  it.skipIf(python.command === null).each(inLanguage("python"))(
    `compile, ${withPython}: $title`,
    ({ text }) => {
      const compiled = spawnSync(
        python.command as string,
        ["-c", "import ast, sys; ast.parse(sys.stdin.read())"],
        {
          input: text,
          encoding: "utf8",
        },
      );
      expect(compiled.stderr).toBe("");
    },
  );
});

/** The anchor that GitHub makes of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

/** The anchors of a document's headings; comments in programs look like headings, so programs are left out. */
function anchorsOf(document: string): string[] {
  const prose = document.replaceAll(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading));
}

describe("the links of the documents", () => {
  it.each(documents)("lead somewhere: %s", (name) => {
    const prose = (texts.get(name) as string).replaceAll(/^```.*?^```$/gms, "");
    const broken = [...prose.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].filter(
      ([, path, anchor]) => {
        const target = path === "" ? join(ROOT, name) : resolve(ROOT, dirname(name), path);
        if (!existsSync(target)) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(target, "utf8")).includes(anchor);
      },
    );
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});
