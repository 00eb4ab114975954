/**
 * What a release knows of its addons: binding.gyp as it is read, and the symbols that keep a file from loading. The text
 * is what objdump and llvm-nm print.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  faultsOfElf,
  faultsOfMachO,
  isAbove,
  parseDynamicSymbols,
  parseGyp,
  parseNeeded,
  parseUndefined,
} from "../../scripts/release/objects.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const LISTING = `
prebuilds/linux-x64/zwire.glibc.node:     file format elf64-x86-64

DYNAMIC SYMBOL TABLE:
0000000000000000  w   D  *UND*\t0000000000000000  Base        __gmon_start__
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.14) memcpy
0000000000000000      D  *UND*\t0000000000000000  Base        uv_close
0000000000000000      D  *UND*\t0000000000000000              napi_throw
0000000000012340 g    DF .text\t0000000000000042  Base        napi_register_module_v1
`;

/** The listing, with one more symbol that is not in the file. */
function faultsWith(line: string, libc: "glibc" | "musl" = "glibc"): string[] {
  const symbols = parseDynamicSymbols(`${LISTING}0000000000000000      DF *UND*\t0000000000000000 ${line}\n`);
  return faultsOfElf({ symbols, needed: ["libc.so.6", "libm.so.6"], libc });
}

describe("binding.gyp", () => {
  it("gives the sources that exist, and the flags", () => {
    const gyp = parseGyp(readFileSync(`${ROOT}/binding.gyp`, "utf8"));
    expect(gyp.name).toBe("zwire");
    expect(gyp.sources.length).toBeGreaterThan(5);
    expect(gyp.sources.filter((name) => !existsSync(`${ROOT}/${name}`))).toEqual([]);
    expect(gyp.flags).toEqual(expect.arrayContaining(["-O3", "-std=c++17", "-fno-exceptions"]));
    expect(gyp.defines).toContain("NAPI_VERSION=8");
    expect(gyp.macos).toMatch(/^\d+\.\d+$/);
  });
});

describe("an addon for Linux", () => {
  it("is read from the listings of objdump", () => {
    const symbols = parseDynamicSymbols(LISTING);
    expect(symbols.map(({ name }) => name)).toEqual([
      "__gmon_start__",
      "memcpy",
      "uv_close",
      "napi_throw",
      "napi_register_module_v1",
    ]);
    expect(symbols[1]).toEqual({ name: "memcpy", version: "GLIBC_2.14", undefined: true, weak: false });
    expect(symbols[0].weak).toBe(true);
    expect(symbols[4].undefined).toBe(false);
    const needed = "Dynamic Section:\n  NEEDED               libm.so.6\n  SONAME               zwire.node\n";
    expect(parseNeeded(needed)).toEqual(["libm.so.6"]);
  });

  it("may need glibc 2.28 and what Node.js gives", () => {
    expect(faultsWith("(GLIBC_2.28) fcntl64")).toEqual([]);
    expect(faultsWith("(GLIBC_2.9)  inotify_init1")).toEqual([]);
    expect(isAbove("2.9", "2.28")).toBe(false);
  });

  it("may not need a newer glibc, libstdc++, or what nobody has", () => {
    expect(faultsWith("(GLIBC_2.34) pthread_create")).toEqual(["pthread_create of GLIBC_2.34"]);
    expect(faultsWith("(GLIBCXX_3.4.9) _ZSt4cout")).toEqual(["_ZSt4cout of GLIBCXX_3.4.9"]);
    expect(faultsWith(" Base        _Znwm")).toEqual(["_Znwm is in neither Node.js nor libc"]);
    expect(
      faultsOfElf({ symbols: parseDynamicSymbols(LISTING), needed: ["libstdc++.so.6"], libc: "glibc" }),
    ).toEqual(["needs libstdc++.so.6"]);
    expect(faultsOfElf({ symbols: [], needed: [], libc: "glibc" })).toEqual([
      "does not export napi_register_module_v1",
    ]);
  });

  it("for musl needs no symbol of glibc and none of C++", () => {
    const plain = parseDynamicSymbols(LISTING.replace("(GLIBC_2.14)", "            "));
    expect(faultsOfElf({ symbols: plain, needed: ["libc.so"], libc: "musl" })).toEqual([]);
    expect(faultsWith(" Base        _ZdlPv", "musl")).toEqual([
      "memcpy of GLIBC_2.14",
      "_ZdlPv is in neither Node.js nor libc",
    ]);
  });
});

describe("an addon for macOS", () => {
  it("needs names of Node.js and of C alone", () => {
    const missing = parseUndefined("_malloc\n_napi_throw\n                 U _uv_close\n");
    expect(missing).toEqual(["malloc", "napi_throw", "uv_close"]);
    expect(faultsOfMachO({ missing })).toEqual([]);
    expect(faultsOfMachO({ missing: parseUndefined("__Znwm\n_uv_close\n") })).toEqual([
      "_Znwm is in neither Node.js nor libc",
    ]);
    expect(faultsOfMachO({ missing: [] })).toEqual(["calls nothing of Node.js"]);
  });
});
