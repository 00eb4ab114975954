/**
 * The tests, one command: makes the clone ready, finds or installs a Python with pyzmq for the interop tests, lints,
 * checks the tests' types, and runs vitest with the arguments given. The last line is
 * `N passed, N failed, N skipped`. Uses Node's own modules only, since it starts before any package is installed.
 *
 * `--all` adds the long tests (*.long.test.ts: matrices, soaks, floods, kill loops); `--long` runs those alone.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readyOrExit, root } from "./ready.mjs";

/** A Python that has the modules of the interop tests, or undefined. Debian's python3 may not be the first on PATH. */
function findPython() {
  return ["python3", "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", "import zmq, msgpack"], { stdio: "ignore" }).status === 0,
  );
}

/** Installs Debian packages where that can be done; says otherwise why not. */
function install(packages, what) {
  const hasApt = spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0;
  if (!hasApt || process.getuid?.() !== 0) {
    const reason = hasApt ? "not root" : "no apt-get";
    console.error(`no ${what}, and none installed (${reason}): its tests are skipped`);
    return;
  }
  console.error(`installing ${packages.join(" and ")}…`);
  const quietly = {
    stdio: ["ignore", "ignore", 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  spawnSync("apt-get", ["-qq", "update"], quietly);
  spawnSync("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...packages], quietly);
}

/** Best effort: the tests say for themselves what they skip without pyzmq. */
function preparePython() {
  if (findPython() !== undefined) return;
  install(["python3-zmq", "python3-msgpack"], "Python with pyzmq and msgpack");
  if (findPython() === undefined) console.error("pyzmq could not be installed: its tests are skipped");
}

/** Whether there are a JDK, JeroMQ and log4j for the tests with peers of ZMTP 2.0. */
function hasJava() {
  const jars = ["jeromq", "log4j-api", "log4j-core"].map((name) => `/usr/share/java/${name}.jar`);
  return (
    jars.every((jar) => existsSync(jar)) && spawnSync("javac", ["-version"], { stdio: "ignore" }).status === 0
  );
}

/** As for Python; only for the long tests, because a JDK is large. */
function prepareJava() {
  if (hasJava()) return;
  install(["default-jdk-headless", "libjeromq-java", "liblog4j2-java"], "JDK with JeroMQ and log4j");
  if (!hasJava()) console.error("JeroMQ could not be installed: its tests are skipped");
}

/** As for Java: the tests of pages need a browser. CHROMIUM may say where one is. */
function prepareChromium() {
  const found = () =>
    process.env.CHROMIUM !== undefined ||
    ["chromium", "chromium-browser", "google-chrome"].some(
      (name) => spawnSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" }).status === 0,
    );
  if (found()) return;
  install(["chromium"], "Chromium");
  if (!found()) console.error("Chromium could not be installed: its tests are skipped");
}

/** Exit code of a package's command, run with this Node. */
function runBin(script, args) {
  const result = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

/** The closing line, from vitest's JSON report. A file that failed before its first test counts as one failed. */
function closingLine(report) {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const skipped = report.numPendingTests + report.numTodoTests;
  return `${report.numPassedTests} passed, ${report.numFailedTests + broken} failed, ${skipped} skipped`;
}

/** Exit code of vitest; prints the closing line. */
function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), "zwire-test-"));
  const file = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const code = runBin("vitest/vitest.mjs", ["run", ...reporters, ...args]);
    let report;
    try {
      report = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
      console.error(`vitest left no report: ${error.message}`);
      return code || 1;
    }
    console.log(closingLine(report));
    return code;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const given = process.argv.slice(2);
const long = given.includes("--long");
process.env.ZWIRE_TESTS = long ? "long" : given.includes("--all") ? "all" : "quick";
readyOrExit({ quiet: true });
preparePython();
if (process.env.ZWIRE_TESTS !== "quick") {
  prepareJava();
  prepareChromium();
}
const lint = long ? 0 : runBin("@biomejs/biome/bin/biome", ["check", "."]);
const types = long ? 0 : runBin("typescript/bin/tsc", ["-p", "test"]);
if (types !== 0) console.error("the types of the tests do not fit (above); the tests run all the same");
const tests = runTests(given.filter((argument) => argument !== "--long" && argument !== "--all"));
process.exitCode = lint || types || tests;
