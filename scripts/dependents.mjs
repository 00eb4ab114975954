/**
 * What others make of the packed tarball; needs the npm registry, and is no part of `npm test`. Packages that depend on
 * zeromq run on the drop-in, which the overrides of npm, pnpm and yarn put in its place; yarn and pnpm add zwire without
 * building anything; its declarations compile with several versions of @types/node and TypeScript. One line for each:
 * `passed`, `skipped` where the registry has not what is needed or this Node is too old for it, or `failed`, which makes
 * the exit code 1. Arguments choose the lines by their names.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npm, readyOrExit, root } from "./ready.mjs";
import { writeZeromqPackage } from "./release/zeromq-package.mjs";

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
function install(path, ...more) {
  try {
    const quietly = ["--json", "--ignore-scripts", "--no-audit", "--no-fund", "--engine-strict"];
    runNpm(["install", ...quietly, ...more], path);
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

/** Starts the registry that has our two packages, and everything else from npm's. */
async function startRegistry(dropIn) {
  const upstream = runNpm(["config", "get", "registry"], folder).trim();
  const program = join(root, "test", "dependents", "registry.mjs");
  const args = [program, upstream, zwire, dropIn];
  registryProcess = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  registry = String((await once(registryProcess.stdout, "data"))[0]).trim();
}

/** Runs one of our programs in a folder, where it finds the packages of that folder. */
function runProgram(program, path) {
  cpSync(join(root, "test", "dependents", program), join(path, program));
  run([process.execPath, program], { cwd: path, milliseconds: 60_000 });
}

/** The package that stands in zeromq's place, as the release script writes it. */
function packDropIn() {
  const path = join(folder, "zwire-zeromq");
  writeZeromqPackage(path);
  return pack(path);
}

/** What every package manager is told: whoever asks for zeromq gets zwire-zeromq. docs/dependents.md says the same. */
const INSTEAD = {
  zeromq: `npm:zwire-zeromq@^${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version}`,
};

/** Every zeromq that was installed is the drop-in; there is one, which may have several links. */
function requireDropInOnly(path) {
  const files = readdirSync(join(path, "node_modules"), { recursive: true, encoding: "utf8" });
  const named = files.filter((file) => /(^|node_modules[\\/])zeromq[\\/]package\.json$/.test(file));
  const found = [...new Set(named.map((file) => realpathSync(join(path, "node_modules", file))))];
  const names = found.map((file) => JSON.parse(readFileSync(file, "utf8")).name);
  if (names.join() !== "zwire-zeromq")
    throw new Error(`not the drop-in alone: ${found.join(", ")} (${names})`);
}

/**
 * Installs packages that depend on zeromq with npm's overrides, and runs our programs with them. A folder that lists
 * zeromq itself names the drop-in there, and refers to it.
 */
function checkDependent(program, packages) {
  const overrides = packages.zeromq === undefined ? INSTEAD : { zeromq: "$zeromq" };
  const path = makeFolder(program.replace(".mjs", ""), { dependencies: packages, overrides });
  install(path, "--registry", registry, "--cache", join(folder, "npm-cache"));
  requireDropInOnly(path);
  runProgram("drop-in.mjs", path);
  runProgram(program, path);
}

/** The same with another package manager. `manifest` says in its way what overrides say to npm. */
function checkOtherManager(manager, manifest, files = {}) {
  const path = makeFolder(`overrides-${manager.name.replaceAll("/", "-")}`, {
    ...manifest,
    dependencies: { "@dashevo/dashd-zmq": "^1.2.1", ...manifest.dependencies },
  });
  const registryFiles = { ".npmrc": `registry=${registry}/\n` };
  runManager(manager, ["install"], path, { ...registryFiles, ...files });
  requireDropInOnly(path);
  runProgram("drop-in.mjs", path);
  runProgram("dashd-zmq.mjs", path);
}

/** Package managers: a package of npm's registry, its program, and what keeps it to this folder. */
const YARN_1 = {
  name: "yarn",
  version: "1",
  script: "bin/yarn.js",
  args: ["--no-lockfile", "--cache-folder", join(folder, "yarn-cache")],
};
const YARN_4 = { name: "@yarnpkg/cli-dist", version: "4", script: "bin/yarn.js", args: [] };
const PNPM = {
  name: "pnpm",
  version: "latest",
  script: "bin/pnpm.mjs",
  args: ["--store-dir", join(folder, "pnpm-store")],
};
/** As docs/deployment.md says: msgpackr's optional helper is the only package of zwire that may ask to be built. */
const ALLOW_BUILDS = "allowBuilds:\n  msgpackr-extract: false\n";

