/**
 * The structure that docs/architecture.md describes: imports run one way, and only one file above the transports knows
 * the platform. Reads the sources as text.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), "../../src");

/**
 * The rooms of src/ from the bottom to the top, each with those that it may import from. A room is a folder, or a folder
 * in it that has a row of its own. A room may only name rooms above its own row.
 */
const ROOMS: ReadonlyArray<readonly [room: string, ...mayImport: string[]]> = [
  ["base"],
  ["wire"],
  ["wire/zmtp", "base", "wire"],
  ["security/crypto", "wire", "wire/zmtp", "base"],
  ["security/tls", "base"],
  ["security", "base", "wire/zmtp", "security/crypto", "security/tls"],
  ["options", "base", "security", "security/crypto", "security/tls"],
  ["engine", "base", "wire", "options"],
  ["patterns", "base", "wire/zmtp", "engine", "options"],
  ["patterns/topics", "base", "engine", "options", "patterns"],
  ["patterns/strategies", "base", "wire/zmtp", "engine", "options", "patterns", "patterns/topics"],
  ["transport/contract", "base", "wire", "engine", "security/tls"],
  ["transport/native", "base", "wire", "engine", "transport/contract"],
  ["transport/node", "base", "engine", "transport/contract"],
  ["transport/tls", "base", "security/tls", "transport/contract", "transport/node"],
  ["transport/deflate", "base", "transport/contract"],
  [
    "transport/ws",
    "base",
    "wire",
    "wire/zmtp",
    "engine",
    "transport/contract",
    "transport/node",
    "transport/deflate",
  ],
  [
    "transport",
    "base",
    "transport/contract",
    "transport/native",
    "transport/node",
    "transport/tls",
    "transport/ws",
  ],
  [
    "security/stream",
    "base",
    "wire/zmtp",
    "security/crypto",
    "security",
    "options",
    "engine",
    "transport/contract",
  ],
  ["lending", "base", "wire", "wire/zmtp", "engine", "transport/contract"],
  [
    "session",
    "base",
    "wire",
    "wire/zmtp",
    "lending",
    "security/crypto",
    "security",
    "options",
    "engine",
    "transport",
    "transport/contract",
    "security/stream",
  ],
  ["connect", "base", "wire/zmtp", "options", "engine", "transport", "transport/contract", "session"],
  ["inproc", "base", "wire/zmtp", "engine", "transport/contract", "session", "connect"],
  ["security/zap", "base", "wire/zmtp", "security", "inproc"],
  [
    "core",
    "base",
    "options",
    "security",
    "engine",
    "lending",
    "patterns",
    "patterns/strategies",
    "transport",
    "transport/contract",
    "session",
    "connect",
    "inproc",
    "security/zap",
  ],
  ["api", "base", "options", "security", "engine", "patterns", "patterns/strategies", "transport", "core"],
  [
    "zeromq",
    "base",
    "security",
    "security/crypto",
    "wire/zmtp",
    "options",
    "engine",
    "patterns/strategies",
    "core",
    "api",
  ],
  ["access", "base", "wire/zmtp", "security", "security/crypto", "security/zap", "core", "api"],
  ["streams", "base", "core"],
  ["monitor", "base", "core", "api"],
  ["rpc/wire", "base"],
  ["values", "base", "api", "rpc/wire"],
  [
    "index",
    "access",
    "streams",
    "values",
    "monitor",
    "base",
    "options",
    "security",
    "security/crypto",
    "security/tls",
    "wire/zmtp",
    "core",
    "api",
  ],
  ["draft", "api"],
  ["web", "base", "wire", "wire/zmtp", "security/crypto", "engine", "transport/contract", "transport/ws"],
  [
    "web/instead",
    "base",
    "wire/zmtp",
    "security",
    "security/crypto",
    "security/zap",
    "options",
    "lending",
    "transport/contract",
    "session",
    "inproc",
    "index",
    "web",
  ],
  ["web-entry", "base", "security", "security/crypto", "wire/zmtp", "core", "api", "streams", "web/instead"],
  ["zeromq-entry", "zeromq"],
  ["zeromq-draft", "zeromq"],
  ["rpc", "base", "index", "rpc/wire"],
  ["rpc/client", "base", "index", "rpc", "rpc/wire"],
  ["rpc/server", "base", "index", "rpc", "rpc/wire"],
  ["rpc/python", "base", "rpc", "rpc/client"],
  ["rpc-entry", "index", "rpc", "rpc/client", "rpc/server", "rpc/python"],
  ["tracing", "base", "core", "api", "rpc"],
  ["opentelemetry", "tracing"],
  ["web-rpc", "rpc", "rpc/client"],
  ["cli", "access", "security/crypto", "options", "values", "core", "index", "draft", "rpc-entry"],
];
/** Who may import the code of others that the tarball contains. */
const VENDORED: Record<string, string> = {
  [join(SRC, "rpc/wire/codec.ts")]: "../../../vendor/msgpackr.js",
  [join(SRC, "cli/top/web.ts")]: "../../../vendor/uplot.js",
};
const ORDER = ROOMS.map(([room]) => room);
const ALLOWED = new Map(ROOMS.map(([room, ...may]) => [room, may]));
/** Where the platform may be used by its own names: what moves bytes, keys and ciphers, processes, and the one seam. */
const ON_THE_PLATFORM =
  /^(transport|inproc|security\/crypto|access|streams|web|cli|rpc\/python)\/|^base\/platform\.ts$|^[\w-]+\.ts$/;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : [path];
  });
}

