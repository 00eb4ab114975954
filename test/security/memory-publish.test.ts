/**
 * What peers that do not read can make a sender hold: copies for many are encoded once, whatever their size, and what
 * all of them have waiting has a limit. The victim is a process of its own, strangers are raw.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Router } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, rawConnected, record, turns, until } from "../support/helpers.js";
import { command } from "../support/raw-peer.js";

const MIB = 1024 ** 2;
/** What an attack may cost a process. */
const BOUND = 64 * MIB;
const SIZES = process.env.ZWIRE_TESTS === "all" ? [2_000, 16_000, 100_000] : [16_000];

describe.each([
  { kind: "publisher", type: "SUB", ask: command("SUBSCRIBE", "") },
  { kind: "radio", type: "DISH", ask: command("JOIN", "g") },
])("subscribers of a $kind that never read", ({ kind, type, ask }) => {
  it.each(SIZES)(
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

describe("answers to peers that do not read", () => {
  it("maxQueuedBytes bounds what a Router holds for all of them, and one that reads gets its answers", async () => {
    const router = managed(new Router({ maxQueuedBytes: 2_000_000 }));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const good = managed(new Dealer({ routingId: "good" }));
    good.connect(endpoint);
    let got = 0;
    good.on("message", () => got++);
    const names = Array.from({ length: 20 }, (_, i) => `deaf ${i}`);
    for (const name of names) {
      const peer = await rawConnected(endpoint, { type: "DEALER", properties: [["Identity", name]] });
      peer.pause();
    }
    await until(() => router.peers.length === 21, "all are there");
    let sent = 0;
    while (router.stats.dropped < 400) {
      for (const name of names) await router.send([name, Buffer.alloc(20_000)]);
      await router.send(["good", `${sent++}`]);
      await turns(1);
    }
    expect(router.stats.unsentBytes).toBeLessThan(2_000_000 + 20 * 150_000);
    expect(events.of("limit")[0]).toMatchObject({ limit: "maxQueuedBytes", action: "dropped" });
    // Once for each, and again where the kernel took what had waited.
    expect(events.of("limit").length).toBeLessThan(100);
    await until(() => got === sent, "the good one has everything");
  });
});
