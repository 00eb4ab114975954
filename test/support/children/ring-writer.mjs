/**
 * A thread that writes numbered bytes into a ring in pieces of random sizes, and wakes nobody: the reader polls.
 */
import { workerData } from "node:worker_threads";
import { RingWriter } from "../../../compiled/inproc/ring.js";

const { memory, total } = workerData;
const writer = new RingWriter(memory, 0);
const source = Buffer.alloc(8192 + 256);
for (let i = 0; i < source.length; i++) source[i] = i & 255;
let written = 0;
while (written < total) {
  // Byte n of the stream is n mod 256: source may begin anywhere that agrees with it.
  const size = Math.min(Math.random() < 0.5 ? 1 : 1 + Math.floor(Math.random() * 8000), total - written);
  const piece = source.subarray(written & 255, (written & 255) + size);
  for (let at = 0; at < piece.length; ) {
    const taken = writer.put(piece, at);
    writer.publish();
    at += taken;
  }
  written += size;
}
