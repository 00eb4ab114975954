/**
 * Bundlers: a program with zwire, rpc and CURVE becomes a file that runs in an empty folder on the portable engine and says
 * why, and on the native one with the addon beside it. The settings are those of docs/bundling.md.
 */
import { cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../ready.mjs";
import { checkSmoke, folder, install, putPrograms, run, VERSIONS } from "./tools.mjs";

let prepared;
function sourceFolder(tarball) {
  prepared ??= (async () => {
    const path = folder("bundlers");
    await install(path, [tarball, ...VERSIONS.bundlers], "--ignore-scripts");
    putPrograms(path);
    for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(path, name), text);
    return path;
  })();
  return prepared;
}

/** Programs that call bundlers which have no command of their own, or one that needs a settings file. */
const PROGRAMS = {
  "rollup.mjs": `import { rollup } from "rollup";
import resolve from "@rollup/plugin-node-resolve";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
const plugins = [resolve({ exportConditions: ["node"], preferBuiltins: true }), commonjs(), json()];
const bundle = await rollup({ input: "alone.mjs", plugins, onwarn() {} });
await bundle.write({ file: "out-rollup/main.mjs", format: "es", inlineDynamicImports: true });
`,
  "vite.mjs": `import { build } from "vite";
await build({ logLevel: "error", build: { ssr: "alone.mjs", outDir: "out-vite", rollupOptions: { output: { entryFileNames: "main.mjs" } } }, ssr: { noExternal: true } });
`,
  "webpack.mjs": `import webpack from "webpack";
import { resolve } from "node:path";
const plugins = [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })];
const output = { path: resolve("out-webpack"), filename: "main.cjs" };
webpack({ mode: "production", target: "node20", entry: "./alone.mjs", output, plugins }, (error, stats) => {
  if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); }
});
`,
};
const ESBUILD = ["node_modules/esbuild/bin/esbuild", "alone.mjs", "--bundle", "--platform=node"];

/** Name, how it is called, and the file that comes out. */
const BUNDLERS = [
  [
    "esbuild, ES module",
    [...ESBUILD, "--format=esm", "--outfile=out-esbuild/main.mjs"],
    "out-esbuild/main.mjs",
  ],
  [
    "esbuild, CommonJS",
    [...ESBUILD, "--format=cjs", "--outfile=out-esbuild-cjs/main.cjs"],
    "out-esbuild-cjs/main.cjs",
  ],
  ["Rollup", [process.execPath, "rollup.mjs"], "out-rollup/main.mjs"],
  ["Vite, SSR", [process.execPath, "vite.mjs"], "out-vite/main.mjs"],
  ["webpack", [process.execPath, "webpack.mjs"], "out-webpack/main.cjs"],
  [
    "ncc",
    [process.execPath, "node_modules/@vercel/ncc/dist/ncc/cli.js", "build", "alone.mjs", "-o", "out-ncc"],
    "out-ncc/index.mjs",
  ],
];

export function bundlerCells(tarball) {
  return BUNDLERS.map(([name, command, file]) => ({
    name,
    run: async () => {
      const cwd = await sourceFolder(tarball);
      await run(command, { cwd });
      const [out, program] = file.split("/");
      const alone = folder(`alone-${out}`);
      for (const one of readdirSync(join(cwd, out)))
        cpSync(join(cwd, out, one), join(alone, one), { recursive: true });
      const start = [process.execPath, program];
      const note = checkSmoke(await run(start, { cwd: alone, seconds: 90 }), {
        engine: "portable",
        threads: false,
      });
      cpSync(join(root, "build", "Release", "zwire.node"), join(alone, "zwire.node"));
      checkSmoke(await run(start, { cwd: alone, seconds: 90 }), { engine: "native", threads: false });
      return note;
    },
  }));
}
