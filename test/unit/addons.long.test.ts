/**
 * The addons that `npm run addons` has left in prebuilds/: what each needs, and the one for this machine on the smoke
 * program. Skipped where there are none, since their compiler is too large to fetch for each run.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { faultsOfElf, parseDynamicSymbols, parseNeeded } from "../../scripts/release/objects.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PREBUILDS = join(ROOT, "prebuilds");
const manifest = join(PREBUILDS, "manifest.json");
const built = existsSync(manifest)
  ? (JSON.parse(readFileSync(manifest, "utf8")).addons as { file: string }[])
  : [];
if (built.length === 0) console.log("the addons of a release are skipped: npm run addons has not been run");

describe.skipIf(built.length === 0)("the addons of a release", () => {
  it.each(["linux-x64/zwire.glibc.node", "linux-arm64/zwire.glibc.node"])(
    "%s needs glibc 2.28 at most",
    (name) => {
      const file = join(PREBUILDS, name);
      const symbols = parseDynamicSymbols(execFileSync("objdump", ["-T", file], { encoding: "utf8" }));
      expect(symbols.filter(({ version }) => version.startsWith("GLIBC_")).length).toBeGreaterThan(10);
      const needed = parseNeeded(execFileSync("objdump", ["-p", file], { encoding: "utf8" }));
      expect(faultsOfElf({ symbols, needed, libc: "glibc" })).toEqual([]);
    },
  );

  it.skipIf(`${process.platform}-${process.arch}` !== "linux-x64")("the one for linux-x64 works", () => {
    const program = [join(ROOT, "test/support/smoke/smoke.mjs"), pathToFileURL(join(ROOT, "dist")).href];
    const env = { ...process.env, PREBUILDS_ONLY: "1", ZWIRE_ENGINE: "native" };
    const printed = execFileSync(process.execPath, program, { env, encoding: "utf8" });
    expect(JSON.parse(printed).engine).toBe("native");
  });

  it("all six of the manifest are there", () => {
    expect(built.map(({ file }) => file).filter((file) => !existsSync(join(PREBUILDS, file)))).toEqual([]);
    expect(built.length).toBe(6);
  });
});
