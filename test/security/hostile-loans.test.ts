/**
 * Peers that break the rules of loans, in a process of their own (peers/memory-peer.py, which also keeps them, as an
 * implementation of its own). Native engine on Linux.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import {
  managed,
  rawDial,
  record,
  TRANSPORTS,
  temporaryDirectory,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { pair } from "../support/pairs.js";
import { command, message, type RawPeer } from "../support/raw-peer.js";
import { CAN, MemoryPeer, mappings } from "../support/shared-memory.js";

const ipc = TRANSPORTS[1].endpoint;
const PAGE = 4096;
const MIB = 1024 * 1024;

async function target() {
  const pull = managed(new Pull());
  const endpoint = await pull.bind(`ipc://${temporaryDirectory()}/s`);
  /** A good peer is served. */
  const unharmed = async () => {
    const good = managed(new Push());
    good.connect(endpoint);
    for (let i = 0; i < 10; i++) {
      await good.send(good.loan(100_000).fill(i));
      const message = await pull.borrow({ timeout: 20_000 });
      expect(message[0].equals(Buffer.alloc(100_000, i))).toBe(true);
      message.release();
    }
    await good.close();
  };
  return { pull, endpoint, events: record(pull), unharmed };
}

/** The pages that a part begins with, as the peer has filled its pool. */
const pages = (part: Buffer, count: number): number[] =>
  Array.from({ length: count }, (_, i) => part[i * PAGE]);

describe.runIf(CAN)("a peer with an implementation of loans of its own", () => {
  it.each(["receive", "borrow"] as const)("lends, and gets everything back: %s()", async (way) => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "lends");
    for (let i = 0; i < 20; i++) {
      const message = await pull[way]({ timeout: 20_000 });
      expect(String(message[0])).toBe("head");
      expect(message[1].length).toBe(5 * PAGE);
      expect(pages(message[1], 5)).toEqual([0, 1, 2, 3, 4].map((page) => i + page));
      if (way === "borrow") {
        expect(pull.stats.borrowedBytes).toBe(5 * PAGE);
        await turns(3);
        expect(peer.words).not.toContain(`returned-${i}`);
        (message as Awaited<ReturnType<Pull["borrow"]>>).release();
      }
      await peer.said(`returned-${i}`);
    }
    await unharmed();
  });

  it("has gone: what was borrowed stays as it was", async () => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "lends");
    const message = await pull.borrow({ timeout: 20_000 });
    peer.process.kill("SIGKILL");
    await until(() => pull.stats.peers === 0, "the peer to be gone");
    expect(pages(message[1], 5)).toEqual([0, 1, 2, 3, 4]);
    message.release();
    expect(pull.stats.borrowedBytes).toBe(0);
    await unharmed();
  });
});

describe.runIf(CAN)("a peer that breaks the rules of loans", () => {
  it.each([
    ["a part that ends behind its pool", "beyond-the-end"],
    ["a part far behind its pool", "far-beyond"],
    ["a part longer than everything", "longer-than-all"],
    ["a part that is too short to be lent", "too-short"],
    ["a part of nothing", "nothing"],
    ["a pool that was not offered", "no-such-pool"],
    ["a pool that was refused", "uses-bad-pool"],
    ["pools without end", "pools-without-end"],
    ["two descriptors for one pool", "two-in-one"],
  ])("%s: its connection ends, with an event, and nothing else", async (_, way) => {
    const { endpoint, events, unharmed } = await target();
    const before = mappings("pool");
    const peer = new MemoryPeer(endpoint, way);
    await events.next("handshake:error:protocol");
    expect(events.of("handshake:error:protocol")[0].error).toMatchObject({ code: "shared-memory" });
    await peer.said("ended");
    await within(peer.ended, "the peer to end");
    await unharmed();
    // What is mapped goes when the collector finds it.
    expect(mappings("pool")).toBeLessThanOrEqual(before + 1024);
  });

  it.each([
    ["without seals", "unsealed-pool"],
    ["that it can shorten", "pool-that-shrinks"],
    ["of no bytes", "empty-pool"],
  ])("a pool %s is not mapped, and its messages arrive as ever", async (_, way) => {
    const { pull, endpoint, unharmed } = await target();
    const before = mappings("pool");
    const peer = new MemoryPeer(endpoint, way);
    await peer.said("written");
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(100_000);
    expect(mappings("pool")).toBe(before);
    await peer.leave();
    await unharmed();
  });

  it("2,000 references to a megabyte cost a program that reads slowly no gigabytes", async () => {
    const { pull, endpoint } = await target();
    const peer = new MemoryPeer(endpoint, "many-references");
    await peer.said("written");
    await until(() => pull.stats.receiveQueue > 100, "references to arrive");
    await turns(20);
    const { rss } = process.memoryUsage();
    expect(pull.stats.receiveQueue).toBeLessThanOrEqual(2000);
    for (let i = 0; i < 20; i++) {
      const [part] = await pull.receive();
      expect(pages(part, 256)).toEqual(Array.from({ length: 256 }, (_, page) => page % 251));
    }
    expect(process.memoryUsage().rss - rss).toBeLessThan(200 * MIB);
  });

  it("a loan that changes while it is looked at is torn, and no more than that", async () => {
    const { pull, endpoint, unharmed } = await target();
    const peer = new MemoryPeer(endpoint, "changing-loan");
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(MIB);
    await peer.said("written");
    await peer.leave();
    await unharmed();
  });
});

