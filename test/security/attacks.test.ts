/**
 * The rig, and the attacks of strangers on it: what one peer sends costs the others nothing to speak of. Each attack is
 * a few megabytes at most; the quiet run beside it is the measure. Knows the victim by what it says only.
 */
import { describe, expect, it } from "vitest";
import { rawConnected } from "../support/helpers.js";
import { message } from "../support/raw-peer.js";
import { expectUnharmed, underAttack } from "../support/rig.js";

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
});
