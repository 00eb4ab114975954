/**
 * docs/conformance.md has every item that sources and tests cite, and no other. Reads them as text.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const THIS = relative(ROOT, fileURLToPath(import.meta.url));
const list = readFileSync(join(ROOT, "docs/conformance.md"), "utf8");
const RPC_PART = /^## zwire\/rpc$/m;

/** A letter and a number, standing alone; V8 is the engine, and Z85 an encoding. */
const ITEM = /(?<![\w$#.@\\/-])(?!V8\b)[A-X]\d{1,2}(?![\w(/]|\.\d)/g;
/** "F6 to F17": all between are cited. */
const RANGE = /(?<![\w$#.@\\/-])([A-X])(\d{1,2}) to \1(\d{1,2})(?!\w)/g;

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    return /\.(c|cc|h|java|m?ts|mjs|py)$/.test(entry.name) ? [path] : [];
  });
}

function citedIn(text: string): string[] {
  const between = [...text.matchAll(RANGE)].flatMap(([, letter, from, to]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => `${letter}${Number(from) + i}`),
  );
  return [...(text.match(ITEM) ?? []), ...between];
}

const sources = ["src", "native", "test"]
  .flatMap((folder) => files(join(ROOT, folder)))
  .map((path) => relative(ROOT, path))
  .filter((name) => name !== THIS);

/** Of each item, a file that cites it; the items of rpc that share the letter T have "rpc " in front. */
const cited = new Map<string, string>();
for (const name of sources) {
  const aboutRpc = name.includes("rpc");
  for (const item of citedIn(readFileSync(join(ROOT, name), "utf8")))
    cited.set(aboutRpc && item.startsWith("T") ? `rpc ${item}` : item, name);
}

const [zmtp, rpc] = list.split(RPC_PART);
const rows = (text: string): string[] => [...text.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, item]) => item);
const listed = [...rows(zmtp), ...rows(rpc).map((item) => `rpc ${item}`)];

describe("the conformance list", () => {
  it("has every item that is cited", () => {
    const missing = [...cited].filter(([item]) => !listed.includes(item));
    expect(missing).toEqual([]);
  });

  it("has no item that nobody cites", () => {
    expect(listed.filter((item) => !cited.has(item))).toEqual([]);
  });

  it("has each item once, with a rule and what it stands for", () => {
    expect(new Set(listed).size).toBe(listed.length);
    const lines = list.split("\n").filter((line) => /^\| [A-Z]\d/.test(line));
    for (const line of lines)
      expect(line).toMatch(/^\| [A-Z]\d+ \| [^|]+\.\)? \| (RFC|libzmq|zerorpc)[^|]* \|$/);
  });

  it("knows a citation from other words", () => {
    expect(
      citedIn("items J1 to J3, (E14); V8, Z85, SHA256, x.A1, A1b, #B2, RFC 37, ws13, 0xE9, U+FFFD, T3.5"),
    ).toEqual(["J1", "J3", "E14", "J1", "J2", "J3"]);
  });
});
