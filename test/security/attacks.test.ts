/**
 * The rig, and the attacks of strangers on it: what one peer sends costs the others nothing to speak of. Each attack is
 * a few megabytes at most; the quiet run beside it is the measure. More of them are in attacks.long.test.ts. Knows the
 * victim by what it says only.
 */
import { describe, expect, it } from "vitest";
import { rawConnected } from "../support/helpers.js";
import { message, ping } from "../support/raw-peer.js";
import { expectUnharmed, FLOOD_BYTES, flood, underAttack, type Victim } from "../support/rig.js";

describe("attacks beside a good peer", () => {
  it("an ordinary peer that sends much does no harm: the rig itself", async () => {
    const { quiet, attacked } = await underAttack({ kind: "pull" }, async ({ endpoint }) => {
      const peer = await rawConnected(endpoint, { type: "PUSH" });
      for (let i = 0; i < 200; i++) {
        peer.write(message(Buffer.alloc(1000)));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expectUnharmed(quiet, attacked);
    expect(attacked.peers).toEqual([2]);
    expect(attacked.served).toBeGreaterThan(5);
  });

  it("a flood of PINGs holds nobody up", async () => {
    const { quiet, attacked } = await underAttack({ kind: "pull" }, (rig) =>
      flood(rig, "PUSH", ping(), FLOOD_BYTES),
    );
    expectUnharmed(quiet, attacked);
  });

  it("400 connections that announce 16 MiB each and send nothing more take no memory for it", async () => {
    const announced = Buffer.from([2, 0, 0, 0, 0, 1, 0, 0, 0]);
    const victim: Victim = { kind: "pull" };
    const { quiet, attacked, rig } = await underAttack(victim, async ({ endpoint }) => {
      for (let i = 0; i < 400; i++) (await rawConnected(endpoint, { type: "PUSH" })).write(announced);
    });
    expectUnharmed(quiet, attacked);
    await rig.until(({ peers }) => peers[0] === 401, "all of them are connected");
  });
});
