/**
 * The rig, and the attacks of strangers on it: what one peer sends costs the others nothing to speak of. Each attack is
 * a few megabytes at most; the quiet run beside it is the measure. Knows the victim by what it says only.
 */
import { describe, expect, it } from "vitest";
import { rawConnected } from "../support/helpers.js";
import { command, frame, message, ping } from "../support/raw-peer.js";
import { expectUnharmed, type Rig, underAttack, type Victim } from "../support/rig.js";

/** Sends so many octets of repetitions of some, and resolves when all of them have been handled. */
async function flood({ endpoint }: Rig, type: string, repeated: Buffer, bytes: number): Promise<void> {
  const peer = await rawConnected(endpoint, { type });
  const closed = new Promise((resolve) => peer.socket.once("close", resolve));
  peer.socket.end(Buffer.alloc(bytes - (bytes % repeated.length), repeated));
  await closed;
}

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

  /** More than one turn ever took. */
  const FLOOD_BYTES = 1.5 * 1024 ** 2;
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
