/**
 * A PULL that never reads, fed so much: both processes stay within their high-water marks plus 64 MB, and everything
 * arrives once it reads. Two child processes; memory is what the system says (RSS).
 */
import { expect, it } from "vitest";
import { type Child, startChild } from "../child.js";

const SIZE = 64 * 1024;
/** The default mark of 1000 messages, and what the issue allows beside it. */
const ALLOWED = 1000 * SIZE + 64 * 1024 ** 2;

/** Memory that is not used any more and not yet collected, on a machine that is busy with other things. */
const COLLECTED_LATE = 192 * 1024 ** 2;

/** Asks until a send waits and two answers, a quarter of a second apart, agree: the sender is stuck. */
async function untilStuck(feeder: Child): Promise<number> {
  let last = -1;
  for (let n = 0; ; n++) {
    feeder.tell({ op: "report" });
    await feeder.line(() => feeder.lines.filter((line) => line.event === "report").length > n, "a report");
    const { sent, waiting } = feeder.lines.filter((line) => line.event === "report")[n];
    const now = sent as number;
    if (now === last && waiting === 1) return now;
    last = now;
    // By the clock: what the kernel still takes comes at times of its own, and nothing tells that it takes no more.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/**
 * The tests.
 * @param megabytes to feed: several times what may be held
 * @param environment of both processes
 */
export function backPressure(
  megabytes: number,
  endpoints = ["tcp://127.0.0.1:*", "ipc://*"],
  environment: Readonly<Record<string, string>> = {},
): void {
  const count = (megabytes * 1024 ** 2) / SIZE;
  it.each(endpoints)(
    `${megabytes} MB to a PULL at %s that does not read: bounded, and then whole`,
    async (endpoint) => {
      const args = [`${count}`, `${SIZE}`];
      const puller = startChild("slow-puller.mjs", [endpoint, ...args], ["--expose-gc"], environment);
      const bound = await puller.line((line) => line.event === "bound", "the puller");
      expect(bound.engine).toBe(process.env.ZWIRE_ENGINE);
      const feeder = startChild(
        "feeder.mjs",
        [bound.endpoint as string, ...args],
        ["--expose-gc"],
        environment,
      );
      const started = await feeder.line((line) => line.event === "started", "the feeder");

      const stuckAt = await untilStuck(feeder);
      // Two queues of 1000 and what the kernel holds (up to 32 MiB a side): a small part of what is fed.
      expect(stuckAt).toBeLessThan(6000);
      puller.tell({ op: "report" });
      const held = await puller.line((line) => line.event === "report", "the puller's memory");
      const fed = feeder.lines.filter((line) => line.event === "report").at(-1)!;
      expect((held.rss as number) - (bound.rss as number)).toBeLessThan(ALLOWED);
      expect((fed.peak as number) - (started.rss as number)).toBeLessThan(ALLOWED);

      puller.tell({ op: "drain" });
      const drained = await puller.line((line) => line.event === "drained", "everything", 45_000);
      expect(drained.wrong).toBeNull();
      // While it passes, what has been read waits for V8 to collect it: that it does at 64 MB or more of such memory.
      expect((drained.peak as number) - (bound.rss as number)).toBeLessThan(ALLOWED + COLLECTED_LATE);
      const sent = await feeder.line((line) => line.event === "sent", "the end of the feeder");
      expect(sent.sent).toBe(count);
      expect((sent.peak as number) - (started.rss as number)).toBeLessThan(ALLOWED);
      expect((await puller.ended).code).toBe(0);
      expect((await feeder.ended).code).toBe(0);
    },
  );
}
