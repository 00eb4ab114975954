/**
 * What is published, made from the compiled ES modules in compiled/: a file for each entry, and one for each part that
 * entries share, because a program loads a few files in a quarter of the time of two hundred. dist/ gets ES modules,
 * dist/cjs/ gets CommonJS, for what cannot load an ES module by require(): Jest in its default mode, ts-jest, Node.js
 * started with --no-experimental-require-module. The compiler has put the declarations into dist/; those of dist/cjs/ are
 * made here. Run by ready.mjs.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { bundleWeb } from "./web.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const cjs = join(dist, "cjs");
const ENTRIES = ["index", "draft", "zeromq", "zeromq-draft", "rpc", "opentelemetry"];
const COMMANDS = ["cli/zwire", "cli/rpc"];
/**
 * The parts that entries share, by the compiled modules in each. A module takes along what it imports, so the lowest comes
 * first. What only commands share is put together by which of them use it.
 */
const SHARED = [
  ["core", /^compiled\/(?!cli\/|rpc[/.]|zeromq|draft\.|opentelemetry\.|tracing\/|.*\/draft\/)/],
  ["draft-sockets", /^compiled\/.*\/draft\//],
  ["zeromq-sockets", /^compiled\/zeromq\/(?!draft\.)/],
  ["messagepack", /^vendor\/msgpackr/],
  ["calls", /^compiled\/rpc\//],
];

/** @param {string[]} entries @param {import("rolldown").OutputOptions} output */
async function bundle(entries, output) {
  const build = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, join(root, "compiled", `${name}.js`)])),
    // Packages stay packages.
    external: (id) => !id.startsWith(".") && !isAbsolute(id),
    platform: "node",
    onLog(level, log) {
      if (level !== "debug" && level !== "info") throw new Error(`${output.dir}: ${log.message}`);
    },
  });
  const place = (id) => relative(root, id).replaceAll("\\", "/");
  const groups = SHARED.map(([name, modules], at) => ({
    name,
    test: (id) => modules.test(place(id)),
    priority: SHARED.length - at,
  }));
  await build.write({ codeSplitting: { groups }, keepNames: true, ...output });
}

/**
 * The same declarations, as those of CommonJS modules: TypeScript tells them by the name's ending. Without the default
 * export of zwire/zeromq, which is the whole module: TypeScript makes that of a CommonJS module by itself.
 */
function declare() {
  for (const path of readdirSync(dist, { recursive: true })) {
    if (!path.endsWith(".d.ts") || /^(cjs|cli|web)\b/.test(path)) continue;
    const text = readFileSync(join(dist, path), "utf8");
    const file = join(cjs, path.replace(/\.d\.ts$/, ".d.cts"));
    mkdirSync(dirname(file), { recursive: true });
    const named = text.replace(/^(\/\*\* .* \*\/\n)?export default all;\n/m, "");
    writeFileSync(file, named.replace(/((?:from|import\()\s*"\.[^"]*)\.js"/g, '$1.cjs"'));
  }
}

rmSync(cjs, { recursive: true, force: true });
// Whatever was there before: a name that is not used any more must not be packed.
for (const path of readdirSync(dist, { recursive: true })) if (path.endsWith(".js")) rmSync(join(dist, path));
await bundle([...ENTRIES, ...COMMANDS], {
  dir: dist,
  format: "es",
  entryFileNames: "[name].js",
  chunkFileNames: "shared/[name].js",
  comments: { legal: true, annotation: true, jsdoc: false },
});
await bundle(ENTRIES, {
  dir: cjs,
  format: "cjs",
  exports: "named",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name].cjs",
  // Jest's default mode has no import().
  dynamicImportInCjs: false,
  comments: { legal: true, annotation: false, jsdoc: false },
});
declare();
await bundleWeb(root);