describe.runIf(CAN)("commands about loans from a peer that", () => {
  const announced = [
    ["X-zwire-shm", "1"],
    ["X-zwire-loans", "1"],
  ] as const;

  async function target(type: "PUSH" | "PULL") {
    const socket = managed(type === "PUSH" ? new Pull() : new Push());
    const events = record(socket);
    const peer = await rawDial(await socket.bind(ipc()));
    await peer.handshake({ type, properties: announced } as never);
    await until(() => socket.stats.peers === 1, "the handshake");
    return { socket, events, peer };
  }

  const lend = (pool: number, offset: number, length: number, more = 0, id = 1): Buffer => {
    const data = Buffer.alloc(19);
    data[0] = more;
    data.writeUInt16BE(pool, 1);
    data.writeUIntBE(offset, 3, 6);
    data.writeUIntBE(length, 9, 6);
    data.writeUInt32BE(id, 15);
    return data;
  };

  it.each([
    ["refers to a pool that it has not offered", "PUSH", "LEND", lend(0, 0, 20_000)],
    ["sends half of a reference", "PUSH", "LEND", lend(0, 0, 20_000).subarray(0, 7)],
    ["sends a reference with unknown flags", "PUSH", "LEND", lend(0, 0, 20_000, 2)],
    ["returns what it has not got", "PULL", "RETURN", Buffer.from([0, 0, 0, 9])],
    ["returns half a number", "PULL", "RETURN", Buffer.from([0, 0, 9])],
    ["answers an offer that was not made", "PULL", "POOL", Buffer.from([0, 0, 1])],
    ["answers with something else than yes or no", "PULL", "POOL", Buffer.from([0, 0, 7])],
  ] as const)("%s: it loses its connection, with an event", async (_, type, name, data) => {
    const { socket, events, peer } = await target(type);
    peer.write(command(name, data));
    await until(() => socket.stats.peers === 0, "the connection to be closed");
    const [{ error }] = events.of("handshake:error:protocol");
    expect(error).toMatchObject({ code: "shared-memory" });
    const good = await pair(ipc());
    await good.push.send("good");
    expect(String((await good.pull.receive())[0])).toBe("good");
  });

  it("announces nothing and sends such commands: they are unknown, and ignored", async () => {
    const pull = managed(new Pull());
    const peer = await rawDial(await pull.bind(ipc()));
    await peer.handshake({ type: "PUSH" });
    peer.write(command("LEND", lend(0, 0, 20_000)));
    peer.write(command("RETURN", Buffer.from([0, 0, 0, 9])));
    peer.write(message("still here"));
    expect(String((await pull.receive())[0])).toBe("still here");
  });

  it("is not told of loans over tcp", async () => {
    const pull = managed(new Pull());
    const peer: RawPeer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    const { properties } = await peer.handshake({ type: "PUSH" });
    expect(properties.get("X-zwire-loans")).toBeUndefined();
  });
});
