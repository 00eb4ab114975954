/**
 * The caller's part of the rows about calls, given something to call: one at a time, and many in flight. Knows no library.
 */
import { done, job, Meter, Samples } from "./side.mjs";

/** One call after the other. */
export async function sequential(ask) {
  for (let i = 0; i < job.warmup; i++) await ask();
  const samples = new Samples(job.count);
  const meter = new Meter();
  meter.start();
  for (let i = 0; i < job.count; i++) {
    const before = performance.now();
    await ask();
    samples.add(performance.now() - before);
  }
  done({ ...meter.stop(), messages: job.count, latency: samples.summary() });
}

/** `job.inFlight` callers, each with one call after the other. */
export async function inFlight(ask) {
  let left = job.warmup;
  const caller = async () => {
    while (left-- > 0) await ask();
  };
  const all = () => Promise.all(Array.from({ length: job.inFlight }, caller));
  await all();
  left = job.count;
  const meter = new Meter();
  meter.start();
  await all();
  done({ ...meter.stop(), messages: job.count });
}
