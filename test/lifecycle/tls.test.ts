/** tls+tcp between processes: back-pressure, deaths and ends, and worker threads. */
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { childPath, startChild } from "../support/child.js";
import { managed, record } from "../support/helpers.js";
import { backPressure } from "../support/suites/back-pressure.js";
import { exitInTraffic } from "../support/suites/exits.js";

const authority = new Authority();
const { cert, key } = authority.issue();
const tls = { cert, key, ca: authority.cert };
const environment = { ZWIRE_TEST_TLS: JSON.stringify(tls) };
const ANY = "tls+tcp://127.0.0.1:*";

backPressure(320, [ANY], environment);

describe("ends of processes", () => {
  it("process.exit(), four times, in mid-traffic never crashes", () => exitInTraffic(ANY, 2, environment));

  it.each(["throws", "rejects"])("an uncaught error (%s) ends with its own trace", async (scenario) => {
    const { code, signal, stderr } = await startChild("exits.mjs", [scenario, ANY], [], environment).ended;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain("in mid-traffic");
  });

  it("unref()ed sockets do not hold a process, open ones do", async () => {
    const open = startChild("exits.mjs", ["open", ANY], [], environment);
    await open.line((line) => line.event === "open", "the child");
    const { code, stderr } = await startChild("exits.mjs", ["unref", ANY], [], environment).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(open.process.exitCode).toBeNull();
  });

  it("what was sent before close() arrives although nobody waits for it", async () => {
    const pull = managed(new Pull({ tls }));
    const child = startChild("exits.mjs", ["flushes", await pull.bind(ANY)], [], environment);
    for (let i = 0; i < 2000; i++)
      expect((await pull.receive({ timeout: 10_000 }))[0].toString()).toBe(`${i}`);
    expect(await child.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });
});

it("a PUSH goes on while its peer is killed in mid-traffic: nothing twice, nothing out of order", async () => {
  const push = managed(new Push({ tls, reconnectInterval: 5, sendHighWaterMark: 50 }));
  const events = record(push);
  const start = (endpoint: string) => startChild("tls-puller.mjs", [endpoint], [], environment);
  let life = start(ANY);
  const { endpoint } = await life.line((line) => "endpoint" in line, "the first life");
  push.connect(`${endpoint}`);
  let sent = 0;
  let stop = false;
  const sending = (async () => {
    for (; !stop; sent++) await push.send([`${sent}`, Buffer.alloc(20_000, sent)], { timeout: 30_000 });
  })();
  const lives: number[][] = [];
  for (let round = 1; round <= 4; round++) {
    await life.line((line) => "number" in line, "messages", 30_000);
    life.kill();
    await life.ended;
    lives.push(life.lines.filter((line) => "number" in line).map(({ number }) => number as number));
    await events.next("disconnect", round, 30_000);
    life = start(`${endpoint}`);
  }
  await life.line((line) => "number" in line, "messages", 30_000);
  stop = true;
  await sending;
  await life.line((line) => line.number === sent - 1, "the last message", 30_000);
  lives.push(life.lines.filter((line) => "number" in line).map(({ number }) => number as number));
  expect(life.lines.filter((line) => "wrong" in line)).toEqual([]);
  for (const numbers of lives)
    for (let i = 1; i < numbers.length; i++) expect(numbers[i]).toBe(numbers[i - 1] + 1);
  for (let i = 1; i < lives.length; i++) {
    const lost = lives[i][0] - (lives[i - 1].at(-1) as number) - 1;
    expect(lost, "nothing twice").toBeGreaterThanOrEqual(0);
    // What node:tls and the kernels of both sides held, and what the dead had received and not printed.
    expect(lost).toBeLessThan(1000);
  }
});

it("worker threads have TLS of their own, and may be terminated in mid-traffic", async () => {
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(childPath("traffic-worker.mjs"), {
      workerData: { endpoints: [ANY] },
      env: { ...process.env, ...environment },
    });
    const failures: Error[] = [];
    worker.on("error", (error) => failures.push(error as Error));
    await new Promise((resolve) => worker.once("message", resolve));
    await worker.terminate();
    expect(failures).toEqual([]);
  }
});
