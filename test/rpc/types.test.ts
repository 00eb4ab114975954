/**
 * The declarations of zwire/rpc: a service's types arrive at its client, and mistakes are found by the compiler.
 */
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

it("a typed service, its typed client, and what must not compile", () => {
  const options = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--target",
    "es2023",
    "--lib",
    "es2023,esnext.disposable,dom",
    "--module",
    "nodenext",
  ];
  let said = "";
  try {
    execFileSync(
      process.execPath,
      [
        join(ROOT, "node_modules/typescript/bin/tsc"),
        ...options,
        "--types",
        "node",
        join(ROOT, "test/rpc/types.check.ts"),
      ],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );
  } catch (error) {
    said = (error as { stdout: string }).stdout;
  }
  expect(said).toBe("");
});
