/**
 * What others make of the packed tarball; needs the npm registry, and is no part of `npm test`. Packages that depend on
 * zeromq run on the drop-in, yarn and pnpm add zwire without building anything, and its declarations compile with
 * several versions of @types/node. One line for each: `passed`, `skipped` where the registry has not what is needed
 * or this Node is too old for it, or `failed`, which makes the exit code 1. Arguments choose the lines by their names.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npm, readyOrExit, root } from "./ready.mjs";

/** A check that this machine cannot make; the message says why. */
class Skipped extends Error {}

/** npm's codes that say nothing of zwire: no registry within reach, no such package there, not for this Node. */
const NOT_HERE =
  /^(E404|ETARGET|EBADENGINE|EBADPLATFORM|ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)$/;

const folder = mkdtempSync(join(tmpdir(), "zwire-dependents-"));

/** stdout of a program that ends well within the time; all that it said is the error otherwise. */
function run([program, ...args], { cwd, env, shell = false, milliseconds = 300_000 }) {
  const result = spawnSync(program, args, { cwd, env, shell, encoding: "utf8", timeout: milliseconds });
  if (result.status === 0) return result.stdout;
  const end = result.error?.message ?? result.signal ?? `exit code ${result.status}`;
  throw Object.assign(new Error(`${end}\n${result.stdout}${result.stderr}`), { stdout: result.stdout });
}

function runNpm(args, cwd) {
  const { command, shell } = npm();
  return run([...command, ...args], { cwd, shell });
}

/** A fresh folder with a package.json. */
function makeFolder(name, manifest) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(
    join(path, "package.json"),
    JSON.stringify({ name: `try-${name}`, private: true, ...manifest }),
  );
  return path;
}

/** Packs a folder, without its scripts; the tarball's path. */
function pack(path) {
  const said = runNpm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], path);
  return join(folder, JSON.parse(said)[0].filename);
}

/**
 * Installs what a folder's package.json says, without scripts.
 * @throws Skipped when the registry or this Node is the reason that it cannot be
 */
function install(path) {
  try {
    runNpm(["install", "--json", "--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict"], path);
  } catch (error) {
    let said;
    try {
      said = JSON.parse(error.stdout).error;
    } catch {
      throw error; // npm did not get so far as to say it
    }
    if (NOT_HERE.test(said?.code)) throw new Skipped(`${said.code}: ${said.summary.split("\n")[0]}`);
    throw error;
  }
}

/** Whether the registry answers, whatever npm's cache holds. */
function registryAnswers() {
  try {
    runNpm(
      ["view", "zeromq", "version", "--cache", join(folder, "no-cache"), "--fetch-retries", "0"],
      folder,
    );
    return true;
  } catch {
    return false; // npm says the same of every way not to reach it
  }
}

/** Runs one of our programs in a folder, where it finds the packages of that folder. */
function runProgram(program, path) {
  cpSync(join(root, "test", "dependents", program), join(path, program));
  run([process.execPath, program], { cwd: path, milliseconds: 60_000 });
}

/** A package with zeromq's name that has all of zwire/zeromq, for whoever asks for zeromq. */
function packDropIn() {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules", "zeromq", "package.json"), "utf8"));
  const exports = { ".": "./index.js", "./draft": "./draft.js", "./draft.js": "./draft.js" };
  const path = makeFolder("zeromq", {
    name: "zeromq",
    version,
    type: "module",
    exports,
    description: "zwire/zeromq",
    dependencies: { zwire: "*" },
  });
  for (const [file, entry] of [
    ["index.js", "zwire/zeromq"],
    ["draft.js", "zwire/zeromq/draft"],
  ]) {
    const again = `export * from "${entry}";\nexport { default, "module.exports" } from "${entry}";\n`;
    writeFileSync(join(path, file), again);
  }
  return pack(path);
}

