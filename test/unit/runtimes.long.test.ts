/**
 * Bun and Deno from npm, installed into a temporary folder: everything of the smoke program works there, on the portable
 * engine.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { smoke } from "../support/smoke/runtime.js";

const folder = mkdtempSync(join(tmpdir(), "zwire-runtimes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Path of a runtime's program, or why there is none. */
function install(name: string): { path: string } | { reason: string } {
  const home = join(folder, name);
  try {
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), "{}");
    const npm = ["install", "--no-audit", "--no-fund", "--loglevel=error", name];
    execFileSync("npm", npm, { cwd: home, stdio: "pipe", timeout: 300_000 });
    const path = join(home, "node_modules", ".bin", name);
    if (!existsSync(path)) return { reason: "its package has no program" };
    execFileSync(path, ["--version"], { stdio: "pipe", timeout: 60_000 });
    return { path };
  } catch (error) {
    return { reason: (error as Error).message.split("\n")[0] };
  }
}

for (const [name, ...args] of [["bun"], ["deno", "run", "-A"]]) {
  const installed = install(name);
  if ("reason" in installed) console.log(`${name} is skipped: ${installed.reason}`);
  describe.skipIf("reason" in installed)(name, () => {
    it("runs every pattern over every transport, on the portable engine", async () => {
      expect(await smoke((installed as { path: string }).path, ...args)).toBe("portable");
    });
  });
}
