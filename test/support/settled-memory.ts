/** How much memory this process has when nothing more of it is found unused. */

/** Falls of less than this are noise. */
const NOISE = 256 * 1024;
const LOOKS = 4;

/** The resident set, once it has stopped falling: V8 gives the memory of Buffers back in another thread, behind a collection. */
export async function settledRss(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let still = 0; still < LOOKS; still++) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 5)); // by the clock: nothing tells what the other thread does
    const { rss } = process.memoryUsage();
    if (rss < least - NOISE) still = -1;
    least = Math.min(least, rss);
  }
  return least;
}