/** Runs a package manager in a folder, with scripts and without a compiler. */
function runManager({ name, version, script, args }, command, path, files) {
  const tools = join(folder, `try-${name.replaceAll("/", "-")}`);
  if (!existsSync(tools)) {
    mkdirSync(tools);
    writeFileSync(
      join(tools, "package.json"),
      JSON.stringify({ private: true, dependencies: { [name]: version } }),
    );
    install(tools);
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  const nobody = join(folder, "no-compiler"); // what is built all the same fails
  const env = { ...process.env, CC: nobody, CXX: nobody, npm_config_python: nobody };
  run([process.execPath, join(tools, "node_modules", name, script), ...command, ...args], {
    cwd: path,
    env,
  });
}

/** Adds the tarball as a user of another package manager does. */
function checkManager(manager, files = {}) {
  const path = makeFolder(manager.name, { type: "module" });
  runManager(manager, ["add", zwire], path, files);
  runProgram("two-lines.mjs", path);
}

/**
 * Compiles programs that import every entry against the packed declarations, none of which is skipped.
 * @param typescript a version other than that of the project
 */
function checkDeclarations(major, typescript) {
  const path = makeFolder(`types-${major}-${typescript ?? "ours"}`, {
    type: "module",
    dependencies: { zwire: `file:${zwire}`, "@types/node": major, ...(typescript && { typescript }) },
  });
  install(path);
  cpSync(join(root, "test", "dependents", "declarations.mts"), join(path, "declarations.mts"));
  const check = readFileSync(join(root, "test", "unit", "declarations.check.ts"), "utf8");
  const packed = check.replace('"../../dist/index.js"', '"zwire"');
  if (packed === check) throw new Error("declarations.check.ts does not import ../../dist/index.js any more");
  writeFileSync(join(path, "check.mts"), packed);
  const flags =
    "--noEmit --strict --skipLibCheck false --target es2022 --lib es2023 --module nodenext --types node";
  const compiler = join(typescript ? path : root, "node_modules", "typescript", "bin", "tsc");
  run([process.execPath, compiler, ...flags.split(" "), "check.mts", "declarations.mts"], { cwd: path });
}

const checks = {
  "@qified/zeromq": () => checkDependent("qified.mjs", { "@qified/zeromq": "*", qified: "*" }),
  "tslab with enchannel-zmq-backend": () =>
    checkDependent("tslab.mjs", {
      ...INSTEAD,
      tslab: "^1.0.22",
      "enchannel-zmq-backend": "^10.0.0",
      rxjs: "^7.8.2",
    }),
  "@dashevo/dashd-zmq": () => checkDependent("dashd-zmq.mjs", { "@dashevo/dashd-zmq": "^1.2.1" }),
  "overrides of pnpm": () =>
    checkOtherManager(
      PNPM,
      { dependencies: { zeromq: "^6.0.0" } }, // what is not listed is not to be seen from the top
      {
        "pnpm-workspace.yaml": `${ALLOW_BUILDS}overrides:\n  zeromq: "${INSTEAD.zeromq}"\n`,
      },
    ),
  "resolutions of yarn 1": () => checkOtherManager(YARN_1, { resolutions: INSTEAD }),
  "resolutions of yarn 4": () =>
    checkOtherManager(
      YARN_4,
      { resolutions: INSTEAD },
      {
        ".yarnrc.yml": `npmRegistryServer: "${registry}"\nunsafeHttpWhitelist: ["127.0.0.1"]\nnodeLinker: node-modules\nenableGlobalCache: false\nenableTelemetry: false\nenableScripts: false\n`,
        "yarn.lock": "", // or it would look for a project above
      },
    ),
  "yarn 1": () => checkManager(YARN_1),
  "pnpm, the newest": () => checkManager(PNPM, { "pnpm-workspace.yaml": ALLOW_BUILDS }),
  "@types/node 20": () => checkDeclarations("20"),
  "@types/node 25": () => checkDeclarations("25"),
  "@types/node 26": () => checkDeclarations("26"),
  "TypeScript 5.0": () => checkDeclarations("20", "5.0"),
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
let registry;
let registryProcess;
try {
  const reached = registryAnswers();
  zwire = pack(root);
  if (reached) await startRegistry(packDropIn());
  const told = wanted.map(([name, check]) => tell(name, reached ? check : skipWithoutRegistry));
  if (!told.every(Boolean)) process.exitCode = 1;
} finally {
  registryProcess?.stdin.end();
  rmSync(folder, { recursive: true });
}
