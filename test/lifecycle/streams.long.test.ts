/** A gigabyte from a file through two sockets into a file: equal at the end, with the same memory all the way. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { expect, it, onTestFinished } from "vitest";
import { createReadable, createWritable, Pull, Push } from "../../src/index.js";
import { managed, temporaryDirectory } from "../support/helpers.js";

const MIB = 1024 * 1024;
const PIECES = 64;
const PIECE = 16 * MIB;

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha1");
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) hash.update(chunk);
  return hash.digest("hex");
}

it("1 GiB through pipeline() of a file, a socket and a file", async () => {
  const folder = temporaryDirectory();
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  const file = await open(from, "w");
  const piece = randomBytes(PIECE);
  for (let i = 0; i < PIECES; i++) {
    piece.writeUInt32BE(i);
    await file.write(piece);
  }
  await file.close();
  const [push, pull] = [managed(new Push()), managed(new Pull())];
  push.connect(await pull.bind("tcp://127.0.0.1:*"));
  const rss: number[] = [];
  const clock = setInterval(() => rss.push(process.memoryUsage.rss()), 50);
  onTestFinished(() => clearInterval(clock));
  await Promise.all([
    pipeline(createReadStream(from), createWritable(push, { end: true })),
    pipeline(createReadable(pull, { end: true }), createWriteStream(to)),
  ]);
  expect(await hashOf(to)).toBe(await hashOf(from));
  // Garbage of 64 KiB chunks comes and goes; what counts is that it does not grow with the file.
  const half = Math.floor(rss.length / 2);
  const [early, late] = [Math.max(...rss.slice(0, half)), Math.max(...rss.slice(half))];
  expect(late - early).toBeLessThan(100 * MIB);
  expect(Math.max(...rss) - rss[0]).toBeLessThan(400 * MIB);
});
