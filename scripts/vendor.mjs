/**
 * The code of others that zwire's tarball contains: vendor/msgpackr.js and vendor/uplot.js, made from the packages of these names, and
 * THIRD-PARTY-NOTICES.md, which also names what scripts/web.mjs and binding.gyp put in. As a dependency, msgpackr would bring msgpackr-extract, whose install script makes pnpm refuse the
 * installation; zwire does not need it. Run by ready.mjs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

/** An installed package: its name, version, and the text of its licence. */
function described(name, licence) {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { name, version, license, text: readFileSync(join(folder, licence), "utf8").trim() };
}

const ENTRY = "zwire-uses";
/** What zwire uses of msgpackr, from its entry for browsers: the one for Node.js loads msgpackr-extract. */
const PROGRAM = `export { Packr, Unpackr } from ${JSON.stringify(join(root, "node_modules/msgpackr/index.js"))};`;

/** Writes the code as one module, below the licence. */
async function bundle({ name, version, text }) {
  const build = await rolldown({
    input: ENTRY,
    platform: "node",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? PROGRAM : null),
      },
    ],
    onLog(level, log) {
      if (level !== "debug" && level !== "info") throw new Error(`${name}: ${log.message}`);
    },
  });
  // The exclamation mark keeps the licence where a bundler drops other comments.
  const licence = text.replace(/^/gm, " * ").replace(/ +$/gm, "");
  const banner = `/*!\n * ${name} ${version}, the part that zwire uses. Made by scripts/vendor.mjs.\n *\n${licence}\n */`;
  const file = join(root, "vendor", `${name}.js`);
  const { output } = await build.write({ file, format: "es", banner, comments: { jsdoc: false } });
  const [{ imports, code }] = output;
  if (output.length > 1 || imports.length > 0 || /\brequire\b|msgpackr-extract/.test(code))
    throw new Error(`${name} is not one file that stands by itself: ${imports}`);
}

/** A section of the notices; `where` says which files have its code. */
function notice({ name, version, license, text }, where) {
  return `## ${name} ${version} (${license})\n\n${where}\n\n\`\`\`text\n${text}\n\`\`\`\n`;
}

/** Writes a chart library as texts, which `zwire top --web` serves. */
function embed({ name, version, text }) {
  const file = (path) => JSON.stringify(readFileSync(join(root, "node_modules", name, "dist", path), "utf8"));
  const licence = text.replace(/^/gm, " * ").replace(/ +$/gm, "");
  const banner = `/*!\n * ${name} ${version}, as texts. Made by scripts/vendor.mjs.\n *\n${licence}\n */`;
  const code = `export const script = ${file("uPlot.iife.min.js")};\nexport const style = ${file("uPlot.min.css")};\n`;
  writeFileSync(join(root, "vendor", `${name}.js`), `${banner}\n${code}`);
}

const msgpackr = described("msgpackr", "LICENSE");
await bundle(msgpackr);
const uplot = described("uplot", "LICENSE");
embed(uplot);
const notices = [
  "# Third-party notices\n\nThis package contains code of others. Its own licence is in LICENSE.\n",
  notice(msgpackr, "In dist/."),
  notice(uplot, "In dist/, for the page of `zwire top --web`."),
  notice(described("libsodium", "LICENSE"), "In dist/web-curve.js. In Node.js it is a package of its own."),
  notice(described("node-addon-api", "LICENSE.md"), "In the addons, prebuilds/*/*.node."),
];
writeFileSync(join(root, "THIRD-PARTY-NOTICES.md"), notices.join("\n"));
