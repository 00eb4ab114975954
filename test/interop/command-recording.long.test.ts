/** Memory of `zwire record` and `zwire replay` with much more than may wait. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { start, stopped } from "../support/command.js";
import { managed, standing, temporaryDirectory } from "../support/helpers.js";

const ANY = "tcp://127.0.0.1:*";
const MESSAGES = 6000;
const BYTES = 100_000; // 600 MB in all

/** Megabytes that a process has had at most. */
function peak(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1000;
}

it.skipIf(process.platform !== "linux")(
  "600 MB are recorded and replayed, to a receiver that stalls, in little memory and without a difference",
  async () => {
    const file = `${temporaryDirectory()}/large.zwr`;
    const record = start(["record", "pull", "--bind", ANY, file]);
    const push = managed(new Push());
    push.connect(await record.endpoint());
    const sent = createHash("sha256");
    for (let i = 0; i < MESSAGES; i++) {
      const part = Buffer.alloc(BYTES, i % 251);
      part.writeUInt32LE(i);
      sent.update(part);
      await push.send(part);
    }
    const size = await standing(() => statSync(file).size, "the recording", MESSAGES * BYTES);
    expect(size).toBeGreaterThan(MESSAGES * BYTES);
    const recording = peak(record.child.pid!);
    expect((await stopped(record, "SIGINT")).code).toBe(0);

    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    const replay = start(["replay", "push", "--connect", await pull.bind(ANY), "--speed", "0", file]);
    const got = createHash("sha256");
    got.update((await pull.receive({ timeout: 30_000 }))[0]);
    // While nobody receives, the replay stands still.
    await standing(() => pull.stats.receivedBytes, "what waits");
    const stalled = peak(replay.child.pid!);
    for (let i = 1; i < MESSAGES; i++) got.update((await pull.receive({ timeout: 30_000 }))[0]);
    expect(got.digest("hex")).toBe(sent.digest("hex"));
    expect((await replay.ended).code).toBe(0);
    expect(recording).toBeLessThan(350);
    expect(stalled).toBeLessThan(350);
  },
);
