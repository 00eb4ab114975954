/**
 * Which test files run where: what `npm test` leaves out runs in `npm run test:all`, everything above the transport on
 * both engines, and nothing twice.
 */
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
const FILES = readdirSync(resolve(ROOT, "test"), { recursive: true, encoding: "utf8" })
  .map((name) => `test/${name.replaceAll("\\", "/")}`)
  .filter((name) => name.endsWith(".test.ts") && !name.includes("node_modules"))
  .sort();

/** The patterns that the configuration uses: a star, and two with a slash. */
function pattern(glob: string): RegExp {
  if (/[?{}[\]!()]/.test(glob)) throw new Error(`this test does not know the pattern ${glob}`);
  const source = glob
    .replace(/[.+^$|\\]/g, "\\$&")
    .replace(/\*\*\/|\*/g, (star) => (star === "*" ? "[^/]*" : "(?:.*/)?"));
  return new RegExp(`^${source}$`);
}

interface Project {
  readonly test: { readonly name: string; readonly include: string[]; readonly exclude: string[] };
}

/** For each project, the files that run when ZWIRE_TESTS is this. */
async function chosen(which: "quick" | "long" | "all"): Promise<Record<string, string[]>> {
  vi.stubEnv("ZWIRE_TESTS", which);
  vi.resetModules();
  const { default: config } = await import("../../vitest.config.js");
  const projects = config.test!.projects as unknown as Project[];
  return Object.fromEntries(
    projects.map(({ test: { name, include, exclude } }) => {
      const [wanted, left] = [include.map(pattern), exclude.map(pattern)];
      const one = (file: string) => wanted.some((w) => w.test(file)) && !left.some((l) => l.test(file));
      return [name, FILES.filter(one)];
    }),
  );
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("every test file", () => {
  it("runs in npm test or in what test:all adds, and not in both", async () => {
    const [quick, long, all] = [await chosen("quick"), await chosen("long"), await chosen("all")];
    for (const project of ["unit", "native", "portable"]) {
      expect([...quick[project], ...long[project]].sort()).toEqual(all[project]);
      expect(quick[project].length).toBeGreaterThan(20);
    }
    for (const project of ["browser", "browser-portable"]) {
      expect(quick[project]).toEqual([]);
      expect(long[project]).toEqual(all[project]);
      expect(all[project].length).toBeGreaterThan(0);
    }
  });

  it("runs once, or on both engines", async () => {
    const { unit, native, portable, browser } = await chosen("all");
    expect(portable).toEqual(native);
    expect([...unit, ...native, ...browser].sort()).toEqual(FILES);
  });

  it("that the configuration names is there", async () => {
    for (const which of ["quick", "long"] as const) {
      await chosen(which);
      const { default: config } = await import("../../vitest.config.js");
      const projects = config.test!.projects as unknown as Project[];
      const named = projects.flatMap(({ test }) => [...test.include, ...test.exclude]);
      for (const name of named.filter((name) => !name.includes("*"))) {
        // In "long", a file that runs once may have a long one beside it.
        if (!name.endsWith(".long.test.ts")) expect(existsSync(resolve(ROOT, name)), name).toBe(true);
      }
    }
  });
});
