/**
 * The packed tarball, installed and used in every runtime, by every package manager, test runner, bundler and version of
 * TypeScript that zwire supports: `npm run test:everywhere`. Arguments choose cells by a part of their names. Needs the npm
 * registry; a cell whose tool cannot be had is skipped. Prints a table; the last line is `N passed, N failed, N skipped`.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundlerCells } from "./everywhere/bundlers.mjs";
import { managerCells, packageCells } from "./everywhere/packages.mjs";
import { runtimeCells } from "./everywhere/runtimes.mjs";
import { testRunnerCells } from "./everywhere/test-runners.mjs";
import { folder, home, run, Skipped } from "./everywhere/tools.mjs";
import { typeCells } from "./everywhere/types.mjs";
import { npm, readyOrExit, root } from "./ready.mjs";

/** Two at a time: a cell is mostly one process. */
const AT_ONCE = 2;
/** What fails is tried again, and both failures are printed: registries have moods. */
const TRIES = 2;

/** The tarball as a release has it: with this machine's addon among the prebuilt ones. */
async function pack() {
  const { command, shell } = npm();
  const path = folder("packed");
  await run([...command, "pack", "--ignore-scripts", "--pack-destination", path], { cwd: root, shell });
  await run(["tar", "xzf", `zwire-${await version()}.tgz`], { cwd: path });
  const prebuilt = join(path, "package", "prebuilds", `${process.platform}-${process.arch}`);
  const addon = join(root, "build", "Release", "zwire.node");
  if (!existsSync(addon)) throw new Skipped("the addon is not built here");
  rmSync(join(path, "package", "prebuilds"), { recursive: true, force: true });
  mkdirSync(prebuilt, { recursive: true });
  cpSync(addon, join(prebuilt, "zwire.node"));
  const tarball = join(path, "zwire.tgz");
  await run(["tar", "czf", tarball, "package"], { cwd: path });
  return tarball;
}

async function version() {
  const { default: manifest } = await import("../package.json", { with: { type: "json" } });
  return manifest.version;
}

async function tryCell({ name, run: attempt }) {
  const began = Date.now();
  let mark = "";
  let note = "";
  for (let tries = 1; tries <= TRIES && mark !== "passed"; tries++) {
    try {
      note = (await attempt()) ?? "";
      mark = "passed";
    } catch (error) {
      mark = error instanceof Skipped ? "skipped" : "failed";
      note = error.message;
      if (mark === "skipped") break;
      if (tries < TRIES) console.log(`once more: ${name}\n${note.replace(/^/gm, "    ")}`);
    }
  }
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  console.log(`${mark.padEnd(8)}${seconds.padStart(4)} s  ${name.padEnd(42)} ${note.split("\n")[0]}`);
  if (mark === "failed") console.log(note.replace(/^/gm, "    "));
  return mark;
}

async function main() {
  readyOrExit({ quiet: true });
  const wanted = process.argv.slice(2);
  const tarball = await pack();
  const cells = [
    ...runtimeCells(tarball),
    ...managerCells(tarball),
    ...testRunnerCells(tarball),
    ...bundlerCells(tarball),
    ...typeCells(tarball),
    ...packageCells(tarball),
  ].filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
  const marks = [];
  const next = cells[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const cell of next) marks.push(await tryCell(cell));
    }),
  );
  const count = (mark) => marks.filter((one) => one === mark).length;
  console.log(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  process.exitCode = count("failed") > 0 || marks.length === 0 ? 1 : 0;
}

try {
  await main();
} finally {
  rmSync(home, { recursive: true, force: true });
}
