/**
 * What a program in TypeScript sees: the same sources compile against zeromq's declarations and against ours, with
 * nothing changed but where the name leads.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

/** What the compiler says, nothing when it agrees. */
function compile(paths: Record<string, string[]>): string {
  const folder = mkdtempSync(join(ROOT, "test", "zeromq", ".types-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const configuration = {
    compilerOptions: {
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      module: "esnext",
      moduleResolution: "bundler",
      types: ["node"],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      allowJs: true,
      checkJs: true,
      paths,
    },
    files: [join(ROOT, "test/zeromq/types/usage.ts")],
    include: [join(ROOT, "test/zeromq/programs/*.mjs")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
  try {
    return execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder], {
      cwd: ROOT,
      encoding: "utf8",
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

describe("declarations", () => {
  it("programs of zeromq.js compile against zeromq", () => {
    expect(compile({})).toBe("");
  });

  it("programs of zeromq.js compile against zwire/zeromq", () => {
    const paths = {
      zeromq: [join(ROOT, "dist/zeromq.d.ts")],
      "zeromq/draft": [join(ROOT, "dist/zeromq-draft.d.ts")],
    };
    expect(compile(paths)).toBe("");
  });
});
