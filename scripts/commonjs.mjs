/**
 * The CommonJS build, for what cannot load an ES module by require(): Jest in its default mode, ts-jest, Node.js started
 * with --no-experimental-require-module. dist/cjs/ gets one file per entry and one for each part that entries share, made
 * from the compiled ES modules, and their declarations. Run by ready.mjs.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const target = join(dist, "cjs");
const ENTRIES = ["index", "draft", "zeromq", "zeromq-draft", "rpc"];

async function bundle() {
  const build = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [name, join(dist, `${name}.js`)])),
    // Packages stay packages; what is ours lies in dist/.
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    platform: "node",
    onLog(level, log) {
      if (level !== "debug" && level !== "info") throw new Error(`the CommonJS build: ${log.message}`);
    },
  });
  await build.write({
    dir: target,
    format: "cjs",
    exports: "named",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    // Jest's default mode has no import().
    dynamicImportInCjs: false,
    comments: { legal: true, annotation: false, jsdoc: false },
  });
}

/**
 * The same declarations, as those of CommonJS modules: TypeScript tells them by the name's ending. Without the default
 * export of zwire/zeromq, which is the whole module: TypeScript makes that of a CommonJS module by itself.
 */
function declare() {
  for (const path of readdirSync(dist, { recursive: true })) {
    if (!path.endsWith(".d.ts") || path.startsWith("cjs") || path.startsWith("cli")) continue;
    const text = readFileSync(join(dist, path), "utf8");
    const file = join(target, path.replace(/\.d\.ts$/, ".d.cts"));
    mkdirSync(dirname(file), { recursive: true });
    const named = text.replace(/^(\/\*\* .* \*\/\n)?export default all;\n/m, "");
    writeFileSync(file, named.replace(/((?:from|import\()\s*"\.[^"]*)\.js"/g, '$1.cjs"'));
  }
}

rmSync(target, { recursive: true, force: true });
await bundle();
declare();
