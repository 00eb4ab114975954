/**
 * What subscribers of a publisher may ask for, as an attack beside a good one: long topics with short ones within, topics
 * without number that leave together, changes without end.
 */
import { describe, expect, it } from "vitest";
import { rawConnected } from "../support/helpers.js";
import { command, message, type RawPeer } from "../support/raw-peer.js";
import { expectUnharmed, underAttack } from "../support/rig.js";

/** A topic as a command, and as a message. */
const FORMS = {
  command: (topic: string | Buffer, subscribe = true) => command(subscribe ? "SUBSCRIBE" : "CANCEL", topic),
  message: (topic: string | Buffer, subscribe = true) =>
    message(Buffer.concat([Buffer.of(Number(subscribe)), Buffer.from(topic)])),
};
const FORM_NAMES = ["message", "command"] as const;

/** Writes some when those before are dealt with: how much a turn of the victim's may do is another question. */
async function write(peer: RawPeer, ...frames: Buffer[]): Promise<void> {
  for (let at = 0; at < frames.length; at += 500) {
    peer.write(...frames.slice(at, at + 500));
    await peer.barrier();
  }
}

const toggles = (write: (typeof FORMS)["command"], topic: string, times: number): Buffer[] =>
  Array.from({ length: times }, () => [write(topic), write(topic, false)]).flat();

/** Many topics of one peer. */
const topics = (peer: number, count = 30_000): Buffer[] =>
  Array.from({ length: count }, (_, i) => FORMS.command(`peer ${peer} topic ${i}`));

describe("attacks with topics beside a good subscriber", () => {
  it.each(FORM_NAMES)("a long topic in %s form, and the short ones within it without end", async (form) => {
    const { quiet, attacked } = await underAttack({ kind: "publisher" }, async ({ endpoint }) => {
      const peer = await rawConnected(endpoint, { type: "SUB" });
      // One that is too long, and one that is just not.
      await write(peer, FORMS[form](Buffer.alloc(8_000_000, "a")));
      await write(peer, FORMS[form](Buffer.alloc(16_384, "a")));
      await write(peer, ...toggles(FORMS[form], "a", 10_000));
    });
    expectUnharmed(quiet, attacked);
    expect(attacked.limits.maxTopicLength).toMatchObject({ count: 1, action: "ignored", value: 8_000_000 });
  });

  it("without the limit, as libzmq has none: 20 MB, and the short ones within it", async () => {
    const options = { maxTopicLength: 2 ** 28 };
    const { quiet, attacked } = await underAttack({ kind: "publisher", options }, async ({ endpoint }) => {
      const peer = await rawConnected(endpoint, { type: "SUB" });
      await write(peer, FORMS.message(Buffer.alloc(20_000_000, "a")));
      await write(peer, ...toggles(FORMS.message, "a", 100));
    });
    expectUnharmed(quiet, attacked, 96 * 1024 ** 2); // twice, while it is taken over
  });

  it("three subscribers with many topics leave together", async () => {
    const { quiet, attacked, rig } = await underAttack({ kind: "publisher" }, async (rig) => {
      const peers = await Promise.all([1, 2, 3].map(() => rawConnected(rig.endpoint, { type: "SUB" })));
      for (const [i, peer] of peers.entries()) await write(peer, ...topics(i));
      for (const peer of peers) peer.socket.destroy();
      await rig.until(({ peers: [count] }) => count === 1, "they have left");
    });
    expectUnharmed(quiet, attacked);
    expect((await rig.report()).lost).toBe(0);
  });

  it("two peers that ask for more than there is room for", async () => {
    const options = { maxTopics: 40_000, maxTopicsPerPeer: 25_000 };
    const { quiet, attacked } = await underAttack({ kind: "publisher", options }, async ({ endpoint }) => {
      for (const i of [1, 2]) {
        const peer = await rawConnected(endpoint, { type: "SUB" });
        await write(peer, ...topics(i));
      }
    });
    expectUnharmed(quiet, attacked);
    expect(attacked.limits).toMatchObject({
      maxTopicsPerPeer: { count: 1, action: "ignored", value: 25_001 },
      maxTopics: { count: 1, action: "ignored", value: 40_001 },
    });
  });
});
