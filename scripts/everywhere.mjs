/**
 * The packed tarball, installed and used in every runtime, by every package manager, test runner, bundler and version of
 * TypeScript that zwire supports: `npm run test:everywhere`. `--only PATTERN` chooses cells by a part of their names, in any
 * case, and may be repeated. Needs the npm registry; a cell whose tool cannot be had is skipped. Prints a table; the last line
 * is `N passed, N failed, N skipped`.
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { bundlerCells } from "./everywhere/bundlers.mjs";
import { managerCells, packageCells } from "./everywhere/packages.mjs";
import { pageCells } from "./everywhere/pages.mjs";
import { runtimeCells } from "./everywhere/runtimes.mjs";
import { testRunnerCells } from "./everywhere/test-runners.mjs";
import { home, packZwire, registryAnswers, Skipped } from "./everywhere/tools.mjs";
import { typeCells } from "./everywhere/types.mjs";
import { readyOrExit } from "./ready.mjs";

/** Two at a time: a cell is mostly one process. */
const AT_ONCE = 2;
/** What fails is tried again, and both failures are printed: registries have moods. */
const TRIES = 2;

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

/** The cells that the command line asks for. */
function chosen(cells) {
  const { values } = parseArgs({ options: { only: { type: "string", multiple: true, default: [] } } });
  const patterns = values.only.map((part) => part.toLowerCase());
  const wanted = ({ name }) =>
    patterns.length === 0 || patterns.some((part) => name.toLowerCase().includes(part));
  return cells.filter(wanted);
}

function skipWithoutRegistry() {
  throw new Skipped("the npm registry does not answer");
}

async function main() {
  readyOrExit({ quiet: true });
  const reached = await registryAnswers();
  const tarball = await packZwire();
  const cells = chosen([
    ...runtimeCells(tarball),
    ...managerCells(tarball),
    ...testRunnerCells(tarball),
    ...bundlerCells(tarball),
    ...typeCells(tarball),
    ...pageCells(tarball),
    ...packageCells(tarball),
  ]).map((cell) => (reached ? cell : { ...cell, run: skipWithoutRegistry }));
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
