/** The files of zwire/web: their size, what they import, and the modules that stand for others in them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../../..");
const COMPILED = join(ROOT, "compiled");
const INSTEAD = join(COMPILED, "web", "instead");
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), "utf8");

/** Compiled modules below a folder, as paths from there. */
const modules = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".js"));

const STAND_INS = modules(INSTEAD);
/** For declarations only: no file for pages has anything of them. */
const TYPES_ONLY = ["options/common.js", "security/tls/settings.js"];

/** Names that a compiled module imports from each module, as [path below compiled/, names]. */
function imports(name: string): [string, string[]][] {
  const file = join(COMPILED, name);
  const text = readFileSync(file, "utf8");
  return [
    ...text.matchAll(/(?:import|export)\s+(?:(\w+),?\s*)?(?:\{([^}]*)\}|\* as \w+)?\s*from "(\.[^"]+)"/g),
  ].map(([, , names = "", id]) => [
    relative(COMPILED, resolve(dirname(file), id)).replaceAll("\\", "/"),
    names
      .split(",")
      .map((one) => one.trim().split(/\s+as\s+/)[0])
      .filter((one) => one !== ""),
  ]);
}

/** Names that a compiled module exports. */
async function exported(path: string): Promise<string[]> {
  return Object.keys(await import(path));
}

/** The modules that a page's file is made of: from the entries, with stand-ins in place of what they stand for. */
function reached(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.set(name, []);
    for (const [other, names] of imports(name)) {
      // Calls use the sockets of the page, as scripts/web.mjs has it.
      if (other === "index.js") continue;
      const stands = `web/instead/${other}`;
      const kept = name === stands || (name === "web/curve.js" && other === "security/crypto/crypto.js");
      const leads = !kept && STAND_INS.includes(other) ? stands : other;
      visit(leads);
      found.get(leads)?.push(...names);
    }
  };
  visit("web.js");
  visit("web-rpc.js");
  visit("web/curve.js");
  return found;
}

describe("dist/web.js", () => {
  it("is at most 68 KB gzipped", () => {
    // A guard against growth, and no goal: it has 65.8 or so.
    const size = gzipSync(read("dist", "web.js"), { level: 9 }).length;
    expect(size).toBeGreaterThan(20_000);
    expect(size).toBeLessThanOrEqual(68 * 1024);
  });

  it("imports nothing but the file for CURVE, when that is asked for, and names no module of Node.js", () => {
    const text = read("dist", "web.js");
    expect(text).not.toMatch(/node:|\brequire\(|\bprocess\./);
    expect(text).not.toMatch(/(?:^|[;}\s])import\s*(?:["{*]|\w+\s+from)/);
    const dynamic = [...text.matchAll(/import\(\s*[`'"]([^`'"]*)[`'"]\s*\)/g)].map(([, id]) => id);
    expect(dynamic).toEqual(["./web-curve.js"]);
    expect([...text.matchAll(/\bimport\(/g)]).toHaveLength(1);
  });

  it("and the file for CURVE is whole by itself", () => {
    const text = read("dist", "web-curve.js");
    expect(text).not.toMatch(/(?:^|[;}\s])import\s*(?:["{*]|\w+\s+from)/);
    expect(text).toMatch(/export\s*\{[^}]*newCrypto/);
  });

  it("shows the names of classes, and those that Node's entry has, too", async () => {
    const web = (await import(join(ROOT, "dist", "web.js"))) as Record<string, unknown>;
    const node = (await import(join(ROOT, "dist", "index.js"))) as Record<string, unknown>;
    const own = ["loadCurve"];
    expect(Object.keys(web).filter((name) => !(name in node))).toEqual(own);
    for (const [name, value] of Object.entries(web)) {
      if (typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value)))
        expect([name, value.name]).toEqual([name, name]);
    }
  });
});

describe("modules that stand for others", () => {
  it.each(STAND_INS)("%s: there is one of that path", (name) => {
    expect(existsSync(join(COMPILED, name))).toBe(true);
    expect(read("src", "web", "instead", name.replace(/\.js$/, ".ts"))).toMatch(/^\/\*\*[\s\S]{20,}\*\//);
  });

  const used = reached();

  it.each(STAND_INS.filter((name) => !TYPES_ONLY.includes(name)))(
    "%s has all that is imported from it",
    async (name) => {
      const wanted = used.get(`web/instead/${name}`);
      expect(wanted, "nobody imports it").toBeDefined();
      const has = await exported(join(INSTEAD, name));
      expect((wanted ?? []).filter((one) => !has.includes(one))).toEqual([]);
    },
  );
});
