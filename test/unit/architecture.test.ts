/**
 * docs/architecture.md names files that are there, and every room of src/.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
const named = [...page.matchAll(/`([\w./-]+\/[\w.-]*)`/g)].map(([, path]) => path);

it("names files and folders that are there", () => {
  const roots = [ROOT, join(ROOT, "src")];
  const missing = named.filter((path) => !roots.some((root) => existsSync(join(root, path))));
  expect(missing).toEqual([]);
});

it("has every room of src/ in its table", () => {
  const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(rooms.filter(({ name }) => !page.includes(`| \`${name}/\``)).map(({ name }) => name)).toEqual([]);
});
