/**
 * Reads a folder of public certificates, and tells what is new since it was read last. Only files that have changed are read
 * again.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ZmqError } from "../base/errors.js";
import { type SystemError, wallClockMs } from "../base/platform.js";
import { type Certificate, parseCertificate, SECRET } from "./certificate.js";
import { readText, stampOf } from "./files.js";

/** More files than this are a wrong folder. */
const FILES_MAX = 65_536;
/** Files that are looked at together. */
const AT_ONCE = 16;
/** So often a folder in which keys are missing is read before they are taken for revoked, while it changes. */
const READINGS = 10;
/** Kernels date changes by clocks that tick up to each 10 ms. */
const TICK_MS = 20;

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
 * Reads the folder. A file that is renamed while it is read may be in neither place, though its key is there all the time: a key
 * is missing if two readings miss it and the folder stood still in the second, or if all of some readings do.
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
  const known = keysOf(before);
  let lostBefore = known;
  let missing = known;
  for (let reading = 1; ; reading++) {
    const begin = await changeOf(path);
    const found = await readOnce(path, suffixes, before);
    const there = keysOf(found);
    const lost = new Map([...known].filter(([key]) => !there.has(key)));
    const twice = reading > 1 && [...lost.keys()].every((key) => lostBefore.has(key));
    if (lost.size === 0 || (twice && begin !== "" && begin === (await changeOf(path)))) return found;
    lostBefore = lost;
    missing = new Map([...missing].filter(([key]) => lost.has(key)));
    if (reading < READINGS) continue;
    // No file has such a name. The next look decides about them.
    for (const [key, file] of lost) if (!missing.has(key)) found.set(`/${key}`, { ...file, stamp: "" });
    return found;
  }
}

function keysOf(files: KeyFiles): Map<string, KeyFile> {
  const keys = new Map<string, KeyFile>();
  for (const file of files.values()) if (file.certificate) keys.set(file.certificate.publicKey, file);
  return keys;
}

/** Changes when a name in the folder does; "" just after that: two changes in one tick look the same. */
async function changeOf(path: string): Promise<string> {
  const { dev, ino, ctimeNs } = await stat(path, { bigint: true });
  const age = wallClockMs() - Number(ctimeNs / 1_000_000n);
  return age < TICK_MS ? "" : `${dev}:${ino}:${ctimeNs}`;
}

async function readOnce(
  path: string,
  suffixes: readonly string[],
  before: KeyFiles,
): Promise<Map<string, KeyFile>> {
  const chosen = await names(path, suffixes);
  const found = new Map<string, KeyFile>();
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    const some = chosen.slice(at, at + AT_ONCE);
    const read = await Promise.all(some.map((name) => readFile(join(path, name), before.get(name))));
    for (const [i, file] of read.entries()) if (file !== undefined) found.set(some[i], file);
  }
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

/** undefined for what is not there any more, and for a folder. */
async function readFile(file: string, before: KeyFile | undefined): Promise<KeyFile | undefined> {
  try {
    const stats = await stat(file, { bigint: true });
    if (stats.isDirectory()) return undefined;
    const stamp = stampOf(stats);
    if (before !== undefined && stamp === before.stamp && stamp !== "") return before;
    const certificate = parseCertificate(file, await readText(file));
    return { file, stamp, certificate, error: undefined };
  } catch (error) {
    if ((error as SystemError).code === "ENOENT") return undefined;
    return { file, stamp: "", certificate: before?.certificate, error: error as Error };
  }
}
