/**
 * What others make of the packed tarball; needs the npm registry, and is no part of `npm test`. Packages that depend on
 * zeromq run on the drop-in, which the overrides of npm, pnpm and yarn put in its place. One line for each:
 * `passed`, `skipped` where the registry has not what is needed or this Node is too old for it, or `failed`, which makes
 * the exit code 1. Arguments choose the lines by their names.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  folder,
  home,
  install,
  pack,
  packZwire,
  registryAnswers,
  run,
  runNpm,
  Skipped,
  tool,
} from "./everywhere/tools.mjs";
import { readyOrExit, root } from "./ready.mjs";
import { writeZeromqPackage } from "./release/zeromq-package.mjs";

/** Starts the registry that has our two packages, and everything else from npm's. */
async function startRegistry(dropIn) {
  const upstream = (await runNpm(["config", "get", "registry"], home)).trim();
  const program = join(root, "test", "dependents", "registry.mjs");
  const args = [program, upstream, zwire, dropIn];
  registryProcess = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  registry = String((await once(registryProcess.stdout, "data"))[0]).trim();
}

/** Runs one of our programs in a folder, where it finds the packages of that folder. */
async function runProgram(program, path) {
  cpSync(join(root, "test", "dependents", program), join(path, program));
  await run([process.execPath, program], { cwd: path, seconds: 60 });
}

/** The package that stands in zeromq's place, as the release script writes it. */
function packDropIn() {
  const path = join(home, "zwire-zeromq");
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
async function checkDependent(program, packages) {
  const overrides = packages.zeromq === undefined ? INSTEAD : { zeromq: "$zeromq" };
  const path = folder(program.replace(".mjs", ""), { dependencies: packages, overrides });
  // What this machine's cache holds of the two packages is another run's.
  const cache = ["--cache", join(home, "npm-cache")];
  await install(path, [], "--ignore-scripts", "--engine-strict", "--registry", registry, ...cache);
  requireDropInOnly(path);
  await runProgram("drop-in.mjs", path);
  await runProgram(program, path);
}

/** The same with another package manager. `manifest` says in its way what overrides say to npm. */
async function checkOtherManager({ name, script, args }, manifest, files = {}) {
  const path = folder(`overrides-${name}`, {
    ...manifest,
    dependencies: { "@dashevo/dashd-zmq": "^1.2.1", ...manifest.dependencies },
  });
  const all = { ".npmrc": `registry=${registry}/\n`, ...files };
  for (const [file, text] of Object.entries(all)) writeFileSync(join(path, file), text);
  const program = join(await tool(name), "node_modules", script);
  await run([process.execPath, program, "install", ...args], { cwd: path });
  requireDropInOnly(path);
  await runProgram("drop-in.mjs", path);
  await runProgram("dashd-zmq.mjs", path);
}

/** Package managers: a tool, its program, and what keeps it to this folder. */
const YARN_1 = {
  name: "yarn1",
  script: "yarn/bin/yarn.js",
  args: ["--no-lockfile", "--cache-folder", join(home, "yarn-cache")],
};
const YARN_4 = { name: "yarn4", script: "@yarnpkg/cli-dist/bin/yarn.js", args: [] };
const PNPM = {
  name: "pnpm12",
  script: "pnpm/bin/pnpm.mjs",
  args: ["--store-dir", join(home, "pnpm-store")],
};

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
      { "pnpm-workspace.yaml": `overrides:\n  zeromq: "${INSTEAD.zeromq}"\n` },
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
};

function skipWithoutRegistry() {
  throw new Skipped("the npm registry does not answer");
}

/** One line; false for a failure. */
async function tell(name, check) {
  try {
    await check();
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
  const reached = await registryAnswers();
  zwire = await packZwire();
  if (reached) await startRegistry(await packDropIn());
  for (const [name, check] of wanted)
    if (!(await tell(name, reached ? check : skipWithoutRegistry))) process.exitCode = 1;
} finally {
  registryProcess?.stdin.end();
  rmSync(home, { recursive: true });
}
