/**
 * What a release reads from files of others: the sources and flags in binding.gyp, and the symbols that objdump and
 * llvm-nm list. Runs nothing.
 */

/** The newest glibc whose symbols an addon may need. */
export const GLIBC = "2.28";

/**
 * What binding.gyp says of the addon. It is read as JSON with comments in lines of their own, which is how it is written;
 * Python's other syntax is a SyntaxError.
 */
export function parseGyp(text) {
  const [target] = JSON.parse(text.replace(/^\s*#.*$/gm, "")).targets;
  const settings = target.conditions[0][2]; // the first condition asks for Windows; this is its other case
  return {
    name: target.target_name,
    sources: settings.sources,
    defines: settings.defines,
    flags: [...settings.cflags, ...settings.cflags_cc],
    macos: settings.xcode_settings.MACOSX_DEPLOYMENT_TARGET,
  };
}

/** The symbols of `objdump -T`, as `{ name, version, undefined, weak }`; `version` is "" where there is none. */
export function parseDynamicSymbols(text) {
  const symbols = [];
  for (const line of text.split("\n")) {
    // 0000000000000000  w   DF *UND*  0000000000000000 (GLIBC_2.2.5) .hidden strlen
    const found = /^[0-9a-f]{8,} (.{7}) (\S+)\t[0-9a-f]{8,}\s+(.*)$/.exec(line);
    if (found === null) continue;
    const words = found[3].split(/\s+/);
    const version = words.length > 1 ? words[0].replace(/[()]/g, "") : "";
    symbols.push({
      name: words.at(-1),
      version: version === "Base" ? "" : version,
      undefined: found[2] === "*UND*",
      weak: found[1].includes("w"),
    });
  }
  return symbols;
}

/** The libraries that `objdump -p` says are needed. */
export function parseNeeded(text) {
  return [...text.matchAll(/^\s*NEEDED\s+(\S+)$/gm)].map(([, name]) => name);
}

/** Whether version a is above b: "2.9" is below "2.28". */
export function isAbove(a, b) {
  return a.localeCompare(b, "en", { numeric: true }) > 0;
}

/** Node gives these to an addon. */
function isFromNode(name) {
  return /^(napi|node_api|uv)_/.test(name);
}

/** What keeps an addon for Linux from loading where it shall load: one line each. */
export function faultsOfElf({ symbols, needed, libc }) {
  const faults = [];
  const foreign = needed.filter((name) => !/^(lib(c|m|pthread|dl|rt)\.so|ld-linux|ld-musl)/.test(name));
  if (foreign.length > 0) faults.push(`needs ${foreign.join(", ")}`);
  if (!symbols.some(({ name, undefined: missing }) => name === "napi_register_module_v1" && !missing)) {
    faults.push("does not export napi_register_module_v1");
  }
  for (const { name, version } of symbols) {
    const [, library, number] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
    if (library === "GLIBC" && libc === "glibc" && !isAbove(number, GLIBC)) continue;
    if (library !== undefined) faults.push(`${name} of ${version}`);
  }
  for (const { name, version, undefined: missing, weak } of symbols) {
    if (!missing || weak || version !== "" || isFromNode(name)) continue;
    // A versioned name is of glibc; musl has no versions, and no name of C++.
    if (libc === "glibc" || name.startsWith("_Z")) faults.push(`${name} is in neither Node.js nor libc`);
  }
  return faults;
}

/** The symbols of `llvm-nm -u`, without the underscore that Mach-O puts in front of names of C. */
export function parseUndefined(text) {
  return [...text.matchAll(/^\s*(?:U )?_(\S+)$/gm)].map(([, name]) => name);
}

/** As `faultsOfElf`, for macOS: all names must be of Node.js or of C, since libc++ is linked in. */
export function faultsOfMachO({ missing }) {
  const faults = missing
    .filter((name) => name.startsWith("_Z"))
    .map((name) => `${name} is in neither Node.js nor libc`);
  if (!missing.some(isFromNode)) faults.push("calls nothing of Node.js");
  return faults;
}
