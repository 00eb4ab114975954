/**
 * Reads a folder of public certificates, and tells what is new since it was read last. Only files that have changed are read
 * again.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ZmqError } from "../base/errors.js";
import type { SystemError } from "../base/platform.js";
import { type Certificate, parseCertificate, SECRET } from "./certificate.js";
import { readText, stampOf } from "./files.js";

/** More files than this are a wrong folder. */
const FILES_MAX = 65_536;
/** Files that are looked at together. */
const AT_ONCE = 16;

/** A file, and what it had when it could be read last. */
export interface KeyFile {
  readonly file: string;
  /** Says whether the file has changed; "" if that cannot be said. */
  readonly stamp: string;
  /** undefined if it never was a certificate. */
  readonly certificate: Certificate | undefined;
  /** Why it cannot be read now. */
  readonly error: Error | undefined;
}

/** Files by name. */
export type KeyFiles = ReadonlyMap<string, KeyFile>;

/** What identifies a folder: it may be replaced by another of the same name. */
export async function folderId(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}

/**
 * Reads the folder.
 * @param suffixes what the names of certificates end with
 * @param before what it had
 * @throws the error of the file system, or ZmqError EMFILE, about the folder as a whole. What is wrong with one file is in its
 * `error`, and it keeps its former certificate
 */
export async function readFolder(
  path: string,
  suffixes: readonly string[],
  before: KeyFiles,
): Promise<KeyFiles> {
  const found = new Map<string, KeyFile>();
  await readInto(found, path, await names(path, suffixes), before);
  // A file that was renamed while the folder was read may have been in neither place. Its key is not to be taken for revoked.
  if ([...before.keys()].every((name) => found.has(name))) return found;
  const late = (await names(path, suffixes)).filter((name) => !found.has(name));
  await readInto(found, path, late, before);
  return found;
}

async function names(path: string, suffixes: readonly string[]): Promise<string[]> {
  const all = await readdir(path);
  const chosen = all.filter(
    (name) =>
      !name.startsWith(".") && !name.endsWith(SECRET) && suffixes.some((suffix) => name.endsWith(suffix)),
  );
  if (chosen.length > FILES_MAX)
    throw new ZmqError("EMFILE", {
      detail: `${path} has ${chosen.length} certificates; ${FILES_MAX} are the limit`,
    });
  return chosen.sort();
}

async function readInto(
  found: Map<string, KeyFile>,
  path: string,
  chosen: readonly string[],
  before: KeyFiles,
): Promise<void> {
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    const some = chosen.slice(at, at + AT_ONCE);
    const read = await Promise.all(some.map((name) => readFile(join(path, name), before.get(name))));
    for (const [i, file] of read.entries()) if (file !== undefined) found.set(some[i], file);
  }
}

/** undefined for what is not there any more, and for a folder. */
async function readFile(file: string, before: KeyFile | undefined): Promise<KeyFile | undefined> {
  try {
    const stats = await stat(file, { bigint: true });
    if (stats.isDirectory()) return undefined;
    const stamp = stampOf(stats);
    if (before !== undefined && stamp !== "" && stamp === before.stamp) return before;
    const certificate = parseCertificate(file, await readText(file));
    return { file, stamp, certificate, error: undefined };
  } catch (error) {
    if ((error as SystemError).code === "ENOENT") return undefined;
    return { file, stamp: "", certificate: before?.certificate, error: error as Error };
  }
}