/** Installs packages that depend on zeromq beside the drop-in, and runs our program with them. */
function checkDependent(program, packages) {
  const path = makeFolder(program.replace(".mjs", ""), {
    dependencies: { ...packages, zwire: `file:${zwire}`, zeromq: `file:${dropIn}` },
    overrides: { zwire: "$zwire", zeromq: "$zeromq" },
  });
  install(path);
  const files = readdirSync(join(path, "node_modules"), { recursive: true, encoding: "utf8" });
  const others = files.filter((file) => /(^|node_modules[\\/])zeromq[\\/]package\.json$/.test(file));
  if (others.length !== 1) throw new Error(`not the drop-in alone: ${others.join(", ")}`);
  runProgram(program, path);
}

/** Adds the tarball as a user of another package manager does, with scripts and without a compiler. */
function checkManager(name, version, script, args, files = {}) {
  const tools = makeFolder(`${name}-itself`, { dependencies: { [name]: version } });
  install(tools);
  const path = makeFolder(name, { type: "module" });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  const nobody = join(folder, "no-compiler"); // what is built all the same fails
  const env = { ...process.env, CC: nobody, CXX: nobody, npm_config_python: nobody };
  run([process.execPath, join(tools, "node_modules", name, script), "add", zwire, ...args], {
    cwd: path,
    env,
  });
  runProgram("two-lines.mjs", path);
}

/** Compiles programs that import every entry against the packed declarations, none of which is skipped. */
function checkDeclarations(major) {
  const path = makeFolder(`types-${major}`, {
    type: "module",
    dependencies: { zwire: `file:${zwire}`, "@types/node": major },
  });
  install(path);
  cpSync(join(root, "test", "dependents", "declarations.mts"), join(path, "declarations.mts"));
  const check = readFileSync(join(root, "test", "unit", "declarations.check.ts"), "utf8");
  const packed = check.replace('"../../dist/index.js"', '"zwire"');
  if (packed === check) throw new Error("declarations.check.ts does not import ../../dist/index.js any more");
  writeFileSync(join(path, "check.mts"), packed);
  const flags = "--noEmit --strict --skipLibCheck false --target es2023 --module nodenext --types node";
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  run([process.execPath, compiler, ...flags.split(" "), "check.mts", "declarations.mts"], { cwd: path });
}

const checks = {
  "@qified/zeromq": () => checkDependent("qified.mjs", { "@qified/zeromq": "*", qified: "*" }),
  "tslab with enchannel-zmq-backend": () =>
    checkDependent("tslab.mjs", { tslab: "^1.0.22", "enchannel-zmq-backend": "^10.0.0", rxjs: "^7.8.2" }),
  "@dashevo/dashd-zmq": () => checkDependent("dashd-zmq.mjs", { "@dashevo/dashd-zmq": "^1.2.1" }),
  "yarn 1": () =>
    checkManager("yarn", "1", "bin/yarn.js", ["--no-lockfile", "--cache-folder", join(folder, "yarn-cache")]),
  "pnpm, the newest": () =>
    checkManager("pnpm", "latest", "bin/pnpm.mjs", ["--store-dir", join(folder, "pnpm-store")], {
      // As docs/deployment.md says: msgpackr's optional helper is the only package that may ask to be built.
      "pnpm-workspace.yaml": "allowBuilds:\n  msgpackr-extract: false\n",
    }),
  "@types/node 20": () => checkDeclarations("20"),
  "@types/node 25": () => checkDeclarations("25"),
  "@types/node 26": () => checkDeclarations("26"),
};

function skipWithoutRegistry() {
  throw new Skipped("the npm registry does not answer");
}

/** One line; false for a failure. */
function tell(name, check) {
  try {
    check();
    console.log(`${name}: passed`);
  } catch (error) {
    if (!(error instanceof Skipped)) {
      console.log(`${name}: failed`);
      console.error(error.message);
      return false;
    }
    console.log(`${name}: skipped (${error.message})`);
  }
  return true;
}

readyOrExit({ quiet: true });
const chosen = process.argv.slice(2);
const wanted = Object.entries(checks).filter(
  ([name]) => chosen.length === 0 || chosen.some((word) => name.includes(word)),
);
let zwire;
let dropIn;
try {
  const reached = registryAnswers();
  zwire = pack(root);
  dropIn = packDropIn();
  const told = wanted.map(([name, check]) => tell(name, reached ? check : skipWithoutRegistry));
  if (!told.every(Boolean)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
