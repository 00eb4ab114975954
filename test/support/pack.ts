/**
 * `npm pack`, for tests of what a consumer gets.
 */
import { execFileSync } from "node:child_process";

const npm = process.env.npm_execpath;

/** What npm says of the tarball. */
export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** `npm pack`, of a folder. */
export function pack(folder: string, ...args: string[]): Packed {
  const [command, prefix] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
  const packed = execFileSync(command, [...prefix, "pack", "--json", ...args], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // In front of the JSON, npm may name the script that it runs.
  return Object.values(JSON.parse(packed.slice(packed.search(/^[[{]/m))))[0] as Packed;
}
