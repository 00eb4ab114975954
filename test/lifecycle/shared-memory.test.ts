/**
 * Shared memory where it is scarce, and beside engines, threads and processes that have none of it: the same messages arrive.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, temporaryDirectory, until } from "../support/helpers.js";
import { CAN, mappings } from "../support/shared-memory.js";

const MIB = 1024 * 1024;
const prlimit = CAN && spawnSync("prlimit", ["--version"]).status === 0;

const shares = (socket: Push): boolean => socket.stats.sharedMemory > 0;

describe.runIf(prlimit)("100 connections with rings of 8 or 16 MiB, and no address space for them", () => {
  it.each([
    [8, 512],
    [16, 300],
  ])(
    "%i MiB each, %i MiB are left: those that have none use the socket, and nothing is lost",
    async (ring, left) => {
      const endpoint = `ipc://${temporaryDirectory()}/s`;
      const peers = 100;
      const messages = 4;
      const child = startChild("memory-limit.mjs", [endpoint, `${ring * MIB}`, `${peers * messages}`]);
      const bound = await child.line(({ event }) => event === "bound", "the child to bind");
      const limit = (bound.kib as number) * 1024 + left * MIB;
      const pid = `${child.process.pid}`;
      expect(spawnSync("prlimit", ["--pid", pid, `--as=${limit}`]).status).toBe(0);
      child.tell({ op: "receive" });
      const pushes: Push[] = [];
      for (let i = 0; i < peers; i++) {
        const push = managed(new Push({ sharedMemorySize: ring * MIB, linger: 0 }));
        push.connect(endpoint);
        pushes.push(push);
      }
      await Promise.all(pushes.map((push) => push.connected()));
      // What V8 needs stays free: its process would end otherwise.
      const most = Math.max(0, Math.floor((left - 256) / (2 * ring)));
      for (let number = 0; number < messages; number++) {
        if (number === 1 && most > 4) await until(() => pushes.some(shares), "some to share");
        for (const [i, push] of pushes.entries()) await push.send([`${i}`, Buffer.alloc(100_000, number)]);
      }
      const received = await child.line(({ event }) => event === "received", "all messages");
      expect(received).toMatchObject({ wrong: 0, peers });
      expect(received.sharing).toBeLessThanOrEqual(most);
    },
  );
});

/** Options of the child are JSON; what it sends is a number and filling (memory-end.mjs). */
describe.runIf(CAN)("a process with the portable engine at the other end", () => {
  const portable = { ZWIRE_ENGINE: "portable" };
  const count = 30;
  const size = 100_000;

  it("sends by the socket to us", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind(`ipc://${temporaryDirectory()}/s`);
    const args = ["push", endpoint, "{}", "0", `${count}`, `${size}`];
    const child = startChild("memory-end.mjs", args, [], portable);
    child.tell({ op: "send" });
    for (let i = 0; i < count; i++) {
      const [body] = await pull.receive({ timeout: 20_000 });
      expect([body.readUInt32BE(), body.length, body[size - 1]]).toEqual([i, size, i]);
    }
    expect(pull.stats.sharedMemory).toBe(0);
    child.kill();
    await until(() => pull.stats.peers === 0, "its end to be noticed");
  });

  it("gets what we send by the socket", async () => {
    const push = managed(new Push({ reconnectInterval: 10, linger: 0 }));
    const endpoint = `ipc://${temporaryDirectory()}/s`;
    push.connect(endpoint);
    const child = startChild("memory-end.mjs", ["pull", endpoint, "{}", "0", "0", `${size}`], [], portable);
    for (let i = 0; i < count; i++) {
      const body = Buffer.alloc(size, i);
      body.writeUInt32BE(i);
      await push.send(body, { timeout: 20_000 });
    }
    await child.line(({ got }) => got === count - 1, "the last message");
    const numbers = child.lines.filter((line) => "got" in line);
    expect(numbers).toEqual(Array.from({ length: count }, (_, got) => ({ got, good: true })));
    expect(push.stats.sharedMemory).toBe(0);
  });
});

it.runIf(CAN)(
  "a worker thread shares memory with the main thread, both ways, and takes it along when it is terminated",
  async () => {
    const was = mappings("zwire");
    const file = fileURLToPath(new URL("../support/children/memory-worker.mjs", import.meta.url));
    const pull = managed(new Pull());
    const push = managed(new Push({ linger: 0 }));
    const [from, to] = [await pull.bind("ipc://*"), await push.bind("ipc://*")];
    for (let round = 0; round < 2; round++) {
      const workers = [
        new Worker(file, { workerData: { role: "push", endpoint: from } }),
        new Worker(file, { workerData: { role: "pull", endpoint: to } }),
      ];
      const failed = workers.map((worker) => new Promise((resolve) => worker.once("error", resolve)));
      const traffic = async () => {
        while (pull.stats.sharedMemory + push.stats.sharedMemory < 2) {
          await push.send(Buffer.alloc(60_000, 7));
          const [body] = await pull.receive({ timeout: 20_000 });
          expect([body.length, body[0]]).toEqual([60_000, body[59_999]]);
        }
        return "shared";
      };
      expect(await Promise.race([traffic(), ...failed])).toBe("shared");
      await Promise.all(workers.map((worker) => worker.terminate()));
      // The end comes behind all that was written.
      await until(async () => {
        while (pull.stats.receiveQueue > 0) await pull.receive();
        return pull.stats.peers === 0 && push.stats.peers === 0;
      }, "the ends to be noticed");
      await until(() => mappings("zwire") === was, "memory to be given back");
    }
  },
);
