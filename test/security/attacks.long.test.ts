/** Floods of everything that costs a peer little to send, each measured against a quiet run (support/rig.ts). */
import { describe, it } from "vitest";
import { command, frame, message, ping } from "../support/raw-peer.js";
import { expectUnharmed, FLOOD_BYTES, flood, underAttack, type Victim } from "../support/rig.js";

describe("floods beside a good peer", () => {
  const FLOODS: ReadonlyArray<[what: string, victim: Victim, type: string, repeated: Buffer]> = [
    ["PINGs", { kind: "pull" }, "PUSH", ping()],
    ["PINGs with a time to live", { kind: "pull" }, "PUSH", ping(100, "0123456789abcdef")],
    ["commands that nobody knows", { kind: "pull" }, "PUSH", command("X")],
    ["commands without a name", { kind: "pull" }, "PUSH", frame("", { command: true })],
    ["cancellations of what was never subscribed to", { kind: "xpublisher" }, "SUB", command("CANCEL", "x")],
    ["cancellations in message form", { kind: "publisher" }, "SUB", message(Buffer.from([0, 0x78]))],
    ["requests without an envelope", { kind: "reply" }, "DEALER", message("")],
    ["requests of one part", { kind: "reply" }, "DEALER", message("x")],
  ];
  it.each(FLOODS)("a flood of %s holds nobody up", async (_, victim, type, repeated) => {
    const { quiet, attacked } = await underAttack(victim, (rig) => flood(rig, type, repeated, FLOOD_BYTES));
    expectUnharmed(quiet, attacked);
  });

  it("two peers that flood at once hold nobody up", async () => {
    const { quiet, attacked } = await underAttack({ kind: "pull" }, (rig) =>
      Promise.all(Array.from({ length: 2 }, () => flood(rig, "PUSH", ping(), FLOOD_BYTES / 2))),
    );
    expectUnharmed(quiet, attacked);
  });
});
