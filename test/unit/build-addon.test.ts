/**
 * When `npm run build` leaves the addon out: it says what is missing, and does not let node-gyp download headers.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/helpers.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

/** Writes a file, and makes its folders. */
function write(file: string, text = ""): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** What a build says in a folder whose node-gyp tells its arguments, with these programs and files of headers only. */
function build({
  tools,
  headers = [],
  env = {},
}: {
  tools: string[];
  headers?: string[];
  env?: object;
}): string {
  const folder = temporaryDirectory();
  const [clone, bin, prefix] = ["clone", "bin", "prefix"].map((name) => join(folder, name));
  mkdirSync(prefix);
  cpSync(join(ROOT, "scripts", "ready.mjs"), join(clone, "scripts", "ready.mjs"));
  write(join(clone, "native", "addon.cc"));
  const gyp = "console.log(process.argv.slice(2).join(' '))";
  write(join(clone, "node_modules", "node-gyp", "bin", "node-gyp.js"), gyp);
  for (const tool of tools) write(join(bin, tool));
  for (const header of headers) write(join(prefix, "include", "node", header));
  const program = join(clone, "build.mjs");
  const ready = pathToFileURL(join(clone, "scripts", "ready.mjs")).href;
  write(
    program,
    `import { buildAddon } from ${JSON.stringify(ready)};
    buildAddon((line) => process.stderr.write(line + "\\n"), [${JSON.stringify(prefix)}]);`,
  );
  // node-gyp's output goes to stderr, as in ready.mjs: both in one.
  const said = execFileSync("/bin/sh", ["-c", `"${process.execPath}" "${program}" 2>&1`], {
    encoding: "utf8",
    env: { PATH: bin, ...env },
  });
  return said.replaceAll(prefix, "PREFIX");
}

const TOOLS = ["c++", "make", "python3"];

it.skipIf(process.platform === "win32").each([
  ["C++ compiler", ["make", "python3"]],
  ["make", ["c++", "python3"]],
  ["Python", ["c++", "make"]],
])("without %s a build says so and goes on without the addon", (what, tools) => {
  const said = build({ tools, headers: ["node_api.h"] });
  expect(said).toMatch(new RegExp(`^the addon is not built \\(no ${what.replaceAll("+", "\\+")}`));
  expect(said).toMatch(/the portable engine is used\n$/);
});

it.skipIf(process.platform === "win32")(
  "without Node's headers a build says what to do, and node-gyp is not called",
  () => {
    const said = build({ tools: TOOLS });
    expect(said).toMatch(
      /^the addon is not built \(no headers of Node.js here, and none are downloaded; to build it/,
    );
    expect(said).toContain("set npm_config_nodedir");
    expect(said).not.toContain("rebuild");
  },
);

it.skipIf(process.platform === "win32")(
  "a build uses the headers that it finds, or those that npm_config_nodedir names",
  () => {
    expect(build({ tools: TOOLS, headers: ["node_api.h"] })).toMatch(
      /^building the addon…\nrebuild .* --nodedir=PREFIX\n$/,
    );
    const named = build({ tools: TOOLS, env: { npm_config_nodedir: "/headers" } });
    expect(named).toMatch(/^building the addon…\nrebuild /);
    expect(named).not.toContain("--nodedir"); // node-gyp reads it from the environment itself
  },
);
