/**
 * zwire/web, made from the same compiled modules as the rest: dist/web.js for pages, with what only CURVE needs in
 * dist/web-curve.js beside it, and the declarations in dist/web-types/. A page has no Node.js: for a module that needs it, or that
 * a page does not need, one with the same exports stands in src/web/instead. Run by bundle.mjs.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { rolldown } from "rolldown";

/** Where the modules are that stand for others: that for session/loans is session/loans in this folder. */
const INSTEAD = "web/instead";
/** The file that is loaded only for CURVE, and the module that loads it. */
const CURVE = "web/curve";

/** What pages import. */
const ENTRIES = ["web", "web-rpc"];
/**
 * Of what the language has, pages that compile for an older one know this by no other way; and TypeScript before 5.2 has no
 * library for it. The same as in Node's own declarations, so that all of them fit together.
 */
const DISPOSABLE = `interface SymbolConstructor {
  readonly dispose: unique symbol;
  readonly asyncDispose: unique symbol;
}
interface Disposable {
  [Symbol.dispose](): void;
}
interface AsyncDisposable {
  [Symbol.asyncDispose](): PromiseLike<void>;
}
`;

/** The module of compiled/ or dist/ that an import leads to, without its ending. */
function target(folder, importer, id) {
  return relative(folder, resolve(dirname(importer), id))
    .replaceAll("\\", "/")
    .replace(/\.js$/, "");
}

/** The module that stands for another one, unless that asks itself, or the second file, for the original. */
function standIn(folder, name, importer) {
  const other = `${INSTEAD}/${name}`;
  if (importer === other || (importer === CURVE && name === "security/crypto/crypto")) return name;
  return ["js", "d.ts"].some((ending) => existsSync(join(folder, `${other}.${ending}`))) ? other : name;
}

/** @param {string} root the project's folder @param {string} entry @param {string} file @param {string} banner what stands first */
async function bundle(root, entry, file, banner = "") {
  const compiled = join(root, "compiled");
  const build = await rolldown({
    input: join(compiled, `${entry}.js`),
    platform: "browser",
    plugins: [
      {
        name: "page",
        resolveId(id, importer) {
          if (importer === undefined || !id.startsWith(".")) return null;
          const name = target(compiled, importer, id);
          if (name === CURVE) return { id: "./web-curve.js", external: true };
          // Calls use sockets as a program does.
          if (name === "index" || name === "web") return { id: "./web.js", external: true };
          const replaced = standIn(compiled, name, relative(compiled, importer).replace(/\.js$/, ""));
          return replaced === name ? null : join(compiled, `${replaced}.js`);
        },
      },
    ],
    onLog(level, log) {
      if (level !== "debug" && level !== "info") throw new Error(`${file}: ${log.message}`);
    },
  });
  const { output } = await build.write({
    file: join(root, "dist", file),
    format: "es",
    codeSplitting: false,
    banner,
    // Errors name the class of a socket.
    minify: {
      mangle: { keepNames: { class: true, function: false } },
      compress: { keepNames: { class: true, function: false } },
    },
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  const strange = output[0].imports.filter((id) => !/^\.\/web(-curve)?\.js$/.test(id));
  if (output.length > 1 || strange.length > 0) throw new Error(`${file} is not one file: ${strange}`);
}

/** Copies the declarations that dist/web.d.ts leads to into dist/web-types/, with what stands for the replaced ones. */
function declare(root) {
  const dist = join(root, "dist");
  const done = new Set();
  const copy = (name) => {
    if (done.has(name)) return;
    done.add(name);
    const from = join(dist, `${name}.d.ts`);
    const to = join(dist, "web-types", `${name}.d.ts`);
    const libraries = ENTRIES.includes(name) ? '/// <reference path="./disposable.d.ts" />\n' : "";
    const text =
      libraries +
      readFileSync(from, "utf8").replace(/((?:from|import\()\s*")(\.[^"]*)"/g, (_, before, id) => {
        const named = target(dist, from, id);
        const replaced = named === "index" ? "web" : standIn(dist, named, name);
        copy(replaced);
        const path = relative(dirname(to), join(dist, "web-types", `${replaced}.js`)).replaceAll("\\", "/");
        return `${before}${path.startsWith(".") ? path : `./${path}`}"`;
      });
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  };
  rmSync(join(dist, "web-types"), { recursive: true, force: true });
  for (const name of ENTRIES) copy(name);
  writeFileSync(join(dist, "web-types", "disposable.d.ts"), DISPOSABLE);
  // They were needed for this only.
  rmSync(join(dist, "web"), { recursive: true });
  for (const name of ENTRIES) rmSync(join(dist, `${name}.d.ts`));
}

/** Makes zwire/web. */
export async function bundleWeb(root) {
  await bundle(root, "web", "web.js");
  await bundle(root, "web-rpc", "web-rpc.js");
  // A page is sent this file alone, without the notices of the package.
  const licence = readFileSync(join(root, "node_modules/libsodium/LICENSE"), "utf8").trim();
  await bundle(
    root,
    CURVE,
    "web-curve.js",
    `/*!\n * libsodium\n *\n${licence.replace(/^/gm, " * ").replace(/ +$/gm, "")}\n */`,
  );
  declare(root);
}