function roomOf(path: string): string {
  const parts = relative(SRC, path)
    .replace(/\.(d\.ts|ts|js)$/, "")
    .split("/");
  if (parts.length === 1) return ALLOWED.has(`${parts[0]}-entry`) ? `${parts[0]}-entry` : parts[0];
  const inner = parts.slice(0, 2).join("/");
  return parts.length > 2 && ALLOWED.has(inner) ? inner : parts[0];
}

/** The source without comments and texts. */
function codeOf(path: string): string {
  return readFileSync(path, "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/`(?:[^`\\$]|\\.)*`/g, "``")
    .replace(/\/\/.*$/gm, "");
}

/** Files that import each other, in groups (Tarjan's strongly connected components). */
function circles(): string[][] {
  const imports = new Map<string, string[]>();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    const targets = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, specifier]) =>
      resolve(dirname(file), specifier.replace(/\.js$/, ".ts")),
    );
    imports.set(
      file,
      targets.filter((target) => files.includes(target)),
    );
  }
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    stack.push(file);
    for (const target of imports.get(file)!) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle.map((one) => relative(SRC, one)));
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
}

const files = sources(SRC);
const named = files.map((file) => [relative(SRC, file), file]);

describe("import graph", () => {
  it("covers every room of src/", () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual([...ORDER].sort());
  });

  it("a room names only rooms below its own", () => {
    for (const [room, ...may] of ROOMS)
      for (const one of may) expect(ORDER.indexOf(one), `${room} → ${one}`).toBeLessThan(ORDER.indexOf(room));
  });

  it.each(named)("%s imports one way only", (_name, file) => {
    const room = roomOf(file);
    const text = readFileSync(file, "utf8");
    for (const [, specifier] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      if (specifier === VENDORED[file]) continue;
      const target = roomOf(resolve(dirname(file), specifier));
      if (target !== room) expect(ALLOWED.get(room), `${room} → ${target}`).toContain(target);
    }
  });

  it.each(named.filter(([name]) => !ON_THE_PLATFORM.test(name)))("%s knows no platform", (name, file) => {
    const text = readFileSync(file, "utf8");
    expect(text).not.toMatch(/from "node:/);
    const code = codeOf(file);
    const used =
      /(?<![.\w#])(process|performance|Date\.now|new Date|Math\.random|queueMicrotask|globalThis)\b/.exec(
        code,
      );
    expect(used?.[0], name).toBeUndefined();
    for (const global of ["Buffer", "setImmediate", "setTimeout", "setInterval", "clearTimeout"]) {
      if (!new RegExp(`(?<![.\\w#])${global}\\b`).test(code)) continue;
      expect(text, `${global} comes from base/platform.ts`).toMatch(
        new RegExp(`import (type )?\\{[^}]*\\b${global}\\b[^}]*\\} from "[./a-z]*platform\\.js"`),
      );
    }
  });

  it.each(["engine", "wire", "wire/zmtp", "patterns", "patterns/topics", "patterns/strategies"])(
    "%s knows no clock",
    (room) => {
      for (const file of files.filter((path) => roomOf(path) === room)) {
        expect(readFileSync(file, "utf8"), file).not.toMatch(
          /import[^;]*\b(set\w+|clear\w+|monotonicMs|idleMs|random\w*|nextTick|whenLoopEmpty)\b[^;]*platform\.js"/,
        );
      }
    },
  );

  it("time, turns and random numbers are handed in", () => {
    const named = files
      .filter((file) => /\bsystemRuntime\b/.test(codeOf(file)))
      .map((file) => relative(SRC, file));
    expect(named.sort()).toEqual([
      "base/runtime.ts",
      "core/context.ts", // sockets get it from here
      "rpc/clock.ts",
      "transport/contract/exchange.ts",
      "transport/tcp.ts",
      "transport/ws/guest.ts",
      "transport/ws/port.ts",
    ]);
    const rooms = ["session", "connect", "core", "api", "security", "security/stream", "security/zap"];
    for (const file of files.filter((path) => rooms.includes(roomOf(path)))) {
      expect(readFileSync(file, "utf8"), file).not.toMatch(
        /import[^;]*\b(set\w+|clear\w+|monotonicMs|idleMs|nextTick|random\w*|whenLoopEmpty)\b[^;]*platform\.js"/,
      );
    }
  });

  it("no file imports itself by way of others, not even for types", () => {
    expect(circles()).toEqual([]);
  });

  it("only one file loads the addon", () => {
    for (const file of files) {
      if (relative(SRC, file) !== "transport/native/addon.ts")
        expect(readFileSync(file, "utf8"), file).not.toContain("node-gyp-build");
    }
  });
});
