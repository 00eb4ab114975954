/** What subscribers that never read make a publisher hold: copies for many are encoded once, whatever their size (J4). */
import { describe, expect, it } from "vitest";
import { startChild } from "../child.js";
import { rawConnected } from "../helpers.js";
import { command } from "../raw-peer.js";

/** What an attack may cost a process. */
const BOUND = 64 * 1024 ** 2;

/** The tests. @param sizes of messages */
export function deafSubscribers(sizes: number[]): void {
  describe.each([
    { kind: "publisher", type: "SUB", ask: command("SUBSCRIBE", "") },
    { kind: "radio", type: "DISH", ask: command("JOIN", "g") },
  ])("subscribers of a $kind that never read", ({ kind, type, ask }) => {
    it.each(sizes)(
      "a hundred of them cost about what one costs, with messages of %i bytes (J4)",
      async (size) => {
        const child = startChild("memory-victim.mjs", [kind], ["--expose-gc"]);
        const { endpoint } = await child.line(({ event }) => event === "bound", "bound");
        for (let i = 0; i < 100; i++) {
          const peer = await rawConnected(endpoint as string, { type });
          peer.pause();
          peer.write(ask);
        }
        const report = async (op: object, event: string) => {
          const seen = child.lines.length;
          child.tell(op);
          return child.line((line) => child.lines.indexOf(line) >= seen && line.event === event, event);
        };
        const idle = await report({ op: "report" }, "report");
        // More than the kernel takes for each, and than the mark lets wait.
        const full = await report({ op: "publish", count: 1500, size }, "published");
        const stats = full.stats as { outboundQueue: number; dropped: number };
        expect(stats.outboundQueue).toBeGreaterThan(size < 10_000 ? 0 : 10_000);
        expect((full.held as number) - (idle.held as number)).toBeLessThan(BOUND);
        // What is free again need not have gone back to the system.
        expect((full.rss as number) - (idle.rss as number)).toBeLessThan(2 * BOUND);
      },
    );
  });
}
