/**
 * What the demo does with one file: counts its lines, words and bytes and hashes it. worker.py does the same in Python;
 * both must agree on every byte. Knows no sockets.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** 1 for the bytes that Python's bytes.split() takes for white space: tab, LF, VT, FF, CR and space. */
const SPACE = new Uint8Array(256);
for (const octet of [9, 10, 11, 12, 13, 32]) SPACE[octet] = 1;

const CHUNK = 1024 * 1024;

/** Counts and hashes a file in pieces, so that its size does not matter. Lines end in LF; words are what white space separates. */
export async function countFile(path) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(size, CHUNK)));
    const hash = createHash("sha256");
    const count = { lines: 0, words: 0, bytes: 0, hash: "" };
    let before = 1;
    for (;;) {
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) break;
      hash.update(chunk.subarray(0, bytesRead));
      before = countChunk(chunk, bytesRead, before, count);
    }
    count.hash = hash.digest("hex");
    return count;
  } finally {
    await file.close();
  }
}

/** Adds to `count`; `before` and the result say whether white space came last. */
function countChunk(chunk, length, before, count) {
  let { lines, words } = count;
  for (let i = 0; i < length; i++) {
    const octet = chunk[i];
    if (octet === 10) lines++;
    const space = SPACE[octet];
    if (space < before) words++;
    before = space;
  }
  count.lines = lines;
  count.words = words;
  count.bytes += length;
  return before;
}

/** Sums over many files, in any order. */
export class Totals {
  files = 0;
  lines = 0;
  words = 0;
  bytes = 0;
  #digest = Buffer.alloc(32);

  /** The digest joins path and hash, so that two files with each other's content do not cancel out. */
  add(path, count) {
    this.files++;
    this.lines += count.lines;
    this.words += count.words;
    this.bytes += count.bytes;
    const item = createHash("sha256").update(path).update("\0").update(count.hash).digest();
    for (let i = 0; i < item.length; i++) this.#digest[i] ^= item[i];
  }

  /** XOR of the files' digests: independent of their order. */
  get digest() {
    return this.#digest.toString("hex");
  }

  equals(other) {
    return ["files", "lines", "words", "bytes", "digest"].every((name) => this[name] === other[name]);
  }
}
