/**
 * Recipes that need packages of others: the files that docs/recipes prints are written to a folder, where NestJS and PM2 are
 * installed from the npm registry, and run as the page says. YAML and Dockerfiles are parsed. Skipped without the registry.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { Push } from "../../src/index.js";
import { managed, until } from "../support/helpers.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const home = mkdtempSync(join(tmpdir(), "zwire-recipes-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Without a registry there is nothing to install, and nothing to test. */
const registry =
  spawnSync("npm", ["view", "yaml", "version", "--fetch-retries", "0"], { encoding: "utf8" }).status === 0;

interface Ran {
  readonly status: number | null;
  readonly output: string;
}

function run(cwd: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: 240_000,
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  return { status, output: stdout + stderr };
}

/** A folder with these packages and zwire. */
function folderWith(name: string, packages: string[]): string {
  const folder = join(home, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true }));
  const installed = run(folder, "npm", ["install", "--no-audit", "--no-fund", ...packages]);
  expect(installed.status, installed.output).toBe(0);
  symlinkSync(ROOT, join(folder, "node_modules", "zwire"));
  return folder;
}

function blocksOf(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, "docs/recipes", page), "utf8");
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, said]) => said === language)
    .map(([, , body]) => body);
}

/** Writes the blocks whose first line is a comment with a file's name. */
function writeFiles(folder: string, blocks: string[]): string[] {
  return blocks.flatMap((block) => {
    const name = /^\/\/ ([\w.-]+\.(?:ts|mjs))/.exec(block)?.[1];
    if (name !== undefined) writeFileSync(join(folder, name), block);
    return name ?? [];
  });
}

describe.skipIf(!registry)("recipes with packages of others", () => {
  it("NestJS: the service and its client compile, and print what the page says", () => {
    const folder = folderWith("nestjs", [
      "@nestjs/common@11",
      "@nestjs/core@11",
      "@nestjs/microservices@11",
      "rxjs@7",
      "reflect-metadata",
      "typescript@5.9",
      "@types/node@22",
    ]);
    expect(writeFiles(folder, blocksOf("nestjs.md", "ts"))).toEqual([
      "zwire.server.ts",
      "zwire.client.ts",
      "main.ts",
    ]);
    const options = ["--module", "nodenext", "--target", "es2023", "--strict", "--skipLibCheck"];
    const decorators = ["--experimentalDecorators", "--emitDecoratorMetadata"];
    const compiled = run(folder, "npx", ["tsc", ...options, ...decorators, "main.ts"]);
    expect(compiled).toEqual({ status: 0, output: "" });
    expect(run(folder, "node", ["main.js"])).toEqual({ status: 0, output: blocksOf("nestjs.md", "text")[0] });
  });

  it("PM2: starts the queue and its workers, scales and reloads them, and each ends by itself with SIGINT", async () => {
    const folder = folderWith("pm2", ["pm2"]);
    expect(writeFiles(folder, blocksOf("pm2.md", "js"))).toEqual(["worker.mjs", "queue.mjs"]);
    writeFileSync(join(folder, "ecosystem.config.json"), blocksOf("pm2.md", "json")[0]);
    const env = { PM2_HOME: join(folder, "home") };
    const commands = blocksOf("pm2.md", "sh")[0].trim().split("\n");
    try {
      for (const command of commands) {
        const [program, ...args] = command.split(" ");
        const ran = run(folder, program, args, env);
        expect(ran.status, `${command}\n${ran.output}`).toBe(0);
        if (command.includes("scale")) {
          const handled = () =>
            run(folder, "npx", ["pm2", "logs", "--lines", "50", "--nostream"], env).output;
          await until(() => /handled job \d/.test(handled()), "a job is handled", 60_000);
        }
      }
    } finally {
      run(folder, "npx", ["pm2", "kill"], env);
    }
    const ends = readFileSync(join(env.PM2_HOME, "pm2.log"), "utf8").match(/exited with code.*/g) ?? [];
    expect(ends.length).toBeGreaterThan(5);
    expect(new Set(ends)).toEqual(new Set(["exited with code [0] via signal [SIGINT]"]));
  });

  it("Docker, Kubernetes and the forms for issues: YAML and Dockerfile parse", () => {
    const folder = folderWith("parsers", ["yaml", "dockerfile-ast"]);
    const load = createRequire(join(folder, "main.js"));
    const yaml = load("yaml") as { parseAllDocuments(text: string): { errors: Error[]; toJS(): unknown }[] };
    const forms = ["bug", "feature"].map((name) =>
      readFileSync(join(ROOT, ".github/ISSUE_TEMPLATE", `${name}.yml`), "utf8"),
    );
    for (const text of [...blocksOf("docker.md", "yaml"), ...blocksOf("kubernetes.md", "yaml"), ...forms]) {
      for (const document of yaml.parseAllDocuments(text)) {
        expect(document.errors).toEqual([]);
        expect(Object.keys(document.toJS() as object)[0]).toMatch(/services|apiVersion|name/);
      }
    }
    const { DockerfileParser } = load("dockerfile-ast") as {
      DockerfileParser: { parse(text: string): { getInstructions(): { getKeyword(): string }[] } };
    };
    const words = DockerfileParser.parse(blocksOf("docker.md", "dockerfile")[0])
      .getInstructions()
      .map((instruction) => instruction.getKeyword());
    expect(
      words.filter((word) => !/^(FROM|WORKDIR|COPY|RUN|USER|EXPOSE|STOPSIGNAL|CMD)$/.test(word)),
    ).toEqual([]);
    expect(words.filter((word) => word === "FROM")).toHaveLength(2);
  });
});

describe("the worker of the Kubernetes page", () => {
  it("is ready while a peer is connected, alive at all times, and ends by SIGTERM", async () => {
    const folder = join(home, "kubernetes");
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    symlinkSync(ROOT, join(folder, "node_modules", "zwire"));
    expect(writeFiles(folder, blocksOf("kubernetes.md", "js"))).toEqual(["worker.mjs"]);
    const push = managed(new Push());
    const endpoint = await push.bind("tcp://127.0.0.1:*");
    const child: ChildProcess = spawn("node", ["worker.mjs"], {
      cwd: folder,
      env: { ...process.env, JOBS: endpoint, PORT: "0" },
    });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    await until(() => /port \d+/.test(output), "it listens", 20_000);
    const at = `http://127.0.0.1:${/port (\d+)/.exec(output)?.[1]}`;
    const status = async (path: string) =>
      (await fetch(at + path, { headers: { connection: "close" } })).status;
    await push.send("first");
    await until(() => output.includes("handled first"), "it works", 20_000);
    expect([await status("/ready"), await status("/live")]).toEqual([200, 200]);
    await push.unbind(endpoint);
    await until(async () => (await status("/ready")) === 503, "it is no longer ready", 20_000);
    expect(await status("/live")).toBe(200);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(output).toContain("closed");
  });
});
