/**
 * Writes the package zwire-zeromq: the module `zeromq`, on zwire, for packages that ask for zeromq themselves. It has the
 * version of zwire, depends on exactly that version, and holds no code of its own. docs/dependents.md says how it is used.
 *
 *   node scripts/release/zeromq-package.mjs FOLDER    writes it; then `npm pack FOLDER` or `npm publish FOLDER`
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Each file of the package, and what it passes on. */
const ENTRIES = { index: "zwire/zeromq", draft: "zwire/zeromq/draft" };

/** The files of one entry: `.js` is CommonJS, also for tools that know no "exports", and has no export `default`. */
function filesOf(name, entry) {
  const named = `export * from "${entry}";\n`;
  const all = `${named}export { default } from "${entry}";\n`;
  return {
    [`${name}.js`]: `"use strict";\nmodule.exports = require("${entry}");\n`,
    [`${name}.mjs`]: all,
    [`${name}.d.ts`]: named,
    [`${name}.d.mts`]: all,
  };
}

function exported(name) {
  return {
    import: { types: `./${name}.d.mts`, default: `./${name}.mjs` },
    require: { types: `./${name}.d.ts`, default: `./${name}.js` },
  };
}

function manifest() {
  const { version, license, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return {
    name: "zwire-zeromq",
    version,
    description: "The module zeromq, on zwire: for packages that ask for zeromq themselves.",
    license,
    engines,
    type: "commonjs",
    main: "./index.js",
    types: "./index.d.ts",
    exports: {
      ".": exported("index"),
      "./draft": exported("draft"),
      "./draft.js": exported("draft"),
      "./package.json": "./package.json",
    },
    sideEffects: false,
    dependencies: { zwire: version },
    keywords: ["zeromq", "zmq", "zwire"],
  };
}

function readme({ version }) {
  return `# zwire-zeromq

The module \`zeromq\`, on zwire: install it in the place of zeromq for packages that ask for zeromq themselves. It passes on
\`zwire/zeromq\` and \`zwire/zeromq/draft\`, and holds no code of its own.

- npm, in package.json: \`"overrides": { "zeromq": "npm:zwire-zeromq@^${version}" }\`
- yarn, in package.json: \`"resolutions": { "zeromq": "npm:zwire-zeromq@^${version}" }\`
- pnpm, in pnpm-workspace.yaml: \`overrides:\` and below it \`  zeromq: "npm:zwire-zeromq@^${version}"\`

zwire's docs/dependents.md and docs/zeromq-js.md say what differs from zeromq. In code of your own, import \`zwire/zeromq\` or \`zwire\` instead.
`;
}

/** Writes the package into a folder, which is made if need be. */
export function writeZeromqPackage(folder) {
  mkdirSync(folder, { recursive: true });
  const about = manifest();
  const files = { "package.json": `${JSON.stringify(about, null, 2)}\n`, "README.md": readme(about) };
  for (const [name, entry] of Object.entries(ENTRIES)) Object.assign(files, filesOf(name, entry));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("usage: node scripts/release/zeromq-package.mjs FOLDER");
    process.exit(2);
  }
  writeZeromqPackage(folder);
  console.log(folder);
}
