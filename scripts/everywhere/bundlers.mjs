/**
 * Bundlers: a program with zwire, rpc and CURVE becomes a file that runs in an empty folder on the portable engine and says
 * why, and on the native one with the addon beside it. The settings are those of docs/bundling.md.
 */
import { cpSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../ready.mjs";
import { checkSmoke, folder, install, once, putPrograms, run, VERSIONS } from "./tools.mjs";

async function makeSource(tarball, name = "bundlers") {
  const path = folder(name);
  await install(path, [tarball, ...VERSIONS.bundlers], "--ignore-scripts");
  putPrograms(path);
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(path, name), text);
  return path;
}
const sharedSource = once(makeSource);

/** Programs that call bundlers which have no command of their own, or one that needs a settings file. */
const PROGRAMS = {
  "rollup.mjs": `import { rollup } from "rollup";
import resolve from "@rollup/plugin-node-resolve";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
const plugins = [resolve({ exportConditions: ["node"], preferBuiltins: true }), commonjs(), json()];
const bundle = await rollup({ input: "alone.mjs", plugins, onwarn() {} });
await bundle.write({ file: process.argv[3], format: process.argv[2], inlineDynamicImports: true });
`,
  "vite.mjs": `import { build } from "vite";
await build({ logLevel: "error", build: { ssr: "alone.mjs", outDir: "out-vite", rollupOptions: { output: { entryFileNames: "main.mjs" } } }, ssr: { noExternal: true } });
`,
  "webpack.mjs": `import webpack from "webpack";
import { resolve } from "node:path";
const plugins = [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })];
const [kind, folder, filename] = process.argv.slice(2);
const output = { path: resolve(folder), filename, module: kind === "es" };
const module = { parser: { javascript: { dynamicImportMode: "eager" } } };
const asModule = kind === "es" ? { experiments: { outputModule: true }, module } : {};
const settings = { mode: "production", target: "node20", entry: "./alone.mjs", output, plugins, ...asModule };
webpack(settings, (error, stats) => {
  if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); }
});
`,
};
const ESBUILD = ["node_modules/esbuild/bin/esbuild", "alone.mjs", "--bundle", "--platform=node"];

const MOVED = "webpack, ES module";

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
  ["Rollup, ES module", [process.execPath, "rollup.mjs", "es", "out-rollup/main.mjs"], "out-rollup/main.mjs"],
  [
    "Rollup, CommonJS",
    [process.execPath, "rollup.mjs", "cjs", "out-rollup-cjs/main.cjs"],
    "out-rollup-cjs/main.cjs",
  ],
  ["Vite, SSR", [process.execPath, "vite.mjs"], "out-vite/main.mjs"],
  [
    "webpack, CommonJS",
    [process.execPath, "webpack.mjs", "cjs", "out-webpack", "main.cjs"],
    "out-webpack/main.cjs",
  ],
  [MOVED, [process.execPath, "webpack.mjs", "es", "out-webpack-es", "main.mjs"], "out-webpack-es/main.mjs"],
  [
    "ncc",
    [process.execPath, "node_modules/@vercel/ncc/dist/ncc/cli.js", "build", "alone.mjs", "-o", "out-ncc"],
    "out-ncc/index.mjs",
  ],
];

/**
 * Bundles the program. An ES module by webpack contains its source's address, beside which zwire is installed: so that it is
 * as on another machine, its source lies in a folder of its own, which is then moved away.
 * @returns the folder in which the commands of BUNDLERS put their files
 */
async function bundle(name, command, tarball) {
  if (name !== MOVED) {
    const cwd = await sharedSource(tarball);
    await run(command, { cwd });
    return cwd;
  }
  const cwd = await makeSource(tarball, "bundlers-moved");
  await run(command, { cwd });
  const away = folder("away");
  renameSync(cwd, join(away, "source"));
  return join(away, "source");
}

export function bundlerCells(tarball) {
  return BUNDLERS.map(([name, command, file]) => ({
    name,
    run: async () => {
      const source = await bundle(name, command, tarball);
      const [out, program] = file.split("/");
      const alone = folder(`alone-${out}`);
      for (const one of readdirSync(join(source, out)))
        cpSync(join(source, out, one), join(alone, one), { recursive: true });
      const start = [process.execPath, program];
      const expected = { engine: "portable", threads: false };
      const note = checkSmoke(await run(start, { cwd: alone, seconds: 90 }), expected);
      cpSync(join(root, "build", "Release", "zwire.node"), join(alone, "zwire.node"));
      const beside = await run(start, { cwd: alone, seconds: 90 });
      checkSmoke(beside, { ...expected, engine: "native" });
      return note;
    },
  }));
}
