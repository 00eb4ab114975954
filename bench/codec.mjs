/**
 * Micro-benchmarks of the hot path in TypeScript: encoder, portable decoder, queues. Run: npm run bench:codec. For a
 * before and after of one change; figures between machines, or beside the table of run.mjs, mean nothing.
 */
import { Bench } from "tinybench";
import { Fifo } from "../compiled/base/fifo.js";
import { Assembler } from "../compiled/engine/incoming/assembler.js";
import { FrameDecoder } from "../compiled/engine/incoming/decoder.js";
import { Batch } from "../compiled/engine/outgoing/batch.js";
import { Subscriber, SubscriptionTrie } from "../compiled/patterns/topics/subscription-trie.js";

const LIMITS = {
  maxFrameBytes: 2 ** 31 - 1,
  maxCommandBytes: 2 ** 20,
  maxParts: 65536,
  maxMessageBytes: 2 ** 31 - 1,
};
const COUNT = 1000;

function encode(batch, message) {
  for (let i = 0; i < COUNT; i++) batch.append(message);
  batch.seal();
  batch.release();
}

function wire(message) {
  const batch = new Batch();
  for (let i = 0; i < COUNT; i++) batch.append(message);
  return Buffer.concat(batch.seal());
}

const bench = new Bench({ time: 500 });
const batch = new Batch();
for (const size of [16, 1024, 8192, 16384, 32768]) {
  const body = Buffer.alloc(size, 1);
  bench.add(`encode ${COUNT} × ${size} B`, () => encode(batch, body));
}
const parts = Array.from({ length: 4 }, () => Buffer.alloc(16, 1));
bench.add(`encode ${COUNT} × 4 parts of 16 B`, () => encode(batch, parts));

let seen = 0;
const assembler = new Assembler({ command: () => seen++ });
assembler.sink = {
  deliver: () => seen++,
  deliverRun: (run) => {
    for (let i = run.length; i > 0; i--) seen += run.shift().length;
  },
  deliverLong: () => seen++,
};
for (const size of [16, 1024]) {
  const octets = wire(Buffer.alloc(size, 1));
  const decoder = new FrameDecoder(LIMITS, {
    onFrames: (chunk, table, count) => assembler.frames(chunk, table, count),
    onLargeFrame: (body, flags) => assembler.frame(body, flags),
  });
  bench.add(`decode ${COUNT} × ${size} B`, () => decoder.push(octets));
}

const fifo = new Fifo();
bench.add(`fifo ${COUNT} in and out`, () => {
  for (let i = 0; i < COUNT; i++) fifo.push(i);
  for (let i = 0; i < COUNT; i++) seen += fifo.shift();
});

const trie = new SubscriptionTrie();
for (let i = 0; i < 10_000; i++) trie.add(Buffer.from(`topic.${i}.`), new Subscriber(i));
const subjects = Array.from({ length: COUNT }, (_, i) => Buffer.from(`topic.${i * 7}.value`));
const count = () => seen++;
bench.add(`match ${COUNT} subjects among 10,000 topics`, () => {
  for (const subject of subjects) trie.match(subject, count);
});

await bench.run();
console.table(bench.table());
