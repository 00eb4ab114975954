/**
 * The package zwire-zeromq, as the release script writes it, in the place of zeromq: import, require, drafts and types.
 * scripts/dependents.mjs installs it with each package manager for packages that depend on zeromq.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/helpers.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

/** All that a program printed. */
function node(cwd: string, ...args: string[]): string {
  const env = { ...process.env, ZWIRE_ENGINE: "", NODE_OPTIONS: "" };
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: "utf8" });
  return stdout + stderr;
}

/** A folder in which who asks for zeromq gets the drop-in. */
function installed(): string {
  const home = temporaryDirectory();
  mkdirSync(join(home, "node_modules"));
  symlinkSync(ROOT, join(home, "node_modules", "zwire"));
  node(ROOT, join(ROOT, "scripts", "release", "zeromq-package.mjs"), join(home, "node_modules", "zeromq"));
  return home;
}

it("has the version of zwire, and depends on that one", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const manifest = JSON.parse(readFileSync(join(installed(), "node_modules/zeromq/package.json"), "utf8"));
  expect(manifest).toMatchObject({ name: "zwire-zeromq", version, dependencies: { zwire: version } });
});

it("gives import and require of zeromq and of its drafts the classes of zwire/zeromq", () => {
  const home = installed();
  cpSync(join(ROOT, "test", "dependents", "drop-in.mjs"), join(home, "drop-in.mjs"));
  expect(node(home, "drop-in.mjs")).toBe("");
  const same = `import { Push } from "zeromq"; import * as ours from "zwire/zeromq"; console.log(Push === ours.Push);`;
  writeFileSync(join(home, "same.mjs"), same);
  expect(node(home, "same.mjs")).toBe("true\n");
});

it("works where require() cannot load ES modules", () => {
  const home = installed();
  const program = `const zmq = require("zeromq");
    const { Server } = require("zeromq/draft");
    console.log(zmq.Push === require("zwire/zeromq").Push, typeof zmq.version, Server.name);`;
  writeFileSync(join(home, "main.cjs"), program);
  expect(node(home, "--no-warnings", "--no-experimental-require-module", "main.cjs")).toBe(
    "true string Server\n",
  );
});

it.each(["mts", "cts"])("has the types of zeromq for a .%s program", (extension) => {
  const home = installed();
  const program = `import whole, { type Message, Push, Router } from "zeromq";
    import { Server } from "zeromq/draft";
    export const router: Router = new whole.Router({ mandatory: true });
    export const message = async (): Promise<Message[]> => router.receive();
    export const server: { close(): void } = new Server();
    // @ts-expect-error a Push does not receive
    new Push().receive();`;
  writeFileSync(join(home, `main.${extension}`), program);
  const flags =
    "--noEmit --strict --skipLibCheck false --esModuleInterop --target es2023 --module nodenext --types node";
  const types = ["--typeRoots", join(ROOT, "node_modules", "@types")];
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  expect(node(home, compiler, ...flags.split(" "), ...types, `main.${extension}`)).toBe("");
});
