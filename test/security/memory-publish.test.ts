/**
 * What peers that do not read can make a sender hold: copies for many are encoded once, whatever their size, and what
 * all of them have waiting has a limit. The victim is a process of its own, strangers are raw.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Router } from "../../src/index.js";
import { managed, rawConnected, record, turns, until } from "../support/helpers.js";
import { deafSubscribers } from "../support/suites/deaf-subscribers.js";

deafSubscribers([16_000]);

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
