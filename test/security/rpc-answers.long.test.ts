/**
 * Clients of an rpc server that ask and do not read: what waits for them is bounded for all of them together, and
 * answering them costs little.
 */
import { describe, it } from "vitest";
import { rawConnected } from "../support/helpers.js";
import { arr, bin, int } from "../support/msgpack.js";
import { message } from "../support/raw-peer.js";
import { expectUnharmed, underAttack } from "../support/rig.js";
import { event, newId } from "../support/rpc-peers.js";

const CLIENTS = 10;
const REQUESTS = 150;

/** Clients that send requests and never read. */
async function ask(endpoint: string, name: string, args: Buffer): Promise<void> {
  const peers = await Promise.all(
    Array.from({ length: CLIENTS }, () => rawConnected(endpoint, { type: "DEALER" })),
  );
  for (const peer of peers) peer.pause();
  for (let i = 0; i < REQUESTS; i++) {
    for (const peer of peers) {
      const request = event({ message_id: bin(newId()), v: int(3) }, name, args);
      peer.write(message(Buffer.alloc(0), request));
    }
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("clients that do not read", () => {
  it("who inspect in a loop fill nothing and hold up nobody: the answer is made once", async () => {
    const { quiet, attacked, rig } = await underAttack({ kind: "rpc" }, ({ endpoint }) =>
      ask(endpoint, "_zerorpc_inspect", arr()),
    );
    expectUnharmed(quiet, attacked);
    await rig.until(({ served }) => served > attacked.served, "the good peer is served on");
  });
});
