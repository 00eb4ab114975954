/**
 * Peers that break the rules of shared memory, in a process of their own (peers/memory-peer.py, which also keeps them, as
 * an implementation of its own). Native engine on Linux.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, record, temporaryDirectory, turns, until, within } from "../support/helpers.js";
import { CAN, descriptors, MemoryPeer, mappings } from "../support/shared-memory.js";

/** A PULL with a good peer beside the one under test, and what it has before that one comes. */
async function target() {
  const pull = managed(new Pull());
  const endpoint = await pull.bind(`ipc://${temporaryDirectory()}/s`);
  const good = managed(new Push());
  good.connect(endpoint);
  await good.send(Buffer.alloc(100_000, 7));
  await pull.receive();
  await until(() => pull.stats.sharedMemory === 1 && good.stats.sharedMemory === 1, "the good peer to share");
  const before = [mappings(""), descriptors()];
  /** The other peer has gone: nothing is left of it, and the good one works. */
  const unharmed = async () => {
    await until(() => pull.stats.peers === 1, "the peer to be gone");
    while (pull.stats.receiveQueue > 0) await pull.receive();
    await until(
      () => String([mappings(""), descriptors()]) === String(before),
      "what it cost to be given back",
    );
    for (let i = 0; i < 20; i++) {
      await good.send(Buffer.alloc(100_000, i));
      expect((await pull.receive())[0].equals(Buffer.alloc(100_000, i))).toBe(true);
    }
  };
  return { pull, endpoint, events: record(pull), unharmed };
}

describe.runIf(CAN)("a peer with an implementation of its own", () => {
  it("shares memory: 20 messages larger than its ring, and all of it is given back", async () => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "good");
    for (let i = 0; i < 20; i++) {
      const [body] = await pull.receive({ timeout: 20_000 });
      expect(body.readUInt32BE()).toBe(i);
      expect(body.subarray(4).equals(Buffer.alloc(100_000, "m"))).toBe(true);
    }
    expect(pull.stats.sharedMemory).toBe(2);
    await peer.leave();
    await unharmed();
  });

  it("leaves without a bell: what is in its ring arrives first", async () => {
    const { pull, endpoint, events, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "leaves");
    await within(peer.ended, "the peer to end");
    expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe("one");
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(40_003);
    await events.next("disconnect");
    expect(events.of("disconnect")[0].error).toBeUndefined();
    await unharmed();
  });
});

describe.runIf(CAN)("a peer that dies while a process that it has forked keeps its descriptors", () => {
  it("has not ended, as with any socket: nothing hangs, and close() gives everything back", async () => {
    const { pull, endpoint, events } = await target();
    const before = mappings("");
    const peer = new MemoryPeer(endpoint, "forks");
    expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe("before");
    await peer.said("written");
    await until(() => peer.process.exitCode !== null || peer.process.signalCode !== null, "its death");
    await turns(50);
    expect(pull.stats).toMatchObject({ peers: 2, sharedMemory: 2 });
    expect(mappings("")).toBe(before + 2);
    await within(pull.close(), "close()");
    await until(() => mappings("") < before, "memory to be given back");
    expect(events.of("handshake:error:protocol")).toEqual([]);
  });

  it("is found out by heartbeats", async () => {
    const pull = managed(new Pull({ heartbeatInterval: 100, heartbeatTimeout: 300 }));
    const events = record(pull);
    const was = mappings("");
    const peer = new MemoryPeer(await pull.bind(`ipc://${temporaryDirectory()}/s`), "forks");
    expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe("before");
    await peer.said("written");
    await events.next("disconnect");
    await until(() => mappings("") === was, "memory to be given back");
    expect(pull.stats).toMatchObject({ peers: 0, sharedMemory: 0 });
  });
});

describe.runIf(CAN)("a peer that breaks the rules of shared memory", () => {
  it.each([
    ["an index that goes backwards", "backwards"],
    ["an index ahead of its ring", "ahead"],
    ["an index far ahead", "far-ahead"],
    ["bytes on the socket behind the switch", "strays"],
    ["a switch before the agreement", "early"],
    ["a second offer", "twice"],
    ["a sign that does not exist", "unknown"],
    ["a dozen descriptors", "many"],
  ])("%s ends its connection, with an event, and nothing else", async (_, way) => {
    const { endpoint, events, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, way);
    await events.next("handshake:error:protocol");
    const [{ error }] = events.of("handshake:error:protocol");
    expect(error).toMatchObject({ code: "shared-memory" });
    await peer.said("ended");
    await within(peer.ended, "the peer to end");
    await unharmed();
  });

  it.each([
    ["memory that it can write to again", "unsealed"],
    ["memory that it can shorten", "may-shrink"],
    ["memory whose seals can be added to", "may-be-unsealed"],
    ["memory shorter than its indices", "too-small"],
    ["memory without a ring", "only-a-page"],
    ["a ring whose size is no power of two", "odd-size"],
    ["a ring larger than any that is allowed", "too-large"],
    ["another layout", "other-layout"],
    ["a pipe instead of memory, and a file instead of a bell", "no-memory"],
    ["a file instead of a bell", "no-bell"],
    ["an offer, and no answer to ours", "only-offers"],
    ["no word of shared memory", "version-none"],
    ["another version of the agreement", "version-2"],
    ["an empty version", "version-empty"],
    ["a list of versions", "version-list"],
    ["a version behind a space", "version-space"],
    ["a version of 30,000 digits", "version-long"],
    ["a version of any bytes", "version-bytes"],
  ])("%s: everything stays on the socket", async (_, way) => {
    const { pull, endpoint, events, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, way);
    expect((await pull.receive({ timeout: 20_000 }))[0].equals(Buffer.alloc(100_000, "m"))).toBe(true);
    expect(pull.stats).toMatchObject({ peers: 2, sharedMemory: 1 });
    await peer.leave();
    await unharmed();
    expect(events.of("handshake:error:protocol")).toEqual([]);
  });

  it.each([
    ["has read what was never written", "read-ahead"],
    ["takes back what it has read", "read-back"],
  ])("a reader that %s loses its connection when room is looked for", async (_, way) => {
    const push = managed(new Push({ sharedMemorySize: 65536, linger: 0 }));
    const events = record(push);
    const endpoint = await push.bind(`ipc://${temporaryDirectory()}/s`);
    const peer = new MemoryPeer(endpoint, way);
    await push.connected();
    let sending = true;
    const sent = (async () => {
      while (sending) {
        push.trySend(Buffer.alloc(40_000));
        await turns(5);
      }
    })();
    await events.next("handshake:error:protocol");
    sending = false;
    await sent;
    expect(events.of("handshake:error:protocol")[0].error).toMatchObject({ code: "shared-memory" });
    await within(peer.ended, "the peer to end");
    await until(() => push.stats.peers === 0, "the peer to be gone");
  });

  it("bytes that change while they are read are torn, and no more than that", async () => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "changing");
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(50_000);
    await peer.said("written");
    expect(pull.stats.peers).toBe(2);
    await peer.leave();
    await unharmed();
  });

  it("a flood of bells delays nobody for long", async () => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "flood");
    await peer.said("flooding");
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe("after");
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10); // in a second
    await peer.leave();
    await unharmed();
  });

  it("a peer that never rings is not noticed, and nothing else happens", async () => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "silent");
    await peer.said("written");
    await turns(50);
    expect(pull.stats).toMatchObject({ peers: 2, receiveQueue: 0 });
    await peer.leave(); // the end of its connection wakes us
    expect((await pull.receive({ timeout: 20_000 }))[0].toString()).toBe("unheard");
    await unharmed();
  });
});
