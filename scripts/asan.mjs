/**
 * The tests of the addon with AddressSanitizer and UndefinedBehaviorSanitizer: `npm run test:asan`, or with files to run
 * instead of those below. Builds a second addon in build/asan, which ZWIRE_PREBUILD makes node-gyp-build load, also in
 * child processes. Needs Linux, g++ with its sanitizers and Node's headers; says so and succeeds where they are missing.
 * Takes ten minutes or so.
 *
 * Fails if a test fails, or if a sanitizer has said something in any process, also in one that a test expects to die.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { headers, readyOrExit, root } from "./ready.mjs";

/** What abuses shared memory, the stream and the addon's own functions. Words in names of files. */
const TESTS = [
  "test/conformance/shared-memory",
  "test/conformance/memory",
  "test/conformance/ipc",
  "test/conformance/framing",
  "test/conformance/stream-ends",
  "test/conformance/loan",
  "test/conformance/borrow",
  "test/lifecycle/memory-lives",
  "test/lifecycle/shared-memory",
  "test/lifecycle/loan",
  "test/lifecycle/borrow",
  "test/lifecycle/exit",
  "test/lifecycle/workers",
  "test/security/hostile",
  "test/security/inside-curve",
  "test/security/random-frames",
  "test/unit/native",
  "test/unit/stream.test.ts",
];
/** Without types of classes at run time, as in binding.gyp: what looks at them tests pointers by opening a pipe. */
const FLAGS = [
  ...["-fsanitize=address,undefined", "-fno-sanitize=vptr", "-fno-sanitize-recover=all"],
  ...["-fno-rtti", "-fno-exceptions", "-fno-omit-frame-pointer", "-O1", "-g1"],
];

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(0);
}

/** The compiler's own library, to be loaded before everything else: node itself is not built with it. */
function library(name) {
  const { stdout, status } = spawnSync("g++", [`-print-file-name=${name}`], { encoding: "utf8" });
  const path = stdout?.trim();
  return status === 0 && path.startsWith("/") ? path : undefined;
}

function newest(folder) {
  const times = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs);
  return Math.max(...times);
}

/** Builds the addon from the sources and settings of binding.gyp. */
function build(include) {
  const folder = join(root, "build", "asan", "build", "Release");
  const file = join(folder, "zwire.node");
  const gyp = readFileSync(join(root, "binding.gyp"), "utf8");
  const built = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;
  if (built > Math.max(newest(join(root, "native")), statSync(join(root, "binding.gyp")).mtimeMs)) return;
  console.log("building the addon with sanitizers…");
  mkdirSync(folder, { recursive: true });
  const sources = [...gyp.matchAll(/"(native\/[^"]+\.cc)"/g)].map(([, name]) => join(root, name));
  const defines = /"defines": \[([^\]]*)\]/.exec(gyp)[1].match(/[A-Z_]+(=\d+)?/g);
  const { include_dir } = createRequire(join(root, "package.json"))("node-addon-api");
  const args = [
    ...["-std=c++17", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread", ...FLAGS],
    ...[...defines, "NODE_GYP_MODULE_NAME=zwire", "BUILDING_NODE_EXTENSION"].map((name) => `-D${name}`),
    ...[`-I${include}`, `-I${join(root, include_dir)}`, `-I${include_dir}`],
    ...sources,
    ...["-o", file],
  ];
  const { status } = spawnSync("g++", args, { stdio: "inherit" });
  if (status !== 0) {
    console.error("the addon does not build with sanitizers");
    process.exit(1);
  }
}

readyOrExit({ quiet: true });
if (process.platform !== "linux") skip("the sanitizers are preloaded on Linux only");
const libraries = [library("libasan.so"), library("libubsan.so")];
if (libraries.includes(undefined)) skip("no g++ with AddressSanitizer");
const include = headers();
if (include === undefined) skip("no headers of Node.js");
build(include);

const logs = mkdtempSync(join(tmpdir(), "zwire-asan-"));
const log = `log_path=${join(logs, "report")}`;
const env = {
  ...process.env,
  ZWIRE_PREBUILD: join(root, "build", "asan"),
  ZWIRE_TESTS: process.env.ZWIRE_TESTS ?? "quick",
  LD_PRELOAD: libraries.join(" "),
  // Node and V8 keep much until the process ends. Tests measure memory: little of what was freed is kept back.
  ASAN_OPTIONS: `detect_leaks=0:halt_on_error=1:quarantine_size_mb=16:${log}`,
  UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:${log}`,
};
const files = process.argv.length > 2 ? process.argv.slice(2) : TESTS;
const vitest = [join(root, "node_modules", "vitest", "vitest.mjs"), "run"];
const projects = ["--project", "native", "--project", "unit", "--retry", "1"];
const { status } = spawnSync(process.execPath, [...vitest, ...projects, ...files], {
  cwd: root,
  env,
  stdio: "inherit",
});
const reports = readdirSync(logs);
for (const name of reports) console.error(readFileSync(join(logs, name), "utf8"));
rmSync(logs, { recursive: true });
console.log(reports.length === 0 ? "no sanitizer said anything" : `${reports.length} processes had a report`);
process.exit(status || reports.length > 0 ? 1 : 0);
