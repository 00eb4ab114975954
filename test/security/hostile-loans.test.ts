/**
 * Peers that break the rules of loans, in a process of their own (peers/memory-peer.py, which also keeps them, as an
 * implementation of its own). Native engine on Linux.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, record, temporaryDirectory, turns, until, within } from "../support/helpers.js";

const CAN = process.env.ZWIRE_ENGINE === "native" && process.platform === "linux";
const SCRIPT = fileURLToPath(new URL("../support/peers/memory-peer.py", import.meta.url));
const PAGE = 4096;
const MIB = 1024 * 1024;

const mappings = (): number => readFileSync("/proc/self/maps", "utf8").split("memfd:pool").length - 1;

class Peer {
  readonly process: ChildProcess;
  readonly words: string[] = [];
  readonly ended: Promise<void>;

  constructor(endpoint: string, way: string) {
    this.process = spawn("python3", ["-B", SCRIPT, endpoint.slice("ipc://".length), way], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.process.stdout! }).on("line", (line) => this.words.push(line));
    this.ended = new Promise((resolve) => this.process.once("close", () => resolve()));
    onTestFinished(() => void this.process.kill("SIGKILL"));
  }

  said(word: string): Promise<void> {
    return until(() => this.words.includes(word), `"${word}" of the peer`);
  }
}

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
    const peer = new Peer(endpoint, "lends");
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
    const peer = new Peer(endpoint, "lends");
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
    const before = mappings();
    const peer = new Peer(endpoint, way);
    await events.next("handshake:error:protocol");
    expect(events.of("handshake:error:protocol")[0].error).toMatchObject({ code: "shared-memory" });
    await peer.said("ended");
    await within(peer.ended, "the peer to end");
    await unharmed();
    // What is mapped goes when the collector finds it.
    expect(mappings()).toBeLessThanOrEqual(before + 1024);
  });

  it.each([
    ["without seals", "unsealed-pool"],
    ["that it can shorten", "pool-that-shrinks"],
    ["of no bytes", "empty-pool"],
  ])("a pool %s is not mapped, and its messages arrive as ever", async (_, way) => {
    const { pull, endpoint, unharmed } = await target();
    const before = mappings();
    const peer = new Peer(endpoint, way);
    await peer.said("written");
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(100_000);
    expect(mappings()).toBe(before);
    peer.process.stdin!.end();
    await within(peer.ended, "the peer to end");
    await unharmed();
  });

  it("2,000 references to a megabyte cost a program that reads slowly no gigabytes", async () => {
    const { pull, endpoint } = await target();
    const peer = new Peer(endpoint, "many-references");
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
    const peer = new Peer(endpoint, "changing-loan");
    expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(MIB);
    await peer.said("written");
    peer.process.stdin!.end();
    await within(peer.ended, "the peer to end");
    await unharmed();
  });
});
