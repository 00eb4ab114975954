/**
 * The tarball of a clone in which nothing has been built. Long, because it compiles everything.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/helpers.js";
import { pack } from "../support/pack.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

/** What git has, with its packages, but with nothing that was built from the sources except the addon (half a minute). */
function freshClone(): string {
  const clone = temporaryDirectory();
  const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of tracked.split("\0").filter((name) => name !== "" && existsSync(join(ROOT, name)))) {
    cpSync(join(ROOT, file), join(clone, file), { preserveTimestamps: true });
  }
  cpSync(join(ROOT, "build", "Release", "zwire.node"), join(clone, "build", "Release", "zwire.node"));
  // The packages one by one: their folder's cache says what has been compiled.
  mkdirSync(join(clone, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== ".cache") symlinkSync(join(ROOT, "node_modules", name), join(clone, "node_modules", name));
  }
  utimesSync(join(clone, "package-lock.json"), 0, 0); // older than what is installed
  return clone;
}

it("npm pack on a fresh clone gives every file that the package's entries name, and what the build takes from others", () => {
  const clone = freshClone();
  const paths = new Set(pack(clone, "--dry-run").files.map(({ path }) => path));
  const { exports: entries } = JSON.parse(readFileSync(join(clone, "package.json"), "utf8"));
  const wanted = Object.values(entries).flatMap((entry) =>
    typeof entry === "string" ? [entry] : (Object.values(entry as object) as string[]),
  );
  wanted.push("./dist/shared/messagepack.js", "./THIRD-PARTY-NOTICES.md");
  expect(wanted.length).toBeGreaterThan(8);
  expect(wanted.filter((path) => !paths.has(path.slice(2)))).toEqual([]);
});
