/**
 * Makes the site: `npm run site`. Installs what it needs below site/, copies the documents, writes the API's pages from
 * the doc comments, builds all with VitePress into site/out/, and checks it: each document is in the sidebar, each public
 * name has a page, each link and anchor of the built pages leads somewhere.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { npm } from "../scripts/ready.mjs";
import { checkLinks } from "./check-links.mjs";
import { ENTRIES, GROUPS, pages, root, site } from "./contents.mjs";

/** Ends with a sentence, because no stack is worth printing. */
function fail(text) {
  process.stderr.write(`the site: ${text}\n`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: site, stdio: ["ignore", 2, 2], ...options });
  if (error) fail(`${command}: ${error.message}`);
  if (status !== 0) fail(`${args[0]} failed`);
}

function install() {
  const installed =
    statSync(join(site, "node_modules", ".package-lock.json"), { throwIfNoEntry: false })?.mtimeMs ?? -1;
  if (installed >= statSync(join(site, "package-lock.json")).mtimeMs) return;
  process.stderr.write("installing what the site needs…\n");
  const { command, shell } = npm();
  run(command[0], [...command.slice(1), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], { shell });
}

/** The documents: where they lie in the project, and on the site. */
function documents() {
  const found = new Map([["README.md", "index.md"]]);
  // In a folder of their own, in small letters: docs/security.md is another page than SECURITY.md.
  for (const name of ["CHANGELOG", "CODE_OF_CONDUCT", "CONTRIBUTING", "SECURITY"])
    found.set(`${name}.md`, `project/${name.toLowerCase().replaceAll("_", "-")}.md`);
  for (const path of readdirSync(join(root, "docs"), { recursive: true }))
    if (path.endsWith(".md")) found.set(posix.join("docs", path), path);
  return found;
}

/**
 * A document as a page: links to other documents lead to their pages, and links to other files of the project to copies of
 * them.
 */
function toPage(text, source, target, all) {
  const linked = (bare) =>
    bare.replace(/\]\(((?!https?:|mailto:|#)[^)\s#]+)(#[^)\s]*)?\)/g, (_, path, anchor = "") => {
      const file = relative(root, resolve(root, dirname(source), path));
      const page = all.get(file);
      if (page !== undefined) {
        const to = posix.relative(posix.dirname(target), page);
        return `](${to.startsWith(".") ? to : `./${to}`}${anchor})`;
      }
      if (!existsSync(join(root, file))) fail(`${source} names ${path}, which does not exist`);
      if (statSync(join(root, file)).isDirectory())
        fail(`${source} links to the folder ${path}: link to a file in it`);
      const copy = join(pages, "public", "files", file);
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(join(root, file), copy);
      // A file is not a page: VitePress would add ".html" to its name.
      return /\.(svg|png)$/.test(file) ? `](/files/${file})` : `](/files/${file}){target="_self"}`;
    });
  // Outside code, angle brackets are text here, not parts of a Vue component.
  const escaped = (bare) => bare.replace(/<(?=[A-Za-z/])/g, "&lt;");
  const pieces = text.split(/(```[\s\S]*?```|`[^`\n]*`)/); // every second one is code
  return pieces.map((piece, index) => (index % 2 === 1 ? piece : escaped(linked(piece)))).join("");
}

function copyDocuments() {
  const all = documents();
  for (const [source, target] of all) {
    const file = join(pages, target);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, toPage(readFileSync(join(root, source), "utf8"), source, target, all));
  }
  const listed = GROUPS.flatMap(([, items]) => items.map(([, page]) => `${page}.md`)).sort();
  const missing = [...all.values()].filter((page) => !listed.includes(page));
  if (missing.length > 0) fail(`not in the sidebar (site/contents.mjs): ${missing.join(", ")}`);
  const gone = listed.filter((page) => ![...all.values()].includes(page));
  if (gone.length > 0) fail(`in the sidebar, but gone: ${gone.join(", ")}`);
}

/** Every name that an entry exports, types included, has a page of its own. */
async function checkNames() {
  const { default: ts } = await import("typescript");
  const entries = Object.keys(ENTRIES).map((entry) => join(root, "src", `${entry}.ts`));
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(site, "tsconfig.json"), ts.sys.readFile).config,
    ts.sys,
    site,
  );
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  let names = 0;
  for (const [entry, packageName] of Object.entries(ENTRIES)) {
    const source = program.getSourceFile(join(root, "src", `${entry}.ts`));
    const written = readdirSync(join(pages, "api", entry), { recursive: true }).map((path) =>
      posix.basename(path, ".md"),
    );
    for (const { name } of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) {
      if (name === "default" || name === "module.exports") continue; // the whole, once more
      names++;
      // What another entry exports has its page there, and a line that leads to it in this entry's index.
      const index = readFileSync(join(pages, "api", entry, "index.md"), "utf8");
      if (!written.includes(name) && !new RegExp(`\\b${name}\\b`).test(index))
        fail(`${name} of ${packageName} has no page`);
    }
  }
  return names;
}

install();
for (const folder of [pages, join(site, "out")]) rmSync(folder, { recursive: true, force: true });
copyDocuments();
run(process.execPath, ["node_modules/typedoc/bin/typedoc"]);
const names = await checkNames();
run(process.execPath, ["node_modules/vitepress/bin/vitepress.js", "build", "."]);
const { files, links, broken } = checkLinks(join(site, "out"));
if (broken.length > 0) fail(`broken links:\n${broken.join("\n")}`);
console.log(`${names} public names, ${files} pages, ${links} links: 0 broken. The site is in site/out/`);
