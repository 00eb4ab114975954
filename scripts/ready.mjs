/**
 * Makes a fresh clone ready to run: installs the packages, builds the addon, compiles the TypeScript, and does nothing
 * that is up to date. A program (`node scripts/ready.mjs [--quiet]`) and a function. Runs before any package is
 * installed, so it uses Node's own modules only. Knows nothing of what it builds.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's top folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));
const windows = process.platform === "win32";

/** What went wrong, said in full: no stack is worth printing. */
export class NotReady extends Error {}

/** Time of change of a file; -1 when there is none. */
function changed(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1;
}

/** Latest time of change of a file or of anything in a folder; folders count, so that a removed file is seen. */
function latest(path) {
  let time = changed(path);
  if (time === -1 || !statSync(path).isDirectory()) return time;
  for (const entry of readdirSync(path, { recursive: true })) {
    time = Math.max(time, changed(join(path, entry)));
  }
  return time;
}

/** Runs a program from the top folder. Its output goes to stderr: stdout belongs to whoever called us. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (result.error) throw new NotReady(`${command}: ${result.error.message}`);
  return result.status === 0;
}

/** Runs a package's command with this Node, so that no shell and no PATH is involved. */
function runBin(script, args) {
  return run(process.execPath, [join(root, "node_modules", script), ...args]);
}

function onPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** How npm is called. Under npm its own program is known; by itself "npm" is a shell script on Windows. */
export function npm() {
  const script = process.env.npm_execpath;
  return script?.endsWith(".js")
    ? { command: [process.execPath, script], shell: false }
    : { command: ["npm"], shell: windows };
}

/** npm writes node_modules/.package-lock.json at the end of each install: older than the lock file means not installed. */
function installPackages(say) {
  const installed = changed(join(root, "node_modules", ".package-lock.json"));
  if (installed >= changed(join(root, "package-lock.json"))) return;
  say("installing packages…");
  const { command, shell } = npm();
  if (!run(command[0], [...command.slice(1), "ci"], { shell })) throw new NotReady("npm ci failed");
}

/**
 * Folders that may have Node's headers in include/node: this Node's own, the system's, and where node-gyp keeps what it
 * downloaded for this version in the past.
 */
function headerPrefixes() {
  const { npm_config_devdir: kept, XDG_CACHE_HOME: caches, HOME: home = "" } = process.env;
  const cache = process.platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  const downloads = kept ?? join(caches ?? cache, "node-gyp");
  return [dirname(dirname(process.execPath)), "/usr", join(downloads, process.versions.node)];
}

/** The folder of Node's headers on this machine, or undefined. */
export function headers(prefixes = headerPrefixes()) {
  const folders = prefixes.map((prefix) => join(prefix, "include", "node"));
  return folders.find((folder) => existsSync(join(folder, "node_api.h")));
}

/**
 * Arguments that make node-gyp use headers of this machine, or undefined if there are none; it would download them.
 * npm hands its own `nodedir` on in the environment; then nothing is to be added.
 */
function headerArguments(prefixes) {
  if (process.env.npm_config_nodedir) return [];
  const folder = headers(prefixes);
  return folder === undefined ? undefined : [`--nodedir=${dirname(dirname(folder))}`];
}

const NO_HEADERS = `no headers of Node.js here, and none are downloaded; to build it, use a Node.js that has
  include/node beside its bin, as those from nodejs.org have, or set npm_config_nodedir to a folder with include/node`;

/** Why the addon cannot be built here, or undefined. */
function missing(prefixes) {
  if (!process.env.CXX && !["c++", "g++", "clang++"].some(onPath)) return "no C++ compiler";
  if (!onPath("make")) return "no make";
  if (!process.env.PYTHON && !onPath("python3") && !onPath("python")) return "no Python for node-gyp";
  return headerArguments(prefixes) === undefined ? NO_HEADERS : undefined;
}

/**
 * Builds the addon if its sources are newer, and says why not if something is missing. Downloads nothing.
 * @throws NotReady when it does not compile
 */
export function buildAddon(say, prefixes = headerPrefixes()) {
  if (windows) return; // binding.gyp has nothing to build there
  const built = changed(join(root, "build", "Release", "zwire.node"));
  const sources = Math.max(latest(join(root, "native")), changed(join(root, "binding.gyp")));
  if (built >= sources) return;
  const reason = missing(prefixes);
  if (reason !== undefined) {
    say(`the addon is not built (${reason}): the portable engine is used`);
    return;
  }
  say("building the addon…");
  const args = ["rebuild", "--loglevel=warn", "--jobs=max", ...headerArguments(prefixes)];
  if (!runBin("node-gyp/bin/node-gyp.js", args)) throw new NotReady("the addon does not build");
}

/** Besides src/, what the compiled files depend on. The lock file stands for the code of others that goes into them. */
const SETTINGS = [
  "tsconfig.json",
  "scripts/bundle.mjs",
  "scripts/web.mjs",
  "scripts/vendor.mjs",
  "package-lock.json",
];
/** One file of each step. */
const MADE = [
  "compiled/index.js",
  "dist/index.js",
  "dist/cjs/index.cjs",
  "vendor/msgpackr.js",
  "vendor/uplot.js",
  "THIRD-PARTY-NOTICES.md",
];

/** tsc rewrites only what it likes, so a stamp of our own says when src was last compiled as a whole. */
const stamp = join(root, "node_modules", ".cache", "zwire", "compiled");

/** Whether nothing has changed since the last compilation. */
export function isCompiled() {
  const settings = SETTINGS.map((name) => changed(join(root, name)));
  const sources = Math.max(latest(join(root, "src")), ...settings);
  return MADE.every((name) => existsSync(join(root, name))) && changed(stamp) >= sources;
}

function compile(say) {
  if (isCompiled()) return;
  say("compiling TypeScript…");
  // The stamp carries the time before the compiler read anything: an edit while it runs is compiled the next time.
  const started = new Date();
  if (!runBin("typescript/bin/tsc", ["-p", "."])) throw new NotReady("TypeScript does not compile");
  for (const made of ["compiled", "dist"]) removeOrphans(join(root, made), join(root, "src"));
  if (!runBin("../scripts/vendor.mjs", [])) throw new NotReady("the code of others cannot be put together");
  if (!runBin("../scripts/bundle.mjs", [])) throw new NotReady("the compiled modules cannot be put together");
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
  utimesSync(stamp, started, started);
}

/** What was compiled from a source that is gone must not stay importable, nor be packed. */
function removeOrphans(folder, src) {
  for (const file of readdirSync(folder, { recursive: true })) {
    const source = file.replace(/(\.d\.ts|\.js)$/, ".ts");
    if (source !== file && !existsSync(join(src, source))) rmSync(join(folder, file));
  }
}

/**
 * Does what is needed and no more. Progress goes to stderr.
 * @throws NotReady
 */
export function ready({ quiet = false } = {}) {
  let idle = true;
  const say = (line) => {
    idle = false;
    process.stderr.write(`${line}\n`);
  };
  installPackages(say);
  buildAddon(say);
  compile(say);
  if (idle && !quiet) process.stderr.write("everything is up to date\n");
}

/** Calls `ready` and ends the process with a message if it fails. */
export function readyOrExit(options) {
  try {
    ready(options);
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  readyOrExit({ quiet: process.argv.includes("--quiet") });
}
