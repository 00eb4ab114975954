/**
 * What a program in TypeScript gets of the package: its declarations compile, whatever version of @types/node is beside
 * them. `npm run test:everywhere` compiles the packed ones with several versions of TypeScript and @types/node.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

it("a socket is an emitter to the compiler, too", () => {
  let said = "";
  try {
    const flags = "--ignoreConfig --noEmit --strict --target es2023 --module nodenext --types node";
    execFileSync(
      process.execPath,
      [
        join(ROOT, "node_modules/typescript/bin/tsc"),
        ...flags.split(" "),
        "--skipLibCheck",
        "false",
        join(ROOT, "test/unit/declarations.check.ts"),
      ],
      { cwd: ROOT, encoding: "utf8" },
    );
  } catch (error) {
    said = (error as { stdout: string }).stdout;
  }
  expect(said).toBe("");
});

it("what a page gets compiles by itself, without the types of Node", () => {
  let said = "";
  try {
    const flags =
      "--ignoreConfig --noEmit --strict --target es2023 --module nodenext --lib es2023,dom --skipLibCheck false";
    const entries = ["web", "web-rpc"].map((entry) => join(ROOT, `dist/web-types/${entry}.d.ts`));
    execFileSync(
      process.execPath,
      [join(ROOT, "node_modules/typescript/bin/tsc"), ...flags.split(" "), "--types", "", ...entries],
      { cwd: ROOT, encoding: "utf8" },
    );
  } catch (error) {
    said = (error as { stdout: string }).stdout;
  }
  expect(said).toBe("");
});

it("no class or member is declared by a type of node:events, which changes with @types/node", () => {
  const declarations = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" }).filter(
    // a Python worker extends EventEmitter, without its types; base/platform hands it on to code, not to declarations
    (file) => file.endsWith(".d.ts") && !file.startsWith("rpc") && file !== join("base", "platform.d.ts"),
  );
  expect(declarations.length).toBeGreaterThan(50);
  const naming = declarations.filter((file) =>
    /from "node:events"|\bEventEmitter\b[^;]*platform/.test(readFileSync(join(ROOT, "dist", file), "utf8")),
  );
  expect(naming).toEqual([]);
});

it("what is not for users is in no declaration", () => {
  const declarations = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".d.ts"),
  );
  const naming = declarations.filter((file) =>
    /@internal|\bnextRoutingId\b(?=[(:])/.test(readFileSync(join(ROOT, "dist", file), "utf8")),
  );
  expect(naming.filter((file) => file !== join("options", "numbers.d.ts"))).toEqual([]);
});

it("needs no TypeScript newer than 5.0: no generic arrays, no exports with names in quotes", () => {
  const declarations = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.d\.c?ts$/.test(file),
  );
  const naming = declarations.filter((file) =>
    /\b(Uint8Array|Buffer|DataView)<|export \{[^}]*\bas "/.test(
      readFileSync(join(ROOT, "dist", file), "utf8"),
    ),
  );
  expect(naming).toEqual([]);
});
