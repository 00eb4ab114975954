/**
 * Files that say who is let in: read with a bound on their size, and written with their permissions from the first moment.
 */
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ZmqError } from "../base/errors.js";
import { Buffer, isUtf8, randomBytes, wallClockMs } from "../base/platform.js";

/** What a file of ours may have at most. Certificates have some hundred bytes. */
export const FILE_MAX = 65_536;

/** Clocks of file systems tick this slowly: a file that has just changed may change again without looking different. */
const TICK_MS = 2000;

/** Not on Windows: there it is absent, and 0. A FIFO would otherwise make open() wait for its writer. */
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/** The error for a file whose content cannot be used. It has no part of the content, which may be a secret. */
export function fileFault(path: string, line: number, why: string): ZmqError {
  return new ZmqError("EINVAL", { detail: line === 0 ? `${path}: ${why}` : `${path}:${line}: ${why}` });
}

/** Checks a path that a program gave. @throws TypeError */
export function checkPath(name: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${name} must be a string; got ${typeof value}`);
  if (value === "" || value.includes("\0")) throw new TypeError(`${name} must be the name of a file`);
  return value;
}

/**
 * The text of a regular file of at most `max` bytes.
 * @throws the error of the file system; ZmqError EINVAL for a file that is too large, not UTF-8, or no regular file
 */
export async function readText(path: string, max = FILE_MAX): Promise<string> {
  const file = await open(path, constants.O_RDONLY | NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw fileFault(path, 0, "is not a regular file");
    const bytes = await upTo(file, max + 1);
    if (bytes.length > max) throw fileFault(path, 0, `has more than ${max} bytes`);
    if (!isUtf8(bytes) || bytes.includes(0)) throw fileFault(path, 0, "is not text in UTF-8");
    return bytes.toString();
  } finally {
    await file.close();
  }
}

/** All bytes of a file, but no more than `max`: a file may grow while it is read. */
async function upTo(file: FileHandle, max: number): Promise<Buffer> {
  const { size } = await file.stat();
  let bytes = Buffer.alloc(Math.min(max, size + 1));
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
    if (length === max) return bytes;
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(max, 2 * length));
  }
}

/**
 * Writes a whole file or none; it has its permissions from its first moment. A reader never sees half of one that is
 * replaced.
 * @throws the error of the file system: EEXIST if there is a file and `force` is false
 */
export async function writeText(path: string, text: string, mode: number, force: boolean): Promise<void> {
  // Writing into a file that is there would keep its permissions. A name that begins with a dot is nobody's certificate.
  const target = force
    ? join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.new`)
    : path;
  const file = await open(target, "wx", mode);
  try {
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    if (force) await rename(target, path);
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** Says whether a file has changed since; "" if that cannot be said, because it is too new. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  const age = wallClockMs() - Number(ctimeNs / 1_000_000n);
  return age < TICK_MS ? "" : `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
