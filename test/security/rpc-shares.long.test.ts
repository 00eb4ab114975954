/**
 * Clients of an rpc server that take what others need: places, timers, and the time that cleaning up behind them takes.
 */
import { describe, expect, it } from "vitest";
import { rawConnected } from "../support/helpers.js";
import { arr, bin, int, map } from "../support/msgpack.js";
import { message, type RawPeer } from "../support/raw-peer.js";
import { describeFigures, expectUnharmed, rig, underAttack } from "../support/rig.js";
import { event, newId } from "../support/rpc-peers.js";

const EMPTY = Buffer.alloc(0);
/** Calls of one client that are open when it leaves. */
const CALLS = 60_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

function say(peer: RawPeer, name: string, args: Buffer, header: Record<string, Buffer> = {}): string {
  const id = newId();
  peer.write(message(EMPTY, event({ message_id: bin(id), v: int(3), ...header }, name, args)));
  return id;
}

describe("clients that take what others need", () => {
  it("who hold streams, grant nothing and only beat keep nobody from a place", async () => {
    const { quiet, attacked } = await underAttack(
      { kind: "rpc", options: { concurrency: 4 } },
      async ({ endpoint }) => {
        for (let i = 0; i < 8; i++) {
          const peer = await rawConnected(endpoint, { type: "DEALER" });
          const ids = Array.from({ length: 50 }, () => say(peer, "count", arr(int(9))));
          for (const id of ids) say(peer, "_zpc_hb", arr(int(0)), { response_to: bin(id) });
          await turn();
        }
        // By the clock: good peers are measured while the answers wait.
        await new Promise((resolve) => setTimeout(resolve, 300));
      },
    );
    expectUnharmed(quiet, attacked);
    expect(attacked.served, describeFigures("attacked", attacked)).toBeGreaterThan(3);
  });

  it("who name another time-out in each call leave no timers behind", async () => {
    const { quiet, attacked, rig } = await underAttack({ kind: "rpc" }, async ({ endpoint }) => {
      const peer = await rawConnected(endpoint, { type: "DEALER" });
      for (let i = 0; i < 20_000; i++) {
        say(peer, "later", arr(int(0)), { zwire: map({ timeout: int(1_000_000 + i * 997) }) });
        if (i % 20 === 0) await turn();
      }
    });
    expectUnharmed(quiet, attacked);
    await rig.until(({ kept }) => kept.held < 8 * 1024 ** 2, "nothing is kept");
  });

  it("who leave with many calls open are cleaned up behind a few at a time", async () => {
    const made = await rig({ kind: "rpc" });
    const peer = await rawConnected(made.endpoint, { type: "DEALER" });
    for (let i = 0; i < CALLS; i++) {
      say(peer, "later", arr(int(1_000_000)));
      if (i % 20 === 0) await turn();
    }
    // Built-ins are answered behind the calls in front of them.
    say(peer, "_zerorpc_ping", arr());
    await peer.read(100);
    expect(await made.channels()).toBeGreaterThanOrEqual(CALLS);
    // By the clock: what good peers get is measured for so long, in quiet and under attack.
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const quiet = await made.measure(() => pause(600));
    const attacked = await made.measure(async () => {
      peer.close();
      do await pause(50);
      while ((await made.channels()) > 100);
      await pause(300);
    });
    expectUnharmed(quiet, attacked);
    expect(attacked.served, describeFigures("attacked", attacked)).toBeGreaterThan(10);
  });
});
