/**
 * Ends of processes and threads that share memory, many times and at any point: nothing twice, nothing torn, nothing left.
 * ZWIRE_KILLS is the number of kills of memory-lives.long.test.ts; here each is a whole process of zwire, and there are a
 * fiftieth as many.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { curveKeyPair, Pull, Push } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, temporaryDirectory, until } from "../support/helpers.js";
import { CAN, descriptors, mappings } from "../support/shared-memory.js";

const KILLS = Math.ceil(Number(process.env.ZWIRE_KILLS ?? 1000) / 50);
const SIZE = 60_000;
const options = { sharedMemorySize: 65536, reconnectInterval: 5, linger: 0 };

/** What shared memory costs now, when it has come to rest. */
async function rest(was: readonly number[]): Promise<void> {
  await until(() => String([mappings("zwire"), descriptors()]) === String(was), `rest: ${was}`);
}

const [server, client] = [curveKeyPair(), curveKeyPair()];
const sealed = {
  server: { curveServer: true, curveSecretKey: server.secretKey },
  client: {
    curveServerKey: server.publicKey,
    curvePublicKey: client.publicKey,
    curveSecretKey: client.secretKey,
  },
};
/** What a row is called, options of the side that binds and of the side that dials, and the size of a message. */
const ROWS = [
  ["as it is", {}, {}, 60_000],
  ["sealed by CURVE", sealed.server, sealed.client, 60_000],
  // With spinning, small writes are enough to share.
  [
    "sealed by CURVE, several to a write",
    { ...sealed.server, spinMicroseconds: 1 },
    { ...sealed.client, spinMicroseconds: 1 },
    6000,
  ],
  ["sealed by CURVE, larger than the ring", sealed.server, sealed.client, 400_000],
] as const;

describe.runIf(CAN).each(ROWS)("kill -9 at any point: %s", (_, binding, dialling, size) => {
  it("of the sender: a beginning of what it sent arrives, whole and in order, and nothing is left", async () => {
    const pull = managed(new Pull(binding));
    const endpoint = await pull.bind(`ipc://${temporaryDirectory()}/s`);
    const was = [mappings("zwire"), descriptors()];
    let most = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startChild("memory-end.mjs", [
        "push",
        endpoint,
        JSON.stringify({ ...options, ...dialling }),
        "0",
        "100000",
        `${size}`,
      ]);
      child.tell({ op: "send" });
      let next = 0;
      const [first] = await pull.receive({ timeout: 30_000 });
      expect(first.readUInt32BE()).toBe(next++);
      const end = performance.now() + (kill % 20) * 2;
      while (performance.now() < end)
        await pull.receive({ timeout: 30_000 }).then(([body]) => whole(body, next++, size));
      child.process.kill("SIGKILL");
      await child.ended;
      await until(() => pull.stats.peers === 0, "the end to be noticed");
      while (pull.stats.receiveQueue > 0) whole((await pull.receive())[0], next++, size);
      most = Math.max(most, next);
      await rest(was);
    }
    expect(most).toBeGreaterThan(5);
  });

  it("of the receiver: its successors get the rest, nothing twice", async () => {
    const endpoint = `ipc://${temporaryDirectory()}/s`;
    const push = managed(new Push({ ...options, ...dialling, sendHighWaterMark: Math.ceil(70_000 / size) }));
    const was = [mappings("zwire"), descriptors()];
    push.connect(endpoint);
    let sending = true;
    const sent = (async () => {
      for (let i = 0; sending; i++) {
        const body = Buffer.alloc(size, i & 0xff);
        body.writeUInt32BE(i);
        await push.send(body);
      }
    })().catch((error) => error); // what waits is rejected when the socket is closed
    const reading = JSON.stringify({ receiveHighWaterMark: 1, receiveHighWaterMarkBytes: 1, ...binding });
    let last = -1;
    let lost = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startChild("memory-end.mjs", ["pull", endpoint, reading, "0", "0", `${size}`]);
      const numbers = () => child.lines.filter((line) => "got" in line);
      // The first messages of a connection go by the socket, and what the kernel has taken of them is lost.
      await until(() => push.stats.sharedMemory === 1, "sharing");
      const enough = numbers().length + 40 + (kill % 20);
      await until(() => numbers().length > enough, "messages");
      child.process.kill("SIGKILL");
      await child.ended;
      for (const { got, good } of numbers() as { got: number; good: boolean }[]) {
        expect(good).toBe(true);
        expect(got).toBeGreaterThan(last);
        lost += got - last - 1;
        last = got;
      }
    }
    // It copies out up to 64 KiB at once, and is killed before it tells of that.
    expect(lost).toBeLessThanOrEqual((2 + Math.ceil(70_000 / size)) * KILLS);
    sending = false;
    await push.close({ linger: 0 });
    await sent;
    await until(() => mappings("zwire") === was[0], "memory to be given back");
  });
});

it.runIf(CAN)("worker threads that are terminated in the middle of it leave nothing", async () => {
  const file = fileURLToPath(new URL("../support/children/memory-worker.mjs", import.meta.url));
  const pull = managed(new Pull(options));
  const push = managed(new Push(options));
  const [from, to] = [await pull.bind("ipc://*"), await push.bind("ipc://*")];
  const was = [mappings("zwire")];
  let got = 0;
  const receiving = (async () => {
    for await (const [body] of pull) {
      if (body[0] !== body[SIZE - 1]) throw new Error("torn");
      got++;
    }
  })().catch((error) => error);
  let sending = true;
  const sent = (async () => {
    while (sending) await push.send(Buffer.alloc(SIZE, 1), { timeout: 200 }).catch(() => {});
  })();
  for (let i = 0; i < 15; i++) {
    const workers = [
      new Worker(file, { workerData: { role: "push", endpoint: from } }),
      new Worker(file, { workerData: { role: "pull", endpoint: to } }),
    ];
    await until(() => pull.stats.peers === 1 && push.stats.sharedMemory === 1, "sharing");
    const had = got;
    await until(() => got >= had + i * 20, "messages");
    await Promise.all(workers.map((worker) => worker.terminate()));
    await until(() => pull.stats.peers === 0 && push.stats.peers === 0, "the ends to be noticed");
  }
  sending = false;
  await sent;
  await pull.close();
  expect(await receiving).toBeUndefined();
  await until(() => mappings("zwire") === was[0], "memory to be given back");
});

function whole(body: Buffer, number: number, size: number): void {
  expect([body.readUInt32BE(), body.length, body[4], body[size - 1]]).toEqual([
    number,
    size,
    number & 0xff,
    number & 0xff,
  ]);
}

it.runIf(CAN)("examples/frames.mjs: every viewer sees every frame, and by loans hardly any is copied", () => {
  const script = fileURLToPath(new URL("../../examples/frames.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "2"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const copied = [...stdout.matchAll(/^(loans over ipc|tcp) .* ([\d.]+) MB copied/gm)].map(([, way, mb]) => [
    way,
    Number(mb),
  ]);
  expect(copied).toEqual([
    ["loans over ipc", expect.any(Number)],
    ["tcp", 33.2],
  ]);
  expect(copied[0][1]).toBeLessThan(10);
});
