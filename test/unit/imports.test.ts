/**
 * The house keeps its shape: imports point one way (design §2). Reads the import statements of src/ as text.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), "../../src");

/** Which rooms a room may import from, its own aside. Leaves are files that know nothing of the house. */
const LEAVES = [
  "errors",
  "message",
  "events",
  "options",
  "option-rules",
  "option-values",
  "endpoint",
  "accept-filter",
  "random",
  "security",
];
const ALLOWED: Record<string, string[]> = {
  index: ["version", "context", "directions", "socket", "sockets", "proxy", "engine", "zmtp", ...LEAVES],
  proxy: ["directions", "socket", "engine", ...LEAVES],
  draft: ["sockets"],
  rpc: ["index", "deadline"],
  "rpc-cli": ["rpc"],
  zeromq: [
    "proxy",
    "sockets",
    "directions",
    "socket",
    "socket-turns",
    "context",
    "engine",
    "zmtp",
    "endpoint",
    "errors",
    "events",
    "message",
    "security",
  ],
  "zeromq-draft": ["zeromq"],
  version: ["transport"],
  cli: ["security", "version"],
  sockets: ["directions", "socket", "patterns", "engine", "condition", "deadline", "zmtp", ...LEAVES],
  directions: ["socket", "patterns", "engine", ...LEAVES],
  socket: [
    "emitting",
    "option-numbers",
    "socket-turns",
    "session",
    "transport",
    "engine",
    "condition",
    "context",
    ...LEAVES,
  ],
  "socket-turns": ["deadline", "engine", "errors"],
  context: ["session", "option-access", "option-numbers", ...LEAVES],
  emitting: ["option-access", ...LEAVES],
  "option-access": ["option-numbers", "errors"],
  "option-numbers": ["option-rules", "security", "errors"],
  "option-rules": ["accept-filter", "security", "errors"],
  security: ["zmtp", "deadline", "errors"],
  condition: ["engine"],
  session: ["zmtp", "engine", "transport", "crypto", "deadline", ...LEAVES],
  crypto: ["zmtp"],
  patterns: ["engine", ...LEAVES],
  transport: ["native", "engine", "deadline", ...LEAVES],
  engine: LEAVES,
  zmtp: [],
  native: [],
  deadline: [],
  errors: [],
  message: [],
  events: ["engine", "errors"],
  options: ["security"],
  "option-values": ["option-rules", "options", "security"],
  "accept-filter": [],
  random: [],
  endpoint: ["errors"],
};

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : [path];
  });
}

function roomOf(path: string): string {
  return relative(SRC, path)
    .split("/")[0]
    .replace(/\.(ts|js)$/, "");
}

const files = sources(SRC);

describe("import graph", () => {
  it("covers every room of src/", () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it.each(files.map((file) => [relative(SRC, file), file]))("%s imports one way only", (_name, file) => {
    const room = roomOf(file);
    const text = readFileSync(file, "utf8");
    for (const [, specifier] of text.matchAll(/from "(\.[^"]+)"/g)) {
      const target = roomOf(resolve(dirname(file), specifier));
      if (target !== room) expect(ALLOWED[room], `${room} → ${target}`).toContain(target);
    }
  });

  it.each(["engine", "zmtp", "patterns"])("%s knows no I/O and no clock", (room) => {
    for (const file of files.filter((path) => roomOf(path) === room)) {
      const text = readFileSync(file, "utf8");
      expect(text, file).not.toMatch(/from "node:(net|fs|dns|child_process|timers)/);
      expect(text, file).not.toMatch(
        /\b(setTimeout|setImmediate|Date\.now|Math\.random|process\.(nextTick|hrtime))\b/,
      );
    }
  });

  it("only native.ts loads the addon", () => {
    for (const file of files) {
      if (roomOf(file) !== "native") expect(readFileSync(file, "utf8"), file).not.toContain("node-gyp-build");
    }
  });
});
